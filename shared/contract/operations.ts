/**
 * The one table of the operations of the pipeline, each described once: input, output, role and HTTP route. Those about the
 * pipeline itself, RUA addresses, set-up, tokens and jobs are here; the others are in a file for each subject. The RPC entry
 * point of process, the routes of the dashboard's API and the client derive from it.
 */

import * as v from "valibot";
import { storedCheck } from "../guidance/stored-check.ts";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { PAGE_LIMITS, SETUP_LIMITS, TAG_LIMITS, TOKEN_LIMITS } from "../limits.ts";
import { registryEntry } from "../registry.ts";
import { group, tag } from "../tag.ts";
import { TOKEN_SCOPES, tokenName } from "../tokens.ts";
import { ACCOUNT_OPERATIONS } from "./account-operations.ts";
import { DELIVERY_OPERATIONS } from "./delivery-operations.ts";
import { DOMAIN_OPERATIONS } from "./domain-operations.ts";
import { outcomeHistory } from "./domain-shapes.ts";
import {
  account,
  countBetween,
  cursor,
  day,
  domain,
  id,
  idInput,
  mailAddress,
  nothing,
  objectKey,
  pageFields,
  truth,
} from "./fields.ts";
import { get, type Operation, post, put, remove } from "./operation.ts";
import { PROBLEM_CODES } from "./problems.ts";
import { REPORT_OPERATIONS } from "./report-operations.ts";
import { SENDER_OPERATIONS } from "./sender-operations.ts";
import * as shapes from "./shapes.ts";
import { WATCH_OPERATIONS } from "./watch-operations.ts";

// Strict objects throughout: a misspelt field of a filter would mean "everything".
const ruaInput = v.strictObject({ rua: mailAddress });
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
/** A domain as typed: the operation says what is wrong with it. */
const typedDomain = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1000));
const domainOfAccount = v.strictObject({ account, domain: typedDomain });
/** "" = all accounts, for operators. */
const tokenAccount = v.pipe(v.string(), v.maxLength(64));

