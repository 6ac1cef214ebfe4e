/**
 * The pages: which path is which, exports of their tables, and errors as pages. Data goes through PageRequest, which
 * carries what the person may see; it contains no SQL and no rendering.
 */

import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { encodeBase64 } from "../../shared/base64.ts";
import { domainName } from "../../shared/domain-name.ts";
import { ACCOUNT_LIMITS } from "../../shared/limits.ts";
import { accountsWith } from "../../shared/people.ts";
import { read } from "./api/answers.ts";
import type { ApiContext } from "./api/call.ts";
import { ledgerRequest } from "./api/ledger-request.ts";
import script from "./assets/comfort.browser.js";
import icon from "./assets/favicon.svg";
import styles from "./assets/style.css";
import { streamOf } from "./data/export.ts";
import type { ReportAddress } from "./data/find-report.ts";
import { askEngine } from "./engine.ts";
import { resourcePrefix } from "./environment.ts";
import { ApiError } from "./errors.ts";
import { accountLogo, accountPage, changeAccount } from "./pages/account.tsx";
import { accountReportPage } from "./pages/account-report.tsx";
import { accountsPage, createFromForm } from "./pages/accounts.tsx";
import { addFromForm, addPage } from "./pages/add-domain.tsx";
import { alertsPage, changeMutes } from "./pages/alerts.tsx";
import { auditPage } from "./pages/audit.tsx";
import { changeChannels, channelsPage } from "./pages/channels.tsx";
import { conflictPage, conflictsPage, decideConflict } from "./pages/conflicts.tsx";
import { deadLetterPage, deadLetterRawFile } from "./pages/dead-letter.tsx";
import { changeDeadLetters } from "./pages/dead-letter-changes.ts";
import { deadLettersPage } from "./pages/dead-letters.tsx";
import { domainReportPage } from "./pages/domain-report.tsx";
import { domainsPage } from "./pages/domains.tsx";
import { failuresPage } from "./pages/failures.tsx";
import { changeForwarding, forwardingPage } from "./pages/forwarding.tsx";
import { glossaryPage } from "./pages/glossary.tsx";
import { importFromForm, importPage } from "./pages/import.tsx";
import { changeInbound, inboundPage } from "./pages/inbound.tsx";
import { changeJobs, jobsPage } from "./pages/jobs.tsx";
import { operationsPage } from "./pages/operations.tsx";
import { overviewPage } from "./pages/overview.tsx";
import { checkAgain, recordsPage } from "./pages/records.tsx";
import { changeReport, reportPage, reportRawFile } from "./pages/report.tsx";
import { reportsPage } from "./pages/reports.tsx";
import { changeSenders, sendersPage } from "./pages/senders.tsx";
import { changeSetup, setupPage } from "./pages/setup.tsx";
import { addressPage, decideAddress, decideSource, sourcePage } from "./pages/source.tsx";
import { sourcesPage } from "./pages/sources.tsx";
import { changeTagsByForm, tagsPage } from "./pages/tags.tsx";
import { tlsPage } from "./pages/tls.tsx";
import { changeTokens, tokensPage } from "./pages/tokens.tsx";
import { worklistPage } from "./pages/worklist.tsx";
import { accountPath } from "./parts/accounts-frame.tsx";
import { renderPage } from "./parts/layout.tsx";
import type { PageResult } from "./parts/page.ts";
import { type PageRequest, requirePageRole } from "./parts/page-request.ts";
import { takeDone } from "./parts/said-note.tsx";
import { type ChangePath, changeRoutes, type PagePath, pageRoutes } from "./routes.ts";
import { viewAs } from "./view-as.ts";

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
  "/domains/:domain/report": (request, c) => domainReportPage(request, domainOf(c)),
  "/report": accountReportPage,
  "/domains/:domain/tls": (request, c) => tlsPage(request, domainOf(c)),
  "/domains/:domain/failures": (request, c) => failuresPage(request, domainOf(c)),
  "/reports/:account/:domain/:day/:uid": (request, c) => reportPage(request, reportAddress(c)),
  "/reports/:account/:domain/:day/:uid/raw": (request, c) => reportRawFile(request, reportAddress(c)),
  "/tags": (request) => tagsPage(request),
  "/worklist": (request) => worklistPage(request),
  "/alerts": (request) => alertsPage(request),
  "/operations": operationsPage,
  "/operations/dead-letters": (request) => deadLettersPage(request),
  "/operations/dead-letters/:id": (request, c) => deadLetterPage(request, parameter(c, "id")),
  "/operations/dead-letters/:id/raw": (request, c) => deadLetterRawFile(request, parameter(c, "id")),
  "/operations/conflicts": conflictsPage,
  "/operations/conflicts/:id": (request, c) => conflictPage(request, parameter(c, "id")),
  "/operations/jobs": (request) => jobsPage(request),
  "/operations/forwarding": (request) => forwardingPage(request),
  "/channels": (request) => channelsPage(request),
  "/accounts": (request) => accountsPage(request),
  "/accounts/:account": (request, c) => accountPage(request, parameter(c, "account")),
  "/accounts/:account/logo": (request, c) => accountLogo(request, parameter(c, "account")),
  "/audit": (request) => auditPage(request),
  "/import": async (request) => importPage(request),
  "/tokens": (request) => tokensPage(request),
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
  "/operations/forwarding": changeForwarding,
  "/domains/:domain/senders": (request, form, c) => changeSenders(request, form, domainOf(c)),
  "/domains/:domain/sources/:source": (request, form, c) =>
    decideSource(request, form, { domain: domainOf(c), source: parameter(c, "source") }),
  "/domains/:domain/addresses/:address": (request, form, c) =>
    decideAddress(request, form, { domain: domainOf(c), address: parameter(c, "address") }),
  "/add": addFromForm,
  "/tags": changeTagsByForm,
  "/channels": changeChannels,
  "/accounts": createFromForm,
  "/accounts/:account": (request, form, c) => changeAccount(request, form, parameter(c, "account")),
  "/import": importFromForm,
  "/tokens": changeTokens,
  "/domains/:domain/setup": (request, form, c) => changeSetup(request, form, domainOf(c)),
  "/domains/:domain/records": (request, form, c) => checkAgain(request, form, domainOf(c)),
  "/domains/:domain/inbound": (request, form, c) => changeInbound(request, form, domainOf(c)),
  "/reports/:account/:domain/:day/:uid": (request, form, c) => changeReport(request, form, reportAddress(c)),
};

