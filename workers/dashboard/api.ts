/**
 * The JSON API under /api/v1: operations over the service binding to process, figures by Analytics Engine's SQL API.
 * Who may ask is decided before a request gets here. It stores nothing and builds no SQL of its own.
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as v from "valibot";
import {
  type AnswerRow,
  combineStats,
  type OutcomeCounts,
  outcomesQuery,
  readOutcomes,
  statsQuery,
} from "../../shared/analytics/queries.ts";
import { postSql, querySql, type SqlConnection } from "../../shared/analytics/sql.ts";
import type { OperationsApi } from "../../shared/operations.ts";
import { registryEntry } from "../../shared/registry.ts";
import type { Identity } from "./auth.ts";
import { type DashboardEnv, readSqlConnection } from "./environment.ts";
import { ApiError, type ApiErrorCode } from "./errors.ts";

/** What Hono carries through a request. */
export interface ApiContext {
  Bindings: DashboardEnv & { ACCESS: CloudflareAccessContext | undefined };
  Variables: { identity: Identity };
}

/** Ours: a statement or a registry entry is far smaller. */
const MAX_BODY_BYTES = 256 * 1024;

/** ?format= → the engine's FORMAT clause. */
const FORMATS = { json: "JSON", jsoneachrow: "JSONEachRow", tsv: "TabSeparated" } as const;

const statsParameters = v.object({
  domain: v.optional(v.pipe(v.string(), v.trim(), v.toLowerCase(), v.minLength(1), v.maxLength(253))),
  account: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
});
const queryParameters = v.object({ format: v.optional(v.picklist(["json", "jsoneachrow", "tsv"])) });
const pageParameters = v.object({ cursor: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(4096))) });
const ruaParameter = v.pipe(v.string(), v.trim(), v.regex(/^[^\s@]+@[^\s@]+$/, "not a mail address"), v.maxLength(400));

/** Builds the routes. */
export function buildApi(): Hono<ApiContext> {
  const api = new Hono<ApiContext>();
  api.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));
  api.get("/registry", async (c) => c.json({ items: await operate(c, (o) => o.listRegistrations()) }));
  api.get("/registry/:rua", getRegistration);
  api.put("/registry/:rua", putRegistration);
  api.delete("/registry/:rua", removeRegistration);
  api.get("/status", getStatus);
  api.get("/stats", getStats);
  api.post("/query", runQuery);
  api.get("/dead-letters", listDeadLetters);
  api.post("/reconcile", startReconcile);
  return api;
}

type Call = Context<ApiContext>;

async function getRegistration(c: Call): Promise<Response> {
  const rua = readRua(c);
  const registration = await operate(c, (operations) => operations.getRegistration(rua));
  if (registration === undefined) throw new ApiError("not_found", `'${rua}' is not registered.`);
  return c.json(registration);
}

async function putRegistration(c: Call): Promise<Response> {
  const rua = readRua(c);
  const entry = validate(registryEntry, await readJson(c));
  const answer = await operate(c, (operations) => operations.putRegistration(rua, entry));
  if ("refused" in answer) throw new ApiError("bad_request", answer.refused);
  return c.json(answer);
}

async function removeRegistration(c: Call): Promise<Response> {
  const rua = readRua(c);
  await operate(c, (operations) => operations.removeRegistration(rua));
  return c.body(null, 204);
}

// Status is what an operator looks at when something is broken, so it is answered without Analytics Engine too.
async function getStatus(c: Call): Promise<Response> {
  const status = await operate(c, (operations) => operations.status());
  try {
    const outcomes: OutcomeCounts = readOutcomes(await queryRows(readConnection(c), outcomesQuery()));
    return c.json({ ...status, outcomes });
  } catch (error) {
    const outcomesProblem = error instanceof Error ? error.message : String(error);
    return c.json({ ...status, outcomes: null, outcomesProblem });
  }
}

async function getStats(c: Call): Promise<Response> {
  const statements = statsQuery(validate(statsParameters, c.req.query()));
  const connection = readConnection(c);
  const [records, events] = await Promise.all([
    queryRows(connection, statements.records),
    queryRows(connection, statements.events),
  ]);
  return c.json(combineStats(records, events));
}

/** Hands a statement to the engine as it is, and the engine's answer back. */
async function runQuery(c: Call): Promise<Response> {
  const { format } = validate(queryParameters, c.req.query());
  const sql = (await c.req.text()).trim().replace(/;$/, "");
  if (sql === "") throw new ApiError("bad_request", "The body is empty; it has to be one SQL statement.");
  // On a line of its own, because the statement may end in a comment.
  const statement = format === undefined ? sql : `${sql}\nFORMAT ${FORMATS[format]}`;
  const answer = await postSql(readConnection(c), statement, (url, init) => fetch(url, init));
  if (!answer.ok) throw new ApiError(answer.error.code, answer.error.message);
  const type = answer.value.headers.get("content-type") ?? "text/plain; charset=utf-8";
  return new Response(answer.value.body, { headers: { "content-type": type } });
}

async function listDeadLetters(c: Call): Promise<Response> {
  const { cursor } = validate(pageParameters, c.req.query());
  return c.json(await operate(c, (operations) => operations.listDeadLetters({ cursor })));
}

async function startReconcile(c: Call): Promise<Response> {
  await operate(c, (operations) => operations.startReconcile());
  return c.json({ started: true }, 202);
}

/** Rows of one of our own statements; a dataset nothing was written to yet has none. */
async function queryRows(connection: SqlConnection, sql: string): Promise<AnswerRow[]> {
  const answer = await querySql(connection, sql, (url, init) => fetch(url, init));
  if (answer.ok) return answer.value.rows;
  if (answer.error.code === "no_data") return [];
  throw new ApiError(answer.error.code, answer.error.message);
}

function readConnection(c: Call): SqlConnection {
  const connection = readSqlConnection(c.env);
  if (!("missing" in connection)) return connection;
  throw new ApiError("not_configured", `Analytics Engine is not configured: ${connection.missing} is not set.`);
}

async function operate<T>(c: Call, operation: (operations: OperationsApi) => Promise<T>): Promise<T> {
  try {
    return await operation(c.env.PROCESS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ApiError("process_unavailable", `The process Worker failed: ${reason}`);
  }
}

function readRua(c: Call): string {
  return validate(ruaParameter, c.req.param("rua"));
}

async function readJson(c: Call): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    throw new ApiError("bad_request", "The body is not JSON.");
  }
}

function validate<T>(schema: v.GenericSchema<unknown, T>, input: unknown): T {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new ApiError("bad_request", path === null ? issue.message : `${path}: ${issue.message}`);
}

function tooLarge(): never {
  const code: ApiErrorCode = "too_large";
  throw new ApiError(code, `The body is larger than ${MAX_BODY_BYTES} bytes.`);
}