const described = {
  describeProblem: {
    summary: "What a problem code means",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/problems/:code"),
    input: v.strictObject({ code: v.picklist(PROBLEM_CODES) }),
    output: v.object({ code: v.picklist(PROBLEM_CODES), title: v.string(), status: v.number() }),
  },
  status: {
    summary: "What is waiting in the queues, what is pending, and the outcomes of the last week",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/status"),
    input: nothing,
    output: shapes.status,
  },
  pipelineStatus: {
    summary: "What is waiting in the queues and what is pending",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: undefined,
    input: nothing,
    output: shapes.pipelineStatus,
  },
  activity: {
    summary: "What the pipeline did in the last five minutes, hour, day and week",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/activity"),
    input: nothing,
    output: shapes.listOf(shapes.activity),
  },
  outcomeHistory: {
    summary: "Outcomes and processing times of reports in a period, by day, or by hour of a single day",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/outcomes"),
    /** 30 days by default. */
    input: v.strictObject({ from: v.optional(day), to: v.optional(day) }),
    output: outcomeHistory,
    example: { from: "2026-11-20", to: "2026-11-20" },
  },
  stats: {
    summary: "Sums over the accepted reports, of all or of one domain or account",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/stats"),
    input: v.strictObject({ domain: v.optional(domain), account: v.optional(account) }),
    output: shapes.stats,
  },
  domainDays: {
    summary: "Sums of one kind of reports by domain and day, as the ledger has them",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/domain-days"),
    input: v.strictObject({
      kind: v.picklist(REPORT_KINDS),
      from: day,
      to: day,
      domain: v.optional(domain),
      account: v.optional(account),
      ...pageFields(PAGE_LIMITS.domainDays),
    }),
    output: shapes.domainDays,
  },
  verdict: {
    summary: "Whether p=reject is safe for a domain, what it would hit, and what to publish next",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/verdicts/:domain"),
    /** Without days: the last 30. */
    input: v.strictObject({ domain, from: v.optional(day), to: v.optional(day) }),
    output: shapes.verdict,
  },
  senders: {
    summary: "Who sends in a domain's name: whose each sender is, what was decided about it, and what is suggested",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/senders/:domain"),
    /** Without days: the last 30. */
    input: v.strictObject({
      domain,
      from: v.optional(day),
      to: v.optional(day),
      /** Only those that the owner has to decide about. */
      undecided: v.optional(truth),
      ...pageFields(PAGE_LIMITS.listed),
    }),
    output: shapes.senders,
  },
  ...DOMAIN_OPERATIONS,
  query: {
    summary: "Sends a statement to Analytics Engine and returns its answer unchanged",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "POST", path: "/query", place: { text: "sql" }, status: 200, answer: "text" },
    input: v.strictObject({
      sql: v.string(),
      format: v.optional(v.picklist(["json", "jsoneachrow", "tsv"])),
    }),
    output: v.string(),
  },

  refusedMail: {
    summary: "Mail refused because its address is not registered, by address, most mails first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/refused-mail"),
    input: v.strictObject({ from: v.optional(day), to: v.optional(day) }),
    output: shapes.listOf(shapes.refusedAddress),
  },

  listRegistrations: {
    summary: "The addresses that may receive reports",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/registry"),
    input: nothing,
    output: shapes.listOf(shapes.registration),
  },
  getRegistration: {
    summary: "One address",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/registry/:rua"),
    input: ruaInput,
    output: shapes.registration,
  },
  addRegistration: {
    summary: "Registers a new address; never changes an existing one",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/registry"),
    input: v.strictObject({ rua: mailAddress, entry: registryEntry }),
    output: shapes.registration,
  },
  putRegistration: {
    summary: "Registers an address, or changes what is registered",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/registry/:rua",
      place: { json: "field", field: "entry" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ rua: mailAddress, entry: registryEntry }),
    output: shapes.registration,
  },
  restoreRegistrations: {
    summary: "Registers addresses again from their copies in KV, a page at a time, after the database was lost",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/registry/restore",
      place: { json: "fields", optional: true },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ cursor: v.optional(cursor) }),
    output: v.object({
      /** Copies looked at, and those that were not registered. */
      found: v.number(),
      restored: v.number(),
      /** Absent on the last page. */
      cursor: v.optional(v.string()),
    }),
  },
  health: {
    summary: "Whether the ledger and KV answer, and what is waiting in the queues",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: undefined,
    input: nothing,
    output: shapes.health,
  },
  removeRegistration: {
    summary: "Removes an address; its mail is rejected from then on",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: remove("/registry/:rua"),
    input: ruaInput,
    output: v.undefined(),
  },

  ...ACCOUNT_OPERATIONS,
  ...REPORT_OPERATIONS,
  checkDomain: {
    summary: "Checks what a domain publishes about its mail, now, and keeps what was found",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/domains/:account/:domain/check",
      place: "query",
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ account, domain }),
    output: storedCheck,
  },

  addingDomains: {
    summary: "Where addresses for the reports of new domains are made",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: undefined,
    input: nothing,
    /** "" = nowhere: the address has to be given when a domain is added. */
    output: v.object({ ruaHost: v.string() }),
  },
  addDomain: {
    summary: "Registers an address for a domain's reports, a new one or the given one, and says what to publish",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/domains"),
    input: v.strictObject({ account, domain: typedDomain, rua: v.optional(mailAddress) }),
    output: shapes.addedDomain,
  },
  addDomains: {
    summary: "Adds a list of domains, with a result for each; does not query DNS",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/domains/list"),
    input: v.strictObject({
      account,
      domains: v.pipe(v.array(typedDomain), v.minLength(1), v.maxLength(SETUP_LIMITS.addedAtOnce)),
      rua: v.optional(mailAddress),
    }),
    output: shapes.listOf(shapes.addedLine),
  },
  tagDomains: {
    summary: "Adds tags to domains of an account and removes others, with a result for each domain",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/tags"),
    input: v.strictObject({
      account,
      domains: v.pipe(v.array(domain), v.minLength(1), v.maxLength(TAG_LIMITS.domainsAtOnce)),
      add: v.optional(v.pipe(v.array(tag), v.maxLength(TAG_LIMITS.perDomain))),
      remove: v.optional(v.pipe(v.array(tag), v.maxLength(TAG_LIMITS.perDomain))),
    }),
    output: shapes.listOf(v.object({ domain: v.string(), tags: v.array(v.string()), problem: v.optional(v.string()) })),
  },
  listTags: {
    summary: "Domains with tags, of all accounts or of one; with a tag only domains with this tag",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/tags"),
    input: v.strictObject({ account: v.optional(account), tag: v.optional(tag) }),
    output: shapes.listOf(v.object({ account: v.string(), domain: v.string(), tags: v.array(v.string()) })),
  },
  setAccountGroup: {
    summary: "Puts an account into a group of accounts; an empty name removes it from its group",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: put("/accounts/:account/group"),
    input: v.strictObject({ account, group }),
    output: v.object({ account: v.string(), group: v.string() }),
  },
  listAccountGroups: {
    summary: "Accounts that are in a group",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/account-groups"),
    input: nothing,
    output: shapes.listOf(v.object({ account: v.string(), group: v.string() })),
  },
  domainSetup: {
    summary: "The progress of an added domain, from the record to publish to its first report",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: get("/domains/:account/:domain/setup"),
    input: domainOfAccount,
    output: shapes.addedDomain,
  },
  removeDomain: {
    summary: "Removes a domain, and an address that only it uses, from the registry; its reports stay",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/domains/:account/:domain", place: "query", status: 200, answer: "json" },
    input: domainOfAccount,
    /** isAddressRemoved: mail to it is rejected from now on; false = it takes reports of other domains, too. */
    output: v.object({ rua: v.string(), isAddressRemoved: v.boolean() }),
  },
  ...DELIVERY_OPERATIONS,
  listTokens: {
    summary: "API tokens of the accounts that the person administers, without their secrets",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/tokens"),
    input: v.strictObject({ account: v.optional(tokenAccount), ...pageFields(PAGE_LIMITS.tokens) }),
    output: shapes.pageOf(shapes.token),
  },
  createToken: {
    summary: "Creates a token; its secret is returned only here",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/tokens"),
    input: v.strictObject({
      account: tokenAccount,
      name: tokenName,
      scope: v.picklist(TOKEN_SCOPES),
      /** Absent = it never expires. */
      expiresInDays: v.optional(countBetween(1, TOKEN_LIMITS.maxDays)),
    }),
    output: v.object({ ...shapes.token.entries, secret: v.string() }),
  },
  revokeToken: {
    summary: "Revokes a token",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/tokens/:id", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: tokenAccount, id }),
    output: shapes.token,
  },
  noteTokenUse: {
    summary: "Records that a token was used, at most once an hour",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: idInput,
    output: v.undefined(),
  },
  ...SENDER_OPERATIONS,
  ...WATCH_OPERATIONS,
  startReprocess: {
    summary: "Reprocesses raw objects, a page a message; without a filter all of them",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/reprocess",
      place: { json: "fields", optional: true },
      status: 202,
      answer: "json",
    },
    input: jobRequest,
    output: shapes.job,
  },
  startReconcile: {
    summary: "Enqueues raw objects that are still pending; takes days only",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/reconcile",
      place: { json: "fields", optional: true },
      status: 202,
      answer: "json",
    },
    input: jobRequest,
    output: shapes.job,
  },
  exportAccount: {
    summary: "All data of an account, a part at a time: rows of the ledger, then raw objects; secrets are left out",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: get("/accounts/:account/export"),
    input: v.strictObject({ account, cursor: v.optional(cursor) }),
    output: shapes.accountExport,
  },
  forgetAccount: {
    summary: "Forgets an account: a job removes its addresses, raw objects and rows, which cannot be undone",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/accounts/:account/forget",
      place: { json: "fields" },
      status: 202,
      answer: "json",
    },
    input: v.strictObject({
      account,
      /** The account once more. */
      confirm: account,
    }),
    output: shapes.job,
  },
  cancelJob: {
    summary: "Stops a job; what it has enqueued and is not processed yet is skipped, and counted",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/jobs/:id/cancel", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: shapes.job,
  },
  listJobs: {
    summary: "The newest jobs, newest first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/jobs"),
    input: nothing,
    output: shapes.listOf(shapes.job),
  },
  getJob: {
    summary: "One job",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/jobs/:id"),
    input: idInput,
    output: shapes.job,
  },
} as const;

