/** Operations that answer what pages of domains show: lists, figures, reports, sources, checks. All are read from the ledger. */
import * as v from "valibot";
import { SENDER_STATES } from "../authentication/sender-state.ts";
import { ROLES } from "../guidance/roles.ts";
import { storedCheck } from "../guidance/stored-check.ts";
import { POLICY_STEPS } from "../guidance/what-if.ts";
import { DOMAIN_ORDERS } from "../ledger/domains.ts";
import { REPORT_ORDERS } from "../ledger/report-list.ts";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { SOURCE_GROUPINGS } from "../ledger/source-groups.ts";
import { PAGE_LIMITS } from "../limits.ts";
import { tag } from "../tag.ts";
import * as shapes from "./domain-shapes.ts";
import { account, day, domain, month, pageFields, REPORT_PATH, reportName, truth } from "./fields.ts";
import { get } from "./operation.ts";
import { reporterList, reportHeader, reportPage } from "./report-shapes.ts";
import { decisionList, hitPage, sourceDetails, sourceGroupPage, sourcePage } from "./source-shapes.ts";

/** Without days: the last 30. Without an account: of all that one may see. */
const ofDomain = { domain, account: v.optional(account), from: v.optional(day), to: v.optional(day) };
const text = v.optional(v.pipe(v.string(), v.trim(), v.maxLength(253)));
const source = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(253));
const group = v.optional(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100)));
const page = pageFields(PAGE_LIMITS.listed);

/** What all of them have in common. */
const read = { role: "viewer", changes: false, answeredBy: "dashboard" } as const;

