/** /registry: the addresses that may receive reports. */
import { Hono } from "hono";
import * as v from "valibot";
import { registryEntry } from "../../../shared/registry.ts";
import { ApiError } from "../errors.ts";
import { type ApiContext, type Call, operate, readJson, unlessRefused, validate } from "./call.ts";

const ruaParameter = v.pipe(v.string(), v.trim(), v.regex(/^[^\s@]+@[^\s@]+$/, "not a mail address"), v.maxLength(400));

/** Builds the routes. */
export function registryRoutes(): Hono<ApiContext> {
  const routes = new Hono<ApiContext>();
  routes.get("/registry", async (c) => c.json({ items: await operate(c, (o) => o.listRegistrations()) }));
  routes.get("/registry/:rua", getRegistration);
  routes.put("/registry/:rua", putRegistration);
  routes.delete("/registry/:rua", removeRegistration);
  return routes;
}

async function getRegistration(c: Call): Promise<Response> {
  const rua = readRua(c);
  const registration = await operate(c, (operations) => operations.getRegistration(rua));
  if (registration === undefined) throw new ApiError("not_found", `'${rua}' is not registered.`);
  return c.json(registration);
}

async function putRegistration(c: Call): Promise<Response> {
  const rua = readRua(c);
  const entry = validate(registryEntry, await readJson(c));
  return c.json(unlessRefused(await operate(c, (operations) => operations.putRegistration(rua, entry))));
}

async function removeRegistration(c: Call): Promise<Response> {
  const rua = readRua(c);
  await operate(c, (operations) => operations.removeRegistration(rua));
  return c.body(null, 204);
}

function readRua(c: Call): string {
  return validate(ruaParameter, c.req.param("rua"));
}
