/** /reprocess, /reconcile, /jobs: running raw objects again, and how far that is. */
import { Hono } from "hono";
import * as v from "valibot";
import { ApiError } from "../errors.ts";
import {
  type ApiContext,
  type Call,
  day,
  domain,
  objectKey,
  operate,
  readOptionalJson,
  unlessRefused,
  validate,
} from "./call.ts";

// Strict: a misspelt field would mean "everything".
const jobRequest = v.strictObject({
  filter: v.optional(
    v.strictObject({
      key: v.optional(objectKey),
      prefix: v.optional(objectKey),
      domain: v.optional(domain),
      since: v.optional(day),
      until: v.optional(day),
    }),
  ),
  dryRun: v.optional(v.boolean()),
});
const jobId = v.pipe(v.string(), v.minLength(1), v.maxLength(100));

/** Builds the routes. */
export function jobRoutes(): Hono<ApiContext> {
  const routes = new Hono<ApiContext>();
  routes.post("/reprocess", (c) => startJob(c, "startReprocess"));
  routes.post("/reconcile", (c) => startJob(c, "startReconcile"));
  routes.get("/jobs", async (c) => c.json({ items: await operate(c, (operations) => operations.listJobs()) }));
  routes.get("/jobs/:id", getJob);
  return routes;
}

async function startJob(c: Call, operation: "startReprocess" | "startReconcile"): Promise<Response> {
  const request = validate(jobRequest, await readOptionalJson(c));
  return c.json(unlessRefused(await operate(c, (operations) => operations[operation](request))), 202);
}

async function getJob(c: Call): Promise<Response> {
  const id = validate(jobId, c.req.param("id"));
  const job = await operate(c, (operations) => operations.getJob(id));
  if (job === undefined) throw new ApiError("not_found", `There is no job '${id}'.`);
  return c.json(job);
}
