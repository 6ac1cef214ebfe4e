/**
 * Dashboard Worker, fetch(): a shell. Decides who may ask, hands the rest to the API, sets the headers every answer
 * carries. It holds no data bindings.
 */
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { type ApiContext, buildApi } from "./api.ts";
import { identify } from "./auth.ts";
import type { DashboardEnv } from "./environment.ts";
import { ApiError, answerError } from "./errors.ts";

const app = new Hono<ApiContext>();
app.use(
  secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
  }),
);
app.use(async (c, next) => {
  await next();
  // Figures and addresses belong to one reader: no cache keeps them.
  c.header("cache-control", "no-store");
});
app.use(async (c, next) => {
  const { ACCESS, API_TOKEN } = c.env;
  const identity = await identify({ request: c.req.raw, access: ACCESS, apiToken: API_TOKEN });
  if (!identity.ok) throw new ApiError("forbidden", identity.error);
  c.set("identity", identity.value);
  await next();
});
app.route("/api/v1", buildApi());
app.notFound((c) => answerError(new ApiError("not_found", `There is no ${c.req.path}; the API is under /api/v1.`)));
app.onError(answerError);

export default {
  fetch(request, env, ctx) {
    return app.fetch(request, { ...env, ACCESS: ctx.access }, ctx);
  },
} satisfies ExportedHandler<DashboardEnv>;
