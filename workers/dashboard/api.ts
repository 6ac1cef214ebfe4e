/**
 * The JSON API under /api/v1: a route for each operation of the contract that has one. What process answers is asked over the
 * service binding; the rest comes from the ledger and Analytics Engine. Who may ask is decided before a request gets here.
 */
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import openApi from "../../docs/openapi.json" with { type: "json" };
import { closeCursor, hasCursor, openCursor } from "../../shared/contract/cursor.ts";
import { type HttpRoute, inputOf, validate } from "../../shared/contract/operation.ts";
import {
  type DashboardOperation,
  type Inputs,
  OPERATION_NAMES,
  OPERATIONS,
  type OperationName,
  type ProcessOperation,
} from "../../shared/contract/operations.ts";
import { API_LIMITS } from "../../shared/limits.ts";
import { read } from "./api/answers.ts";
import { type ApiContext, type Call, operate, unwrap } from "./api/call.ts";
import { ApiError } from "./errors.ts";

export type { ApiContext } from "./api/call.ts";

/** Builds the routes. */
export function buildApi(): Hono<ApiContext> {
  const api = new Hono<ApiContext>();
  api.get("/openapi.json", () => Response.json(openApi));
  for (const name of OPERATION_NAMES) addRoute(api, name);
  return api;
}

function limitOf({ maxBodyBytes: maxSize = API_LIMITS.maxBodyBytes }: HttpRoute): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError() {
      throw new ApiError("too_large", `The body is larger than ${maxSize} bytes.`);
    },
  });
}

function addRoute<Name extends OperationName>(api: Hono<ApiContext>, name: Name): void {
  const { http, input } = OPERATIONS[name];
  if (http === undefined) return;
  const isPaged = hasCursor(OPERATIONS[name]);
  api.on(http.method, http.path, limitOf(http), async (c) => {
    const parts = { parameters: c.req.param(), query: c.req.query(), body: await bodyOf(c, http) };
    const valid = unwrap(validate(input, unwrap(inputOf(http.place, parts))));
    if (!isPaged) return answerWith(c, http, await run(c, name, valid));
    const output = await run(c, name, unwrap(openCursor(name, valid)));
    return answerWith(c, http, closeCursor(name, output));
  });
}

async function bodyOf(c: Call, { place }: HttpRoute): Promise<string | ReadableStream> {
  if (place === "query") return "";
  return typeof place === "object" && "bytes" in place ? (c.req.raw.body ?? "") : c.req.text();
}

function run<Name extends OperationName>(c: Call, name: Name, input: Inputs[Name]): Promise<unknown> {
  return isOfDashboard(name) ? read(c, name, input) : operate(c, name as ProcessOperation, input);
}

function isOfDashboard(name: OperationName): name is DashboardOperation {
  return OPERATIONS[name].answeredBy === "dashboard";
}

function answerWith(c: Call, { status, answer: form }: HttpRoute, output: unknown): Response {
  if (output instanceof Response) return form === "bytes" ? asDownload(output) : output;
  return status === 204 ? c.body(null, 204) : Response.json(output, { status });
}

// Untrusted bytes: a browser must save them, never show them.
function asDownload({ headers: given, body }: Response): Response {
  const headers = new Headers({
    "content-type": "application/octet-stream",
    "content-disposition": "attachment",
    "x-content-type-options": "nosniff",
  });
  const length = given.get("content-length");
  if (length !== null) headers.set("content-length", length);
  return new Response(body, { headers });
}
