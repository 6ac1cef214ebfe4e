/** The description of an operation, and how its input becomes an HTTP request and back. Pure. */
import * as v from "valibot";
import { type Authority, mayAsk, type Role } from "../people.ts";
import { fail, ok, type Result } from "../result.ts";
import type { OperationProblem } from "./problems.ts";

/** Where the input fields that are not in the path come from. */
export type InputPlace =
  | "query"
  /** A JSON object whose fields are the input's; no body at all counts as `{}` where `optional`. */
  | { json: "fields"; optional?: true }
  /** A JSON value that is one field of the input. */
  | { json: "field"; field: string }
  /** Text that is one field of the input; the others come from the query. */
  | { text: string }
  /** Bytes that are one field of the input, as a stream or Blob; the others come from the query. */
  | { bytes: string };

export interface HttpRoute {
  method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below `/api/v1`; `:name` is the input's field of that name. */
  path: string;
  place: InputPlace;
  /** Status of a success. 202: queued and not yet in effect. 204: no body. */
  status: 200 | 202 | 204;
  /** Form of the answer. */
  answer: "json" | "text" | "bytes" | "none";
  /** The largest body; absent = what is enough for all others. */
  maxBodyBytes?: number;
}

/** The route of a question: input in the query, an answer in JSON. */
export function get<const Path extends string>(path: Path) {
  return { method: "GET", path, place: "query", status: 200, answer: "json" } as const;
}

/** The route of a change: input as a JSON object, an answer in JSON. */
export function post<const Path extends string>(path: Path) {
  return { method: "POST", path, place: { json: "fields" }, status: 200, answer: "json" } as const;
}

/** The route of what is set, however often it is asked: input as a JSON object, an answer in JSON. */
export function put<const Path extends string>(path: Path) {
  return { method: "PUT", path, place: { json: "fields" }, status: 200, answer: "json" } as const;
}

/** The route of a removal: input in the query, no answer. */
export function remove<const Path extends string>(path: Path) {
  return { method: "DELETE", path, place: "query", status: 204, answer: "none" } as const;
}

/** One operation. */
export interface Operation<Input, Output> {
  /** One sentence for documents. */
  summary: string;
  /**
   * The role it takes, in the account the input names. An operation without an account answers about those the person has the
   * role in, and changes nothing.
   */
  role: Role;
  changes: boolean;
  /** process: by RPC, for changes and whatever needs R2 or the queues; dashboard: read from the ledger directly. */
  answeredBy: "process" | "dashboard";
  /** undefined = RPC only. */
  http: HttpRoute | undefined;
  input: v.GenericSchema<unknown, Input>;
  output: v.GenericSchema<unknown, Output>;
  /** An input, for documents. */
  example?: object;
}

/**
 * Whether somebody may ask an operation with an input. Checked where the request arrives, and again where it is answered.
 *
 * @returns the problem to refuse it with, if not
 */
export function allowed(
  authority: Authority,
  { role }: { role: Role },
  input: object,
): Result<undefined, OperationProblem> {
  const account = "account" in input && typeof input.account === "string" ? input.account : undefined;
  if (mayAsk(authority, role, account)) return ok(undefined);
  return fail({ code: "forbidden", message: FORBIDDEN[role] });
}

/** The answer to a caller without the required role. */
export const FORBIDDEN: Record<Role, string> = {
  operator: "This is for operators.",
  administrator: "This is for administrators of the account.",
  viewer: "There is no such account, or no access.",
};

/** Validates input or output. @returns what is wrong, with the field's name, if invalid */
export function validate<T>(schema: v.GenericSchema<unknown, T>, input: unknown): Result<T, OperationProblem> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  const message = problemText(issue);
  return fail({ code: "bad_request", message: path === null ? message : `${path}: ${message}` });
}

/** Forms show it: what the library says of lengths is a formula. */
function problemText({ type, message, requirement, input }: v.BaseIssue<unknown>): string {
  if (!message.startsWith("Invalid length")) return message;
  const [one, what] = Array.isArray(input) ? ["entry", "entries"] : ["character", "characters"];
  if (type === "min_length") return `at least ${requirement} ${requirement === 1 ? one : what}`;
  return type === "max_length" ? `at most ${requirement} ${what}` : message;
}

/** The parts of an HTTP request that the contract determines. */
export interface ContractRequest {
  method: HttpRoute["method"];
  /** From the root of the site, including the query. */
  path: string;
  body: string | Blob | undefined;
}

export const API_ROOT = "/api/v1";

/** The HTTP request for an operation. @throws Error when the input lacks a field that the path needs: a bug */
export function requestOf({ method, path, place }: HttpRoute, input: object): ContractRequest {
  const fields = new Map<string, unknown>(Object.entries(input).filter(([, value]) => value !== undefined));
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = fields.get(name);
    fields.delete(name);
    if (typeof value !== "string" && typeof value !== "number") throw new Error(`${path} needs ${name}.`);
    // A path cannot have an empty segment, but a report may have no domain.
    return encodeURIComponent(value === "" ? "-" : String(value).toWellFormed());
  });
  const body = takeBody(place, fields);
  const query = new URLSearchParams([...fields].map(([name, value]): [string, string] => [name, String(value)]));
  const suffix = query.size === 0 ? "" : `?${query}`;
  return { method, path: API_ROOT + filled + suffix, body };
}

// The remaining fields go into the query.
function takeBody(place: InputPlace, fields: Map<string, unknown>): string | Blob | undefined {
  if (place === "query") return undefined;
  if ("bytes" in place) {
    const bytes = fields.get(place.bytes);
    fields.delete(place.bytes);
    if (!(bytes instanceof Blob)) throw new Error(`${place.bytes} must be a Blob: its length is needed.`);
    return bytes;
  }
  if ("text" in place) {
    const text = fields.get(place.text);
    fields.delete(place.text);
    return String(text ?? "");
  }
  const value = place.json === "field" ? fields.get(place.field) : Object.fromEntries(fields);
  fields.clear();
  return JSON.stringify(value);
}

/** The parts of a request that make up the input. */
export interface RequestParts {
  /** Decoded. */
  parameters: Record<string, string>;
  query: Record<string, string>;
  /** A stream if the operation takes bytes. */
  body: string | ReadableStream;
}

/** The input in a request, not yet validated. @returns a problem when the body is malformed */
export function inputOf(
  place: InputPlace,
  { parameters, query, body }: RequestParts,
): Result<object, OperationProblem> {
  const path = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, name === "domain" && value === "-" ? "" : value]),
  );
  if (place === "query") return ok({ ...query, ...path });
  if ("bytes" in place) return ok({ ...query, ...path, [place.bytes]: body });
  if (typeof body !== "string") return fail({ code: "bad_request", message: "The body must be text." });
  if ("text" in place) return ok({ ...query, ...path, [place.text]: body });
  const isLeftOut = place.json === "fields" && place.optional === true && body.trim() === "";
  const json = isLeftOut ? ok({}) : parseJson(body);
  if (!json.ok) return json;
  if (place.json === "field") return ok({ ...path, [place.field]: json.value });
  const { value } = json;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail({ code: "bad_request", message: "The body is not a JSON object." });
  }
  return ok({ ...value, ...path });
}

function parseJson(text: string): Result<unknown, OperationProblem> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return fail({ code: "bad_request", message: "The body is not JSON." });
  }
}
