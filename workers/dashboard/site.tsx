/**
 * The pages: which path is which, exports of their tables, and errors as pages. Data goes through PageRequest, which
 * carries what the person may see; it holds no SQL and no rendering of its own.
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { domainName } from "../../shared/domain-name.ts";
import { accountsWith } from "../../shared/people.ts";
import { read } from "./api/answers.ts";
import { type ApiContext, operate } from "./api/call.ts";
import script from "./assets/comfort.browser.js";
import icon from "./assets/favicon.svg";
import styles from "./assets/style.css";
import { dayOfSeconds } from "./data/days.ts";
import { streamOf } from "./data/export.ts";
import { askEngine } from "./engine.ts";
import { ApiError } from "./errors.ts";
import { addFromForm, addPage } from "./pages/add-domain.tsx";
import { alertsPage, changeMutes } from "./pages/alerts.tsx";
import { changeChannels, channelsPage } from "./pages/channels.tsx";
import { conflictPage, conflictsPage, decideConflict } from "./pages/conflicts.tsx";
import { changeDeadLetters, deadLetterPage, deadLetterRawFile, deadLettersPage } from "./pages/dead-letters.tsx";
import { domainsPage } from "./pages/domains.tsx";
import { failuresPage } from "./pages/failures.tsx";
import { glossaryPage } from "./pages/glossary.tsx";
import { changeInbound, inboundPage } from "./pages/inbound.tsx";
import { changeJobs, jobsPage } from "./pages/jobs.tsx";
import { operationsPage } from "./pages/operations.tsx";
import { overviewPage } from "./pages/overview.tsx";
import { checkAgain, recordsPage } from "./pages/records.tsx";
import { changeReport, type ReportAddress, reportPage, reportRawFile } from "./pages/report.tsx";
import { reportsPage } from "./pages/reports.tsx";
import { changeSenders, sendersPage } from "./pages/senders.tsx";
import { changeSetup, setupPage } from "./pages/setup.tsx";
import { addressPage, decideAddress, decideSource, sourcePage } from "./pages/source.tsx";
import { sourcesPage } from "./pages/sources.tsx";
import { tlsPage } from "./pages/tls.tsx";
import { worklistPage } from "./pages/worklist.tsx";
import { renderPage } from "./parts/layout.tsx";
import type { PageResult } from "./parts/page.ts";
import { type PageRequest, requirePageRole } from "./parts/request.ts";
import { type ChangePath, changeRoutes, type PagePath, pageRoutes } from "./routes.ts";

type Call = Context<ApiContext>;
type Page = (request: PageRequest, call: Call) => Promise<PageResult | Response>;

const HANDLERS: Record<PagePath, Page> = {
  "/": domainsPage,
  "/add": (request) => addPage(request),
  "/domains/:domain/setup": (request, c) => setupPage(request, domainOf(c)),
  "/domains/:domain": (request, c) => overviewPage(request, domainOf(c)),
  "/domains/:domain/sources": (request, c) => sourcesPage(request, domainOf(c)),
  "/domains/:domain/senders": (request, c) => sendersPage(request, domainOf(c)),
  "/domains/:domain/sources/:source": (request, c) =>
    sourcePage(request, { domain: domainOf(c), source: parameter(c, "source") }),
  "/domains/:domain/addresses/:address": (request, c) =>
    addressPage(request, { domain: domainOf(c), address: parameter(c, "address") }),
  "/domains/:domain/reports": (request, c) => reportsPage(request, domainOf(c)),
  "/domains/:domain/records": (request, c) => recordsPage(request, domainOf(c)),
  "/domains/:domain/inbound": (request, c) => inboundPage(request, domainOf(c)),
  "/domains/:domain/tls": (request, c) => tlsPage(request, domainOf(c)),
  "/domains/:domain/failures": (request, c) => failuresPage(request, domainOf(c)),
  "/reports/:account/:domain/:day/:uid": (request, c) => reportPage(request, reportAddress(c)),
  "/reports/:account/:domain/:day/:uid/raw": (request, c) => reportRawFile(request, reportAddress(c)),
  "/worklist": (request) => worklistPage(request),
  "/alerts": (request) => alertsPage(request),
  "/operations": operationsPage,
  "/operations/dead-letters": deadLettersPage,
  "/operations/dead-letters/:id": (request, c) => deadLetterPage(request, parameter(c, "id")),
  "/operations/dead-letters/:id/raw": (request, c) => deadLetterRawFile(request, parameter(c, "id")),
  "/operations/conflicts": conflictsPage,
  "/operations/conflicts/:id": (request, c) => conflictPage(request, parameter(c, "id")),
  "/operations/jobs": (request) => jobsPage(request),
  "/channels": (request) => channelsPage(request),
  "/glossary": glossaryPage,
};

/**
 * What a form changes; each answers with the page to go to, or with a page that says why it was not done, or asks. That it
 * came from our own pages is checked before.
 */
const FORMS: Record<
  ChangePath,
  (request: PageRequest, form: URLSearchParams, call: Call) => Promise<string | PageResult>