type Described = typeof described;

export type OperationName = keyof Described;

/** The validated input of each operation. */
export type Inputs = { [Name in OperationName]: v.InferOutput<Described[Name]["input"]> };

/** The output of each operation. */
export type Outputs = { [Name in OperationName]: v.InferOutput<Described[Name]["output"]> };

type AnsweredBy<ObjectHome extends "process" | "dashboard"> = {
  [Name in OperationName]: Described[Name]["answeredBy"] extends ObjectHome ? Name : never;
}[OperationName];

/** Operations answered by process, by RPC. */
export type ProcessOperation = AnsweredBy<"process">;

/** Operations the dashboard answers from the ledger and Analytics Engine. */
export type DashboardOperation = AnsweredBy<"dashboard">;

/** Paged operations: `cursor` in, `items` and `cursor` out. */
export type PagedOperation = {
  [Name in OperationName]: "cursor" extends keyof Inputs[Name]
    ? Outputs[Name] extends { items: unknown[] }
      ? Name
      : never
    : never;
}[OperationName];

/** The table. */
export const OPERATIONS: { readonly [Name in OperationName]: Operation<Inputs[Name], Outputs[Name]> } = described;

/** The names of all operations. */
export const OPERATION_NAMES = Object.keys(described) as OperationName[];

/** What pages and schedules do by themselves: no person decided it, and it would bury the rest. */
const NOT_AUDITED = new Set<OperationName>(["nameAddresses", "noteSeen", "runSchedule"]);

/** The operations that are written to the audit log: those that change something. */
export const AUDITED_OPERATIONS = OPERATION_NAMES.filter((name) => OPERATIONS[name].changes && !NOT_AUDITED.has(name));