/** Ours: 500 domains fit, unless they are the longest possible. */
const MAX_FORM_BYTES = 64 * 1024;
/** Those of forms that files are sent with: a logo; an import's lines. */
const MAX_FILE_BYTES: Partial<Record<ChangePath, number>> = {
  "/accounts/:account": ACCOUNT_LIMITS.logoBytes + MAX_FORM_BYTES,
  "/import": ACCOUNT_LIMITS.importBytes + MAX_FORM_BYTES,
};

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
    const maxSize = MAX_FILE_BYTES[path] ?? MAX_FORM_BYTES;
    site.post(path, bodyLimit({ maxSize, onError: () => formTooLarge(maxSize) }), async (c) => {
      requirePageRole(c.get("access"), role);
      const answer = await FORMS[path](pageRequest(c), await readForm(c), c);
      if (typeof answer === "string") return c.redirect(answer, 303);
      return c.html(renderPage(answer.content, c.get("access")), answer.status ?? 422);
    });
  }
  site.post(
    VIEW_AS_PATH,
    bodyLimit({ maxSize: MAX_FORM_BYTES, onError: () => formTooLarge(MAX_FORM_BYTES) }),
    async (c) => c.redirect(await changeView(c, await readForm(c)), 303),
  );
  return site;
}

function formTooLarge(bytes: number): never {
  throw new ApiError("too_large", `The form is larger than ${bytes} bytes.`);
}

/** The fields of a form; of a file its bytes, base64, and "" where none was chosen. */
async function readForm(c: Call): Promise<URLSearchParams> {
  const type = c.req.header("content-type") ?? "";
  if (!type.startsWith("multipart/form-data")) return new URLSearchParams(await c.req.text());
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(await c.req.parseBody().catch(refuseForm))) {
    if (value instanceof File) fields.set(name, encodeBase64(new Uint8Array(await value.arrayBuffer())));
    else if (typeof value === "string") fields.set(name, value);
  }
  return fields;
}

function refuseForm(error: unknown): never {
  throw error instanceof TypeError ? new ApiError("bad_request", "The form is no valid multipart/form-data.") : error;
}

/** Where an operator's form to view as an account is sent, and the one that leaves. */
const VIEW_AS_PATH = "/view-as";

/** @returns the page to go to. @throws ApiError when it is no operator who asks, or there is no such account */
async function changeView(c: Call, form: URLSearchParams): Promise<string> {
  const { role, viewingAs } = c.get("access");
  if (form.get("action") === "leave") {
    viewAs(c, undefined);
    return viewingAs === undefined ? "/accounts" : accountPath(viewingAs);
  }
  if (role !== "operator") throw new ApiError("forbidden", "This is for operators.");
  const { account } = await read(c, "getAccount", { account: form.get("account") ?? "" });
  viewAs(c, account);
  return "/";
}

/** Style, script and icon: the same for everybody, without anybody's data. */
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
  const done = takeDone(request.url);
  const result = await page(request, c);
  if (result instanceof Response) return result;
  const format = request.parameters.get("export");
  if (format !== null) return exportTable(request, result, format);
  return c.html(renderPage({ ...result.content, done }, request.access));
}

function exportTable({ url, parameters }: PageRequest, { tables }: PageResult, format: string): Response {
  if (format !== "csv" && format !== "json") throw new ApiError("bad_request", "export must be csv or json.");
  const table = tables.find(({ id }) => id === parameters.get("table"));
  if (table === undefined) throw new ApiError("not_found", "This page has no such table.");
  const type = format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/json";
  const disposition = `attachment; filename="${table.id}.${format}"`;
  return new Response(streamOf(table.export(url, format)), {
    headers: { "content-type": type, "content-disposition": disposition },
  });
}

/** The request as pages see it. */
function pageRequest(c: Call): PageRequest {
  const url = new URL(c.req.url);
  return {
    ...ledgerRequest(c),
    url,
    parameters: url.searchParams,
    prefix: resourcePrefix(c.env),
    askEngine: (query) => askEngine(c.env, query),
    administered: async () =>
      accountsWith(c.get("access").authority, "administrator") ?? (await c.get("ledger").accounts()),
    read: (name, input) => read(c, name, input),
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
