/**
 * The JSON API under /api/v1: operations over the service binding to process, figures from the ledger, statements of one's own to Analytics Engine.
 * Who may ask is decided before a request gets here. It stores nothing and builds no SQL of its own.
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ApiContext } from "./api/call.ts";
import { conflictRoutes } from "./api/conflicts.ts";
import { deadLetterRoutes } from "./api/dead-letters.ts";
import { figureRoutes } from "./api/figures.ts";
import { identityRoutes } from "./api/identities.ts";
import { jobRoutes } from "./api/jobs.ts";
import { registryRoutes } from "./api/registry.ts";
import { ApiError } from "./errors.ts";

export type { ApiContext } from "./api/call.ts";

/** Ours: a statement or a registry entry is far smaller. */
const MAX_BODY_BYTES = 256 * 1024;

/** Builds the routes. */
export function buildApi(): Hono<ApiContext> {
  const api = new Hono<ApiContext>();
  api.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));
  const parts = [registryRoutes(), identityRoutes(), figureRoutes(), deadLetterRoutes(), conflictRoutes(), jobRoutes()];
  for (const routes of parts) api.route("/", routes);
  return api;
}

function tooLarge(): never {
  throw new ApiError("too_large", `The body is larger than ${MAX_BODY_BYTES} bytes.`);
}
