/** Operations about the pipeline itself: what waits, what was done, sums over all, and jobs. operations.ts assembles them. */
import * as v from "valibot";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { PAGE_LIMITS } from "../limits.ts";
import { listOf } from "./common-shapes.ts";
import { account, day, domain, idInput, nothing, objectKey, pageFields } from "./fields.ts";
import { get } from "./operation.ts";
import * as shapes from "./pipeline-shapes.ts";
import { PROBLEM_CODES } from "./problems.ts";

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

export const PIPELINE_OPERATIONS = {
  describeProblem: {
    summary: "What a problem code means",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/problems/:code"),
    input: v.strictObject({ code: v.picklist(PROBLEM_CODES) }),
    output: v.object({ code: v.picklist(PROBLEM_CODES), title: v.string(), status: v.number() }),
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
    output: listOf(shapes.activity),
  },
  outcomeHistory: {
    summary: "Outcomes and processing times of reports in a period, by day, or by hour of a single day",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/outcomes"),
    /** 30 days by default. */
    input: v.strictObject({ from: v.optional(day), to: v.optional(day) }),
    output: shapes.outcomeHistory,
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
    output: listOf(shapes.refusedAddress),
  },
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
    output: listOf(shapes.job),
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