export const DOMAIN_OPERATIONS = {
  listDomains: {
    ...read,
    summary:
      "Domains that are registered or have reports in a period: status, messages, policy; those that need attention first",
    http: get("/domains"),
    input: v.strictObject({
      account: v.optional(account),
      /** Of the accounts of this group alone. */
      group,
      status: v.optional(v.picklist(shapes.LISTED_STATUSES)),
      tag: v.optional(tag),
      policy: v.optional(v.picklist(["none", "quarantine", "reject"])),
      /** Part of the name, the policy or the account. */
      text,
      from: v.optional(day),
      to: v.optional(day),
      /** `status` by default: domains that need attention first. */
      order: v.optional(v.picklist(DOMAIN_ORDERS)),
      descending: v.optional(truth),
      ...page,
    }),
    output: shapes.domainPage,
    example: { status: "notYet", tag: "newsletter", limit: 100 },
  },
  otherDomains: {
    ...read,
    summary: "Domains with TLS or failure reports in a period and no aggregate report, such as mail servers",
    http: get("/other-domains"),
    input: v.strictObject({ account: v.optional(account), group, from: v.optional(day), to: v.optional(day) }),
    output: shapes.otherDomains,
    example: { from: "2026-11-01", to: "2026-11-30" },
  },
  domainOverview: {
    ...read,
    summary: "Figures of a domain over a period: by day, dispositions, overrides, policies, and what changed",
    http: get("/overviews/:domain"),
    input: v.strictObject(ofDomain),
    output: shapes.domainOverview,
    example: { domain: "acme.example", from: "2026-11-01", to: "2026-11-30" },
  },
  listReports: {
    ...read,
    summary: "Accepted reports about a domain over a period, aggregate reports by default",
    http: get("/reports/:domain"),
    input: v.strictObject({
      ...ofDomain,
      kind: v.optional(v.picklist(REPORT_KINDS)),
      /** Exactly this one. */
      reporter: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(1000))),
      /** fail: with failing messages or sessions; pass: without any. */
      outcome: v.optional(v.picklist(["fail", "pass"])),
      /** Part of the reporter or the report id. */
      text,
      /** The following are of aggregate reports alone. With an address figures are those of the address. */
      sender: v.optional(v.picklist(SENDER_STATES)),
      source: v.optional(source),
      /** `begin` by default, the newest first. */
      order: v.optional(v.picklist(REPORT_ORDERS)),
      descending: v.optional(truth),
      ...page,
    }),
    output: reportPage,
    example: { domain: "acme.example", outcome: "fail", from: "2026-11-01", to: "2026-11-30" },
  },
  listReporters: {
    ...read,
    summary: "Who sent aggregate reports about a domain over a period, by name",
    http: get("/reporters/:domain"),
    input: v.strictObject(ofDomain),
    output: reporterList,
    example: { domain: "acme.example" },
  },
  getReport: {
    ...read,
    summary: "A report of any kind without its records: who sent it, its period, its sums, policy and warnings",
    http: get(REPORT_PATH),
    input: v.strictObject(reportName),
    output: reportHeader,
    example: { account: "acme", domain: "acme.example", day: "2026-11-20", uid: "0123456789abcdef0123456789abcdef" },
  },
  listSources: {
    ...read,
    summary: "Who sent mail in a domain's name over a period, with figures, the largest first",
    http: get("/sources/:domain"),
    input: v.strictObject({
      ...ofDomain,
      role: v.optional(v.picklist(ROLES)),
      /** The policy whose hits are counted, `reject` by default; with a role only sources of which it hits something. */
      step: v.optional(v.picklist(POLICY_STEPS)),
      ...page,
    }),
    output: sourcePage,
    example: { domain: "acme.example", role: "undecided" },
  },
  listHits: {
    ...read,
    summary: "Records that a policy would have hit, with the source of each: the details of the verdict's `wouldHit`",
    http: get("/hits/:domain"),
    input: v.strictObject({
      ...ofDomain,
      /** Only of sources of this role. */
      role: v.optional(v.picklist(ROLES)),
      /** `reject` by default. */
      step: v.optional(v.picklist(POLICY_STEPS)),
      ...page,
    }),
    output: hitPage,
    example: { domain: "acme.example", role: "own", step: "reject" },
  },
  listSourceGroups: {
    ...read,
    summary: "The same mail by service, address, network or reverse domain, the largest first",
    http: get("/source-groups/:domain"),
    input: v.strictObject({ ...ofDomain, by: v.picklist(["service", ...SOURCE_GROUPINGS]), ...page }),
    output: sourceGroupPage,
    example: { domain: "acme.example", by: "network" },
  },
  getSource: {
    ...read,
    summary:
      "One source of a domain's mail, or one address: figures, addresses, results, records, decision and what to do",
    http: get("/sources/:domain/:source"),
    input: v.strictObject({ ...ofDomain, source }),
    output: sourceDetails,
    example: { domain: "acme.example", source: "192.0.2.1" },
  },
  listDecisions: {
    ...read,
    summary: "Current decisions about a domain's senders, newest first",
    http: get("/decisions/:domain"),
    input: v.strictObject({ domain, account: v.optional(account) }),
    output: decisionList,
    example: { domain: "acme.example" },
  },
  tlsSummary: {
    ...read,
    summary: "TLS reports about a domain over a period: sessions by day, by policy, and why they failed",
    http: get("/tls/:domain"),
    input: v.strictObject(ofDomain),
    output: shapes.tlsSummary,
    example: { domain: "acme.example" },
  },
  failureSummary: {
    ...read,
    summary: "Failure reports about a domain over a period, by address and what failed",
    http: get("/failures/:domain"),
    input: v.strictObject(ofDomain),
    output: shapes.failureSummary,
    example: { domain: "acme.example" },
  },
  keptCheck: {
    ...read,
    summary: "What a domain published when it was last checked, and the changes of its records",
    http: get("/domains/:account/:domain/check"),
    input: v.strictObject({ account, domain }),
    output: shapes.keptCheck,
    example: { account: "acme", domain: "acme.example" },
  },
  domainMonth: {
    ...read,
    summary: "The monthly report of a domain: verdict, figures, what changed, what was done, what is open, who sends",
    http: get("/monthly-reports/:domain"),
    /** By default the last complete month. */
    input: v.strictObject({ domain, account: v.optional(account), month: v.optional(month) }),
    output: shapes.domainMonth,
    example: { domain: "acme.example", month: "2026-10" },
  },
  accountMonth: {
    ...read,
    summary: "The monthly report of an account about all its domains, worst first",
    http: get("/accounts/:account/monthly-report"),
    input: v.strictObject({ account, month: v.optional(month), ...page }),
    output: shapes.accountMonth,
    example: { account: "acme", month: "2026-10" },
  },
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
} as const;
