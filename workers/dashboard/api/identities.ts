/** /identities: which person may see which accounts. */
import { Hono } from "hono";
import * as v from "valibot";
import { viewerEntry } from "../../../shared/viewers.ts";
import { ApiError } from "../errors.ts";
import { type ApiContext, type Call, operate, readJson, unlessRefused, validate } from "./call.ts";

const emailParameter = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^[^\s@]+@[^\s@]+$/, "not a mail address"),
  v.maxLength(400),
);

/** Builds the routes. */
export function identityRoutes(): Hono<ApiContext> {
  const routes = new Hono<ApiContext>();
  routes.get("/identities", async (c) => c.json({ items: await operate(c, (o) => o.listViewers()) }));
  routes.get("/identities/:email", getIdentity);
  routes.put("/identities/:email", putIdentity);
  routes.delete("/identities/:email", removeIdentity);
  return routes;
}

async function getIdentity(c: Call): Promise<Response> {
  const email = readEmail(c);
  const viewer = await operate(c, (operations) => operations.getViewer(email));
  if (viewer === undefined) throw new ApiError("not_found", `'${email}' may not see anything.`);
  return c.json(viewer);
}

async function putIdentity(c: Call): Promise<Response> {
  const email = readEmail(c);
  const entry = validate(viewerEntry, await readJson(c));
  return c.json(unlessRefused(await operate(c, (operations) => operations.putViewer(email, entry))));
}

async function removeIdentity(c: Call): Promise<Response> {
  const email = readEmail(c);
  await operate(c, (operations) => operations.removeViewer(email));
  return c.body(null, 204);
}

function readEmail(c: Call): string {
  return validate(emailParameter, c.req.param("email"));
}
