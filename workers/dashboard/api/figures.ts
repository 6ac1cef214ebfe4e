/** /status, /activity, /stats: what the pipeline holds and does, from process and the ledger. /query: Analytics Engine. */
import { Hono } from "hono";
import * as v from "valibot";
import { postSql } from "../../../shared/analytics/sql.ts";
import { activityQuery, outcomesQuery, readActivity, readOutcomes } from "../../../shared/ledger/activity.ts";
import { statsQuery } from "../../../shared/ledger/stats.ts";
import { ApiError } from "../errors.ts";
import { type ApiContext, account, type Call, domain, operate, readConnection, validate } from "./call.ts";

/** ?format= → the engine's FORMAT clause. */
const FORMATS = { json: "JSON", jsoneachrow: "JSONEachRow", tsv: "TabSeparated" } as const;

const statsParameters = v.object({ domain: v.optional(domain), account: v.optional(account) });
const queryParameters = v.object({ format: v.optional(v.picklist(["json", "jsoneachrow", "tsv"])) });

/** Builds the routes. */
export function figureRoutes(): Hono<ApiContext> {
  const routes = new Hono<ApiContext>();
  routes.get("/status", getStatus);
  routes.get("/activity", getActivity);
  routes.get("/stats", getStats);
  routes.post("/query", runQuery);
  return routes;
}

// Status is what an operator looks at when something is broken, so it is answered without the ledger too.
async function getStatus(c: Call): Promise<Response> {
  const status = await operate(c, (operations) => operations.status());
  try {
    return c.json({ ...status, outcomes: readOutcomes(await c.get("ledger").ask(outcomesQuery(nowSeconds()))) });
  } catch (error) {
    const outcomesProblem = error instanceof Error ? error.message : String(error);
    return c.json({ ...status, outcomes: null, outcomesProblem });
  }
}

async function getActivity(c: Call): Promise<Response> {
  return c.json({ items: readActivity(await c.get("ledger").ask(activityQuery(nowSeconds()))) });
}

async function getStats(c: Call): Promise<Response> {
  const filter = validate(statsParameters, c.req.query());
  const ledger = c.get("ledger");
  const [stats] = await ledger.ask(statsQuery({ accounts: await ledger.accounts(), ...filter }));
  return c.json(stats);
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
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
