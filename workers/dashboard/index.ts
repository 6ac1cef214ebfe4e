/**
 * Dashboard Worker, fetch(): a shell. Decides who may ask and what they may see, hands the rest to the API and the pages,
 * sets the headers every answer carries. It reads the ledger and changes nothing in it.
 */
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { accountHeadQuery } from "../../shared/ledger/accounts.ts";
import { shardsOf } from "../../shared/ledger/shards.ts";
import { type Access, findAccess } from "./access.ts";
import { Admission } from "./admission.ts";
import { callProcess, noteTokenUse } from "./api/call.ts";
import { type ApiContext, buildApi } from "./api.ts";
import { identify, sameSecret } from "./auth.ts";
import { type DashboardEnv, resourcePrefix } from "./environment.ts";
import { ApiError, answerError, describeError, retryHeaders } from "./errors.ts";
import { HealthCheck, healthResponse } from "./health.ts";
import { LedgerReader } from "./ledger.ts";
import { answerPolicy, isPolicyHost, isPolicyRequest, noPolicy } from "./mta-sts.ts";
import { buildConfirm, readConfirmation } from "./pages/confirm.tsx";
import { renderError } from "./pages/error.tsx";
import { buildAssets, buildSite } from "./site.tsx";
import { viewedAccess } from "./view-as.ts";

/** Browser features that these pages do not use, whatever gets into them. */
const BROWSER_FEATURES = [
  "accelerometer",
  "autoplay",
  "browsingTopics",
  "camera",
  "clipboardRead",
  "computePressure",
  "crossOriginIsolated",
  "displayCapture",
  "encryptedMedia",
  "fullscreen",
  "gamepad",
  "geolocation",
  "gyroscope",
  "hid",
  "identityCredentialsGet",
  "idleDetection",
  "keyboardMap",
  "localFonts",
  "magnetometer",
  "microphone",
  "midi",
  "otpCredentials",
  "payment",
  "pictureInPicture",
  "publickeyCredentialsGet",
  "screenWakeLock",
  "serial",
  "storageAccess",
  "syncXhr",
  "usb",
  "windowManagement",
  "xrSpatialTracking",
] as const;

/** Of this isolate. */
const admission = new Admission();
const health = new HealthCheck();
const app = new Hono<ApiContext>();
app.use(
  secureHeaders({
    // Everything shown is untrusted: only our own files may run, load or be sent to.
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
    permissionsPolicy: {
      ...Object.fromEntries(BROWSER_FEATURES.map((name) => [name, []])),
      // Buttons copy records to publish.
      clipboardWrite: ["self"],
    },
    referrerPolicy: "same-origin",
    xFrameOptions: "DENY",
  }),
);
app.use(async (c, next) => {
  await next();
  // Figures and addresses are for one reader: no cache may keep them.
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
});
app.use(async (c, next) => {
  const { WORKERS_SECRET } = c.env;
  // On one machine the development server behind `npm start` can be reached by others, who must not be its developer.
  if (
    WORKERS_SECRET !== undefined &&
    !(await sameSecret(c.req.header("x-dmarc-workers-secret") ?? "", WORKERS_SECRET))
  ) {
    throw new ApiError("forbidden", "This is not the dashboard's address: use the link that npm start printed.");
  }
  await next();
});
// Decided by host and path alone, before anybody is asked who they are: at such a host there is nothing else.
app.use(async (c, next) => {
  const url = new URL(c.req.url);
  if (isPolicyHost(url) && !isPolicyRequest(url, c.req.method)) return noPolicy();
  await next();
});
app.route("/assets", buildAssets());
app.use("/confirm", ...readConfirmation);
app.use(async (_, next) => {
  const release = admission.enter(Date.now());
  try {
    await next();
  } finally {
    release();
  }
});
app.get("/health", async (c) => healthResponse(await health.read(c.env.PROCESS, Date.now())));
app.use(async (c, next) => {
  const ledger = new LedgerReader(shardsOf(c.env));
  c.set("ledger", ledger);
  await next();
  const { statements, rowsRead } = ledger.cost;
  c.header("server-timing", `ledger;desc="${statements} statements, ${rowsRead} rows read"`);
});
app.use(async (c, next) => {
  const url = new URL(c.req.url);
  if (isPolicyHost(url)) return answerPolicy(url, c.get("ledger"));
  await next();
});
app.route("/confirm", buildConfirm());
app.use(async (c, next) => {
  const { ACCESS, API_TOKEN } = c.env;
  const identity = await identify({ request: c.req.raw, access: ACCESS, apiToken: API_TOKEN });
  if (!identity.ok) throw new ApiError("forbidden", identity.error);
  const found = await findAccess(identity.value, c.get("ledger"), Math.floor(Date.now() / 1000));
  if (found.isFirst) {
    const { name, authority } = found;
    c.executionCtx.waitUntil(callProcess(c, "noteSeen", {}, { name, authority }).catch(() => undefined));
  }
  const access = viewedAccess(c, found);
  c.set("access", { ...access, ...(await headOf(access, c.get("ledger"))) });
  if (found.tokenToNote !== undefined) c.executionCtx.waitUntil(noteTokenUse(c, found.tokenToNote));
  await next();
});
app.route("/api/v1", buildApi());
app.route("/", buildSite());
app.notFound((c) => fail(c, new ApiError("not_found", `There is no ${c.req.path}; the API is under /api/v1.`)));
app.onError((error, c) => fail(c, error));

// A browser says that it takes HTML; a program that does not gets JSON.
function fail(c: Context<ApiContext>, error: unknown): Response | Promise<Response> {
  const wantsPage = !c.req.path.startsWith("/api/") && (c.req.header("accept") ?? "").includes("text/html");
  if (!wantsPage) return answerError(error, c.req.url);
  const answer = describeError(error);
  return c.html(
    renderError({ ...answer, isForm: c.req.method === "POST", prefix: resourcePrefix(c.env) }, c.get("access")),
    answer.status,
    retryHeaders(answer),
  );
}

/**
 * Asks the databases of the person's accounts only from now on. @returns what the page's head shows of a person's only
 * account
 */
async function headOf({ accounts }: Access, ledger: LedgerReader): Promise<Pick<Access, "head">> {
  if (accounts === undefined) return {};
  const [only, ...others] = accounts;
  const [[head]] = await Promise.all([
    only === undefined || others.length > 0 ? [] : ledger.askDirectory(accountHeadQuery(only)),
    ledger.limitTo(accounts),
  ]);
  return head === undefined ? {} : { head };
}

export default {
  fetch(request, env, ctx) {
    return app.fetch(request, { ...env, ACCESS: ctx.access }, ctx);
  },
} satisfies ExportedHandler<DashboardEnv>;