> = {
  "/alerts": changeMutes,
  "/operations/dead-letters": changeDeadLetters,
  "/operations/conflicts": decideConflict,
  "/operations/jobs": changeJobs,
  "/domains/:domain/senders": (request, form, c) => changeSenders(request, form, domainOf(c)),
  "/domains/:domain/sources/:source": (request, form, c) =>
    decideSource(request, form, { domain: domainOf(c), source: parameter(c, "source") }),
  "/domains/:domain/addresses/:address": (request, form, c) =>
    decideAddress(request, form, { domain: domainOf(c), address: parameter(c, "address") }),
  "/add": addFromForm,
  "/channels": changeChannels,
  "/domains/:domain/setup": (request, form, c) => changeSetup(request, form, domainOf(c)),
  "/domains/:domain/records": (request, form, c) => checkAgain(request, form, domainOf(c)),
  "/domains/:domain/inbound": (request, form, c) => changeInbound(request, form, domainOf(c)),
  "/reports/:account/:domain/:day/:uid": (request, form, c) => changeReport(request, form, reportAddress(c)),
};

/** Ours: 500 domains, the longest there are apart, fit. */
const MAX_FORM_BYTES = 64 * 1024;

/** Routes of the pages. */
export function buildSite(): Hono<ApiContext> {
  const site = new Hono<ApiContext>();
  for (const [path, { role }] of pageRoutes()) {
    site.get(path, (c) => {
      requirePageRole(c.get("access"), role);
      return answer(c, HANDLERS[path]);
    });
  }
  for (const [path, { role }] of changeRoutes()) {
    site.post(path, bodyLimit({ maxSize: MAX_FORM_BYTES, onError: formTooLarge }), async (c) => {
      requirePageRole(c.get("access"), role);
      const answer = await FORMS[path](pageRequest(c), new URLSearchParams(await c.req.text()), c);
      if (typeof answer === "string") return c.redirect(answer, 303);
      return c.html(renderPage(answer.content, c.get("access")), answer.status ?? 422);
    });
  }
  return site;
}

function formTooLarge(): never {
  throw new ApiError("too_large", `The form is larger than ${MAX_FORM_BYTES} bytes.`);
}

/** Style, script and icon: the same for everybody, nothing of anybody's. */
export function buildAssets(): Hono<ApiContext> {
  const assets = new Hono<ApiContext>();
  const serve = (path: string, body: string, type: string): void => {
    assets.get(path, (c) =>
      c.body(body, 200, { "content-type": `${type}; charset=utf-8`, "cache-control": "max-age=300" }),
    );
  };
  serve("/style.css", styles, "text/css");
  serve("/comfort.js", script, "text/javascript");
  serve("/favicon.svg", icon, "image/svg+xml");
  return assets;
}

async function answer(c: Call, page: Page): Promise<Response> {
  const request = pageRequest(c);
  const result = await page(request, c);
  if (result instanceof Response) return result;
  const format = request.parameters.get("export");
  if (format !== null) return exportTable(request, result, format);
  return c.html(renderPage(result.content, request.access));
}

function exportTable({ url, parameters }: PageRequest, { tables }: PageResult, format: string): Response {
  if (format !== "csv" && format !== "json") throw new ApiError("bad_request", "export is csv or json.");
  const table = tables.find(({ id }) => id === parameters.get("table"));
  if (table === undefined) throw new ApiError("not_found", "This page has no such table.");
  const type = format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/json";
  const disposition = `attachment; filename="${table.id}.${format}"`;
  return new Response(streamOf(table.export(url, format)), {
    headers: { "content-type": type, "content-disposition": disposition },
  });
}

/** The request as pages see it. */
export function pageRequest(c: Call): PageRequest {
  const url = new URL(c.req.url);
  return {
    url,
    parameters: url.searchParams,
    access: c.get("access"),
    today: dayOfSeconds(Date.now() / 1000),
    databases: c.get("ledger").databases,
    ask: (query, account) => c.get("ledger").ask(query, account),
    askEngine: (query) => askEngine(c.env, query),
    accounts: async () => c.get("access").accounts ?? (await c.get("ledger").accounts()),
    administered: async () =>
      accountsWith(c.get("access").authority, "administrator") ?? (await c.get("ledger").accounts()),
    read: (name, input) => read(c, name, input),
    operate: (name, input) => operate(c, name, input),
    later: (work) => c.executionCtx.waitUntil(work.catch(() => undefined)),
  };
}

function parameter(c: Call, name: string): string {
  return c.req.param(name) ?? "";
}

function domainOf(c: Call): string {
  return domainName(parameter(c, "domain"));
}

function reportAddress(c: Call): ReportAddress {
  const domain = domainOf(c);
  const address = { account: parameter(c, "account"), day: parameter(c, "day"), uid: parameter(c, "uid") };
  // A report without a policy domain has "-" in its link: a link has no empty part.
  return { ...address, domain: domain === "-" ? "" : domain };
}
