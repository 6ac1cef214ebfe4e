/** /conflicts: other versions of accepted reports, for a person to decide about. */
import { Hono } from "hono";
import * as v from "valibot";
import type { Conflict } from "../../../shared/storage.ts";
import { type ApiContext, type Call, cursor, operate, unlessRefused, validate } from "./call.ts";

const pageParameters = v.strictObject({ cursor: v.optional(cursor) });
const conflictId = v.pipe(v.string(), v.minLength(1), v.maxLength(100));

/** Builds the routes. */
export function conflictRoutes(): Hono<ApiContext> {
  const routes = new Hono<ApiContext>();
  routes.get("/conflicts", listConflicts);
  // Accepting goes through the queue: totals change when its message is processed.
  routes.post("/conflicts/:id/accept", async (c) => c.json(await decide(c, "acceptConflict"), 202));
  routes.post("/conflicts/:id/discard", async (c) => c.json(await decide(c, "discardConflict")));
  return routes;
}

async function listConflicts(c: Call): Promise<Response> {
  const { cursor: from } = validate(pageParameters, c.req.query());
  return c.json(await operate(c, (operations) => operations.listConflicts(from)));
}

async function decide(c: Call, decision: "acceptConflict" | "discardConflict"): Promise<Conflict> {
  const id = validate(conflictId, c.req.param("id"));
  return unlessRefused(await operate(c, (operations) => operations[decision](id)), "not_found");
}
