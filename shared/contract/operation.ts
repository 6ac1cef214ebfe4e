/** What describes an operation, and how its input becomes an HTTP request and back. Pure. */
import * as v from "valibot";
import { fail, ok, type Result } from "../result.ts";
import type { OperationProblem } from "./problems.ts";

/** Where the input's fields come from that are not in the path. */
export type InputPlace =
  | "query"
  /** A JSON object whose fields are the input's; no body at all counts as `{}` where `optional`. */
  | { json: "fields"; optional?: true }
  /** A JSON value that is one field of the input. */
  | { json: "field"; field: string }
  /** Text that is one field of the input; the others come from the query. */
  | { text: string };

export interface HttpRoute {
  method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below `/api/v1`; `:name` is the input's field of that name. */
  path: string;
  place: InputPlace;
  /** Of a success. 202: it goes through a queue and has not taken effect yet. 204: without a body. */
  status: 200 | 202 | 204;
  /** Form of the answer. */
  answer: "json" | "text" | "bytes" | "none";
}

/** One thing that may be asked or changed. */
export interface Operation<Input, Output> {
  /** One sentence for documents. */
  summary: string;
  /** viewer: a person who may see the account it is about, which the caller checks; operator: operators only. */
  role: "viewer" | "operator";
  changes: boolean;
  /** process: what changes something, or needs R2 or the queues, by RPC; dashboard: what it reads from the ledger itself. */
  answeredBy: "process" | "dashboard";
  /** undefined = asked by RPC only. */
  http: HttpRoute | undefined;
  input: v.GenericSchema<unknown, Input>;
  output: v.GenericSchema<unknown, Output>;
}

/** Input or output of the agreed form. @returns what is wrong, with the field's name, otherwise */
export function validate<T>(schema: v.GenericSchema<unknown, T>, input: unknown): Result<T, OperationProblem> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  return fail({ code: "bad_request", message: path === null ? issue.message : `${path}: ${issue.message}` });
}

/** An HTTP request as far as the contract goes. */
export interface ContractRequest {
  method: HttpRoute["method"];
  /** With its query, from the root of the site. */
  path: string;
  body: string | undefined;
}

export const API_ROOT = "/api/v1";

/** The HTTP request that asks for an operation. @throws Error when the input has not a field its path needs: a bug */
export function requestOf({ method, path, place }: HttpRoute, input: object): ContractRequest {
  const fields = new Map<string, unknown>(Object.entries(input).filter(([, value]) => value !== undefined));
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = fields.get(name);
    fields.delete(name);
    if (typeof value !== "string" && typeof value !== "number") throw new Error(`${path} needs ${name}.`);
    // A path has no empty part, and a report may be about no domain.
    return encodeURIComponent(value === "" ? "-" : String(value));
  });
  const body = takeBody(place, fields);
  const query = new URLSearchParams([...fields].map(([name, value]): [string, string] => [name, String(value)]));
  const suffix = query.size === 0 ? "" : `?${query}`;
  return { method, path: API_ROOT + filled + suffix, body };
}

// What is left in `fields` goes into the query.
function takeBody(place: InputPlace, fields: Map<string, unknown>): string | undefined {
  if (place === "query") return undefined;
  if ("text" in place) {
    const text = fields.get(place.text);
    fields.delete(place.text);
    return String(text ?? "");
  }
  const value = place.json === "field" ? fields.get(place.field) : Object.fromEntries(fields);
  fields.clear();
  return JSON.stringify(value);
}

/** The parts of a request that an input is made of. */
export interface RequestParts {
  /** Decoded. */
  parameters: Record<string, string>;
  query: Record<string, string>;
  body: string;
}

/** The input a request carries, not validated yet. @returns a problem when the body is not what it has to be */
export function inputOf(
  place: InputPlace,
  { parameters, query, body }: RequestParts,
): Result<object, OperationProblem> {
  const path = Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, name === "domain" && value === "-" ? "" : value]),
  );
  if (place === "query") return ok({ ...query, ...path });
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
