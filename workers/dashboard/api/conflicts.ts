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
  routes.get("/conflicts/:id", async (c) => c.json(await callWithId(c, "getConflict")));
  // Accepting goes through the queue: totals change when its message is processed.
  routes.post("/conflicts/:id/accept", async (c) => c.json(await callWithId(c, "acceptConflict"), 202));
  routes.post("/conflicts/:id/discard", async (c) => c.json(await callWithId(c, "discardConflict")));
  return routes;
}

async function listConflicts(c: Call): Promise<Response> {
  const { cursor: from } = validate(pageParameters, c.req.query());
  return c.json(await operate(c, (operations) => operations.listConflicts(from)));
}

type ConflictOperation = "getConflict" | "acceptConflict" | "discardConflict";

async function callWithId(c: Call, operation: ConflictOperation): Promise<Conflict> {
  const id = validate(conflictId, c.req.param("id"));
  return unlessRefused(await operate(c, (operations) => operations[operation](id)), "not_found");
}
