/** Operations about the watch over all domains: incidents, the worklist, notices and mutes. operations.ts assembles them. */
import * as v from "valibot";
import { D1_LIMITS, PAGE_LIMITS, WORK_LIMITS } from "../limits.ts";
import { RULE_CODES } from "../watch/finding.ts";
import { WORK_CODES } from "../watch/work.ts";
import { countedPageOf, listOf, pageOf } from "./common-shapes.ts";
import { account, count, countBetween, domain, pageFields, reason } from "./fields.ts";
import { get, post, remove } from "./operation.ts";
import * as shapes from "./watch-shapes.ts";

/** What is muted; an omitted field means all. */
const muteName = {
  account,
  domain: v.optional(domain),
  rule: v.optional(v.picklist(RULE_CODES)),
  /** A sender or another subject of incidents. */
  subject: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(255))),
};

export const WATCH_OPERATIONS = {
  runSchedule: {
    summary: "Runs now what process runs at a schedule of its TOML",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/schedules/run"),
    input: v.strictObject({ cron: v.pipe(v.string(), v.maxLength(100)) }),
    output: v.record(v.string(), v.unknown()),
  },
  runWatch: {
    summary: "Checks domains now, as many as one run does: verdicts, incidents and notices",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/watch/run",
      place: { json: "fields", optional: true },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({
      /** Where a run does not reach all databases of the ledger: which one, the first unless given. */
      database: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(D1_LIMITS.maxDatabases))),
    }),
    output: shapes.watchDone,
  },
  listIncidents: {
    summary: "Incidents that are open, or were resolved within 90 days, of all domains or of one",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/incidents"),
    input: v.strictObject({
      account: v.optional(account),
      domain: v.optional(domain),
      /** Open by default. */
      state: v.optional(v.picklist(["open", "resolved"])),
      ...pageFields(PAGE_LIMITS.incidents),
    }),
    output: pageOf(shapes.incident),
  },
  worklist: {
    summary:
      "What to do next across all domains, what matters most first; the same cause over many domains is one line",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/worklist"),
    input: v.strictObject({ account: v.optional(account) }),
    output: listOf(shapes.workLine),
  },
  worklistDomains: {
    summary: "The domains of one line of the worklist, those it matters most for first",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/worklist/domains"),
    input: v.strictObject({
      account: v.optional(account),
      code: v.picklist(WORK_CODES),
      /** "" by default, as in lines of the worklist. */
      subject: v.optional(v.pipe(v.string(), v.maxLength(253))),
      ...pageFields(WORK_LIMITS.domainsListed),
      /** Instead of a cursor: domains to leave out at the beginning. */
      offset: v.optional(count),
    }),
    output: countedPageOf(shapes.workDomain),
  },
  listNotices: {
    summary: "Notices about incidents, newest first",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/notices"),
    input: v.strictObject({ account: v.optional(account), ...pageFields(PAGE_LIMITS.incidents) }),
    output: pageOf(shapes.notice),
  },
  listMutes: {
    summary: "What is muted",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/mutes"),
    input: v.strictObject({ account: v.optional(account) }),
    output: listOf(shapes.mute),
  },
  mute: {
    summary: "Mutes a rule, a domain, a sender, or a combination of them, for good or for some days",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/mutes"),
    input: v.strictObject({
      ...muteName,
      days: v.optional(countBetween(1, 3650)),
      note: reason,
    }),
    output: shapes.mute,
  },
  unmute: {
    summary: "Removes a mute",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: remove("/mutes/:account"),
    input: v.strictObject(muteName),
    output: v.undefined(),
  },
} as const;
