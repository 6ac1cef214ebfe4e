/**
 * The client of the dashboard's JSON API, used by commands, the local stack and tests. Failures are values: a problem
 * with a code and a sentence. It prints nothing and never retries.
 */
import * as v from "valibot";
import { fail, ok } from "../result.ts";
import { requestOf, validate } from "./operation.ts";
import { type Inputs, OPERATIONS, type OperationName, type Outputs, type PagedOperation } from "./operations.ts";
import type { Answer } from "./problems.ts";

/** The location of the API and how to reach it. */
export interface ApiConnection {
  /** Origin without a trailing slash. */
  url: string;
  token: string;
  /** A service token of Cloudflare Access: lets the request through to the dashboard, which goes by `token`. */
  access?: { clientId: string; clientSecret: string };
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** Why a request failed. */
export interface ClientProblem {
  /**
   * A code of the API; `unreachable`: nothing answers; `broken_off`: the answer ended in its middle; `not_an_answer`: it
   * is not one of the API.
   */
  code: string;
  message: string;
  /** HTTP status; undefined if nothing answered. */
  status: number | undefined;
}

export type ClientAnswer<T> = Answer<T, ClientProblem>;

/** One API. */
export interface ContractClient {
  /** Where it is. */
  url: string;
  ask<Name extends OperationName>(
    name: Name,
    input: Inputs[Name],
    signal?: AbortSignal,
  ): Promise<ClientAnswer<Outputs[Name]>>;
}

/** An item of a paged operation. */
export type ItemOf<Name extends PagedOperation> = Outputs[Name]["items"][number];

/** Builds the client. */
export function contractClient(connection: ApiConnection): ContractClient {
  return {
    url: connection.url,
    async ask<Name extends OperationName>(name: Name, input: Inputs[Name], signal?: AbortSignal) {
      const { http, output } = OPERATIONS[name];
      if (http === undefined) throw new Error(`${name} is not available over HTTP.`);
      const { method, path, body } = requestOf(http, input ?? {});
      const sent = await send(connection, path, { method, body: body ?? null, signal: signal ?? null });
      if (!sent.ok) return sent;
      const response = sent.value;
      if (response.ok && http.answer === "bytes") return readAs(output, response, response);
      const text = await readText(response);
      if (!text.ok) return text;
      if (!response.ok) return fail(problemOf(response, text.value, connection));
      if (http.answer === "json") return readJson(output, response, text.value);
      return readAs(output, response, http.answer === "none" ? undefined : text.value);
    },
  };
}

/** All items of a listing, one page per call; stops with the problem if a page fails. */
export async function* eachItem<Name extends PagedOperation>(
  client: ContractClient,
  name: Name,
  input: Inputs[Name],
): AsyncGenerator<ClientAnswer<ItemOf<Name>>> {
  let cursor: string | undefined;
  do {
    const page: ClientAnswer<Outputs[Name]> = await client.ask(name, { ...input, ...(cursor && { cursor }) });
    if (!page.ok) {
      yield page;
      return;
    }
    for (const item of page.value.items) yield ok(item);
    cursor = page.value.cursor;
  } while (cursor !== undefined);
}

async function send(
  { url, token, access, fetch }: ApiConnection,
  path: string,
  request: RequestInit,
): Promise<ClientAnswer<Response>> {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    ...(access && { "cf-access-client-id": access.clientId, "cf-access-client-secret": access.clientSecret }),
  };
  try {
    // The API redirects nowhere; Cloudflare Access does, to its login.
    const response = await fetch(url + path, { ...request, headers, redirect: "manual" });
    if (response.status < 300 || response.status >= 400) return ok(response);
    const message =
      `${url} redirects to ${originOf(response)} instead of answering. If that is the login of Cloudflare Access, ` +
      `${refusedBy(access)}.`;
    return fail({ code: "not_an_answer", message, status: response.status });
  } catch (error) {
    const message = `Nothing answers at ${url}: ${reasonOf(error)}.`;
    return fail({ code: "unreachable", message, status: undefined });
  }
}

/** What Access wants of a program, and did not get. */
function refusedBy(access: ApiConnection["access"]): string {
  return access === undefined
    ? "it requires a service token, and none was sent"
    : "the service token that was sent is wrong, has expired, or is not in a policy with the action Service Auth " +
        "of the dashboard's application";
}

function originOf({ headers }: Response): string {
  return URL.parse(headers.get("location") ?? "")?.origin ?? "another place";
}

async function readText(response: Response): Promise<ClientAnswer<string>> {
  try {
    return ok(await response.text());
  } catch (error) {
    const message = `The answer of ${response.url} ended in the middle: ${reasonOf(error)}.`;
    return fail({ code: "broken_off", message, status: response.status });
  }
}

function readJson<T>(output: v.GenericSchema<unknown, T>, response: Response, text: string): ClientAnswer<T> {
  const json = v.safeParse(v.pipe(v.string(), v.parseJson()), text);
  if (json.success) return readAs(output, response, json.output);
  const message = `${response.url} did not answer with JSON; is it the dashboard's address?`;
  return fail({ code: "not_an_answer", message, status: response.status });
}

function readAs<T>(output: v.GenericSchema<unknown, T>, response: Response, value: unknown): ClientAnswer<T> {
  const read = validate(output, value);
  if (read.ok) return read;
  const message = `${response.url} sent an answer that this version does not understand: ${read.error.message}.`;
  return fail({ code: "not_an_answer", message, status: response.status });
}

/** Problem details (RFC 9457) as far as they are used here; `error` alone is what older versions answer. */
const problemAnswer = v.union([
  v.object({ code: v.string(), detail: v.string() }),
  v.pipe(
    v.object({ error: v.object({ code: v.string(), message: v.string() }) }),
    v.transform(({ error: { code, message } }) => ({ code, detail: message })),
  ),
]);

function problemOf({ status }: Response, text: string, { url, access }: ApiConnection): ClientProblem {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), problemAnswer), text);
  if (parsed.success) return { code: parsed.output.code, message: parsed.output.detail, status };
  // Access says so itself where service tokens are strict (all organizations since October 2026), or OAuth is managed.
  const isRefusal = status === 401 || status === 403;
  const message = isRefusal
    ? `${url} answered with status ${status}, and not as the dashboard does. If Cloudflare Access stands before it, ${refusedBy(access)}.`
    : `It answered with status ${status}`;
  return { code: "not_an_answer", message, status };
}

// fetch says only "fetch failed"; the reason is its cause.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}
