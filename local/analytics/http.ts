/**
 * The local Analytics Engine over HTTP: Cloudflare's SQL API (`/client/v4/accounts/<id>/analytics_engine/sql`) for
 * reading, and `/local/points` for the local Worker that stands in for the binding. Nothing is answered without the token.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as v from "valibot";
import { LOCAL_ENGINE_LIMITS } from "../../shared/limits.ts";
import { DATASET_NAME, type Engine } from "./engine.ts";
import type { Journal } from "./journal.ts";
import { QueryQueue } from "./query-queue.ts";

const SQL_PATH = /^\/client\/v4\/accounts\/[^/]+\/analytics_engine\/sql$/;
/** Ours: one request body; a slice of 240 points is far below. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

const CONTENT_TYPES = {
  JSON: "application/json",
  JSONEachRow: "application/x-ndjson",
  TabSeparated: "text/tab-separated-values; charset=utf-8",
};

// Limits are the Worker's to check (local/worker/point.ts); here only the shape.
const pointsBody = v.object({
  dataset: v.pipe(v.string(), v.regex(DATASET_NAME, "not a dataset name")),
  points: v.array(
    v.object({ index: v.string(), blobs: v.array(v.string()), doubles: v.array(v.nullable(v.number())) }),
  ),
});

interface Reply {
  status: number;
  type: string;
  body: string;
  /** For the header Retry-After. */
  retryAfterSeconds?: number;
}

/** Makes the server; it does not listen yet. */
export function createAnalyticsServer(options: Omit<Context, "queries">): Server {
  const context: Context = { ...options, queries: new QueryQueue(LOCAL_ENGINE_LIMITS) };
  return createServer((request, response) => {
    reply(request, context)
      .catch((error: unknown) => text(500, error instanceof Error ? error.message : String(error)))
      .then((answer) => send(response, answer));
  });
}

interface Context {
  engine: Engine;
  journal: Journal;
  token: string;
  /** The time, seconds since 1970 UTC. */
  now: () => number;
  queries: QueryQueue;
}

async function reply(request: IncomingMessage, context: Context): Promise<Reply> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/local/health" && request.method === "GET") return text(200, "ok");
  if (!isAuthorized(request.headers.authorization, context.token)) return authenticationError();
  if (url.pathname === "/local/points" && request.method === "POST") return await writePoints(request, context);
  if (SQL_PATH.test(url.pathname)) return await runQuery(request, url, context);
  return text(404, "Not found");
}

async function writePoints(request: IncomingMessage, { journal, now }: Context): Promise<Reply> {
  const body = await readBody(request);
  if (body === undefined) return text(413, "The body is too large");
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), pointsBody), body);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return text(400, `${v.getDotPath(issue) ?? "body"}: ${issue.message}`);
  }
  // JSON has no NaN and no infinity; Analytics Engine keeps neither.
  const points = parsed.output.points.map((point) => ({ ...point, doubles: point.doubles.map((value) => value ?? 0) }));
  if (points.length > 0) journal.take(parsed.output.dataset, points, now());
  return text(200, "stored");
}

async function runQuery(request: IncomingMessage, url: URL, { engine, journal, queries }: Context): Promise<Reply> {
  if (request.method !== "POST" && request.method !== "GET") return text(405, "Method not allowed");
  const sql = request.method === "GET" ? (url.searchParams.get("query") ?? "") : await readBody(request);
  if (sql === undefined) return text(413, "The body is too large");
  if (sql.trim() === "") return text(422, "no statement was given");
  const answer = await queries.run(async () => {
    await journal.flush();
    return engine.query(sql);
  });
  if (answer === undefined) {
    const { maxWaiting, retryAfterSeconds } = LOCAL_ENGINE_LIMITS;
    return { ...text(503, `${maxWaiting} statements are waiting already; ask again later`), retryAfterSeconds };
  }
  if (!answer.ok) return text(422, answer.error);
  return { status: 200, type: CONTENT_TYPES[answer.value.format], body: answer.value.body };
}

function isAuthorized(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? "");
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function authenticationError(): Reply {
  const errors = [{ code: 10000, message: "Authentication error" }];
  const body = JSON.stringify({ success: false, errors, messages: [], result: null });
  return { status: 403, type: "application/json", body };
}

function text(status: number, message: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body: message };
}

// undefined when it is too large; what is left unread ends with the connection.
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, { status, type, body, retryAfterSeconds }: Reply): void {
  const retry = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  response.writeHead(status, { "content-type": type, ...retry });
  response.end(body);
}
