/** /dead-letters and /raw: what could not become data, to search, look at, send again or discard. */
import { Hono } from "hono";
import * as v from "valibot";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import type { DeadLetterResult, OperationRefused, OperationsApi, Page } from "../../../shared/operations.ts";
import { ApiError } from "../errors.ts";
import {
  type ApiContext,
  account,
  type Call,
  cursor,
  day,
  domain,
  objectKey,
  operate,
  readJson,
  unlessRefused,
  validate,
} from "./call.ts";

const filterFields = {
  code: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(100))),
  domain: v.optional(domain),
  account: v.optional(account),
  since: v.optional(day),
  until: v.optional(day),
};
// Strict: a misspelt field would mean "all of them".
const listParameters = v.strictObject({ ...filterFields, cursor: v.optional(cursor) });
const letterId = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const selection = v.strictObject({
  ids: v.optional(v.pipe(v.array(letterId), v.minLength(1), v.maxLength(PAGE_LIMITS.letters))),
  filter: v.optional(v.strictObject(filterFields)),
  cursor: v.optional(cursor),
  dryRun: v.optional(v.boolean()),
});
const rawParameters = v.object({ key: objectKey });

type SelectionOperation = Extract<keyof OperationsApi, "requeueDeadLetters" | "discardDeadLetters">;

/** Builds the routes. */
export function deadLetterRoutes(): Hono<ApiContext> {
  const routes = new Hono<ApiContext>();
  routes.get("/dead-letters", listDeadLetters);
  routes.get("/dead-letters/:id", getDeadLetter);
  routes.post("/dead-letters/requeue", (c) => runSelection(c, "requeueDeadLetters"));
  routes.post("/dead-letters/discard", (c) => runSelection(c, "discardDeadLetters"));
  routes.get("/raw", readRawObject);
  return routes;
}

async function listDeadLetters(c: Call): Promise<Response> {
  const query = validate(listParameters, c.req.query());
  return c.json(unlessRefused(await operate(c, (operations) => operations.listDeadLetters(query))));
}

async function getDeadLetter(c: Call): Promise<Response> {
  const id = validate(letterId, c.req.param("id"));
  return c.json(unlessRefused(await operate(c, (operations) => operations.getDeadLetter(id)), "not_found"));
}

// One page a call; the caller goes on with the answer's cursor.
async function runSelection(c: Call, operation: SelectionOperation): Promise<Response> {
  const selected = validate(selection, await readJson(c));
  const answer: Page<DeadLetterResult> | OperationRefused = await operate(c, (operations) =>
    operations[operation](selected),
  );
  return c.json(unlessRefused(answer));
}

// A stranger's bytes: a browser must save them, never show them.
async function readRawObject(c: Call): Promise<Response> {
  const { key } = validate(rawParameters, c.req.query());
  const found = await operate(c, (operations) => operations.readRawObject(key));
  if (found === undefined) throw new ApiError("not_found", `There is no raw object '${key}'.`);
  const headers = new Headers({
    "content-type": "application/octet-stream",
    "content-disposition": "attachment",
    "x-content-type-options": "nosniff",
  });
  const length = found.headers.get("content-length");
  if (length !== null) headers.set("content-length", length);
  return new Response(found.body, { headers });
}
