/**
 * All operations of the pipeline, each described once: input, output, role and HTTP route. The RPC entry point of
 * process, the routes of the dashboard's API and the client derive from this table.
 */
import * as v from "valibot";
import { targetSettings } from "../forward/target.ts";
import { MTA_STS_MODES } from "../guidance/mta-sts-policy.ts";
import { storedCheck } from "../guidance/stored-check.ts";
import { importLine } from "../import-lines.ts";
import { REPORT_KINDS } from "../ledger/report-rows.ts";
import { SENDER_DECISIONS } from "../ledger/sender-decisions.ts";
import {
  ACCOUNT_LIMITS,
  AUDIT_LIMITS,
  D1_LIMITS,
  GUIDANCE_LIMITS,
  IMPORT_LIMITS,
  PAGE_LIMITS,
  SETUP_LIMITS,
  TAG_LIMITS,
  TOKEN_LIMITS,
  WORK_LIMITS,
} from "../limits.ts";
import { channelSettings } from "../notify/channel.ts";
import { RECORD_ORDERS } from "../operations.ts";
import { ACCOUNT_ROLES, personEntry } from "../people.ts";
import { accountName, registryEntry } from "../registry.ts";
import { group, tag } from "../tag.ts";
import { TOKEN_SCOPES, tokenName } from "../tokens.ts";
import { RULE_CODES } from "../watch/finding.ts";
import { WORK_CODES } from "../watch/work.ts";
import { DOMAIN_OPERATIONS } from "./domain-operations.ts";
import { outcomeHistory } from "./domain-shapes.ts";
import {
  account,
  count,
  countBetween,
  cursor,
  day,
  displayName,
  domain,
  id,
  mailAddress,
  objectKey,
  pageFields,
  REPORT_PATH,
  reason,
  reportName,
  truth,
} from "./fields.ts";
import type { Operation } from "./operation.ts";
import { PROBLEM_CODES } from "./problems.ts";
import * as shapes from "./shapes.ts";

// Strict objects throughout: a misspelt field of a filter would mean "everything".
const nothing = v.strictObject({});
const ruaInput = v.strictObject({ rua: mailAddress });
const personInput = v.strictObject({ email: mailAddress });
const idInput = v.strictObject({ id });

const deadLetterFilter = {
  code: v.optional(id),
  domain: v.optional(domain),
  account: v.optional(account),
  since: v.optional(day),
  until: v.optional(day),
};
const selection = v.strictObject({
  ids: v.optional(v.pipe(v.array(id), v.minLength(1), v.maxLength(PAGE_LIMITS.deadLetters))),
  filter: v.optional(v.strictObject(deadLetterFilter)),
  cursor: v.optional(cursor),
  dryRun: v.optional(v.boolean()),
});
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
/** A source as pages name it: an organizational domain or an address. */
const senderName = { account, domain, source: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(253)) };
/** "" = the pipeline itself, for operators. */
const channelAccount = v.pipe(v.string(), v.maxLength(64));
const channelName = v.strictObject({ account: channelAccount, id });
/** "" = all accounts, for operators. */
const tokenAccount = v.pipe(v.string(), v.maxLength(64));
/** What is muted; an omitted field means all. */
const muteName = {
  account,
  domain: v.optional(domain),
  rule: v.optional(v.picklist(RULE_CODES)),
  /** A sender or another subject of incidents. */
  subject: v.optional(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(255))),
};
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "not a SHA-256 in hex"));
/** What is known about an imported file besides its bytes. */
const importedFile = {
  sha256,
  name: v.pipe(v.string(), v.maxLength(IMPORT_LIMITS.maxNameChars)),
  /** Where it was found: a path, or a mailbox and the mail in it. */
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(IMPORT_LIMITS.maxOriginChars)),
  /** It is a mail; these are its header fields. */
  isMail: v.optional(truth),
  from: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  subject: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  messageId: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  /** How it authenticated, as its receiver says (shared/authentication/authentication-results.ts). */
  authentication: v.optional(v.pipe(v.string(), v.maxLength(1000))),
};
const bytes = v.custom<Blob | ReadableStream>(
  (value) => value instanceof Blob || value instanceof ReadableStream,
  "the file is missing",
);
const decision = v.picklist(["keep", "replace", "count_both"]);

const described = {
  describeProblem: {
    summary: "What a problem code means",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/problems/:code", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ code: v.picklist(PROBLEM_CODES) }),
    output: v.object({ code: v.picklist(PROBLEM_CODES), title: v.string(), status: v.number() }),
  },
  status: {
    summary: "What is waiting in the queues, what is pending, and the outcomes of the last week",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/status", place: "query", status: 200, answer: "json" },
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
    http: { method: "GET", path: "/activity", place: "query", status: 200, answer: "json" },
    input: nothing,
    output: shapes.listOf(shapes.activity),
  },
  outcomeHistory: {
    summary: "Outcomes and processing times of reports in a period, by day, or by hour of a single day",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/outcomes", place: "query", status: 200, answer: "json" },
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
    http: { method: "GET", path: "/stats", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ domain: v.optional(domain), account: v.optional(account) }),
    output: shapes.stats,
  },
  domainDays: {
    summary: "Sums of one kind of reports by domain and day, as the ledger has them",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/domain-days", place: "query", status: 200, answer: "json" },
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
    http: { method: "GET", path: "/verdicts/:domain", place: "query", status: 200, answer: "json" },
    /** Without days: the last 30. */
    input: v.strictObject({ domain, from: v.optional(day), to: v.optional(day) }),
    output: shapes.verdict,
  },
  senders: {
    summary: "Who sends in a domain's name: whose each sender is, what was decided about it, and what is suggested",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/senders/:domain", place: "query", status: 200, answer: "json" },
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
    http: { method: "GET", path: "/refused-mail", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ from: v.optional(day), to: v.optional(day) }),
    output: shapes.listOf(shapes.refusedAddress),
  },

  listRegistrations: {
    summary: "The addresses that may receive reports",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/registry", place: "query", status: 200, answer: "json" },
    input: nothing,
    output: shapes.listOf(shapes.registration),
  },
  getRegistration: {
    summary: "One address",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/registry/:rua", place: "query", status: 200, answer: "json" },
    input: ruaInput,
    output: shapes.registration,
  },
  addRegistration: {
    summary: "Registers a new address; never changes an existing one",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/registry", place: { json: "fields" }, status: 200, answer: "json" },
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
    http: { method: "DELETE", path: "/registry/:rua", place: "query", status: 204, answer: "none" },
    input: ruaInput,
    output: v.undefined(),
  },

  listIdentities: {
    summary: "Who may do what in which accounts",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/identities", place: "query", status: 200, answer: "json" },
    input: nothing,
    output: shapes.listOf(shapes.person),
  },
  getIdentity: {
    summary: "What one person may do",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/identities/:email", place: "query", status: 200, answer: "json" },
    input: personInput,
    output: shapes.person,
  },
  putIdentity: {
    summary: "Sets what a person may do, in all accounts",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/identities/:email",
      place: { json: "field", field: "entry" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ email: mailAddress, entry: personEntry }),
    output: shapes.person,
  },
  removeIdentity: {
    summary: "Removes a person's access",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/identities/:email", place: "query", status: 204, answer: "none" },
    input: personInput,
    output: v.undefined(),
  },

  listAccounts: {
    summary: "Accounts, by name, a page at a time",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/accounts", place: "query", status: 200, answer: "json" },
    input: v.strictObject({
      /** Part of the name. */
      text: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(200))),
      ...pageFields(ACCOUNT_LIMITS.listed),
      /** Instead of a cursor: accounts to leave out at the beginning. */
      offset: v.optional(count),
    }),
    output: shapes.countedPageOf(shapes.account),
  },
  getAccount: {
    summary: "An account's name, and whether it has a logo",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/accounts/:account", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account }),
    output: shapes.accountHead,
  },
  createAccount: {
    summary: "Creates an account; one that exists is not changed",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/accounts", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({ account: accountName, name: v.optional(displayName) }),
    output: shapes.accountHead,
  },
  setAccountName: {
    summary: "Sets an account's name on pages and in digests; if it is empty, the account's id is shown",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "PUT", path: "/accounts/:account/name", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({ account, name: displayName }),
    output: shapes.accountHead,
  },
  getAccountLogo: {
    summary: "An account's logo, with its type and when it was set",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/accounts/:account/logo", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account }),
    output: shapes.accountLogo,
  },
  setAccountLogo: {
    summary: "Sets an account's logo: a PNG or JPEG picture of at most 64 KiB",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "PUT", path: "/accounts/:account/logo", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({
      account,
      /** Of the file's bytes. One that is a little too large is answered by the sentence that says so. */
      base64: v.pipe(v.string(), v.minLength(1), v.maxLength(4 * ACCOUNT_LIMITS.logoBytes)),
    }),
    output: shapes.accountHead,
  },
  removeAccountLogo: {
    summary: "Removes an account's logo",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/accounts/:account/logo", place: "query", status: 204, answer: "none" },
    input: v.strictObject({ account }),
    output: v.undefined(),
  },
  listAccountPeople: {
    summary: "People with a role in an account, and when each first came",
    role: "administrator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/accounts/:account/people", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account }),
    output: shapes.listOf(shapes.accountPerson),
  },
  putAccountPerson: {
    summary: "Gives a person a role in an account, or changes it; a new person can sign in at once",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/accounts/:account/people/:email",
      place: { json: "fields" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ account, email: mailAddress, role: v.picklist(ACCOUNT_ROLES) }),
    output: v.object({ account: v.string(), email: v.string(), role: v.picklist(ACCOUNT_ROLES) }),
  },
  removeAccountPerson: {
    summary: "Removes a person's role in an account",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/accounts/:account/people/:email", place: "query", status: 204, answer: "none" },
    input: v.strictObject({ account, email: mailAddress }),
    output: v.undefined(),
  },
  noteSeen: {
    summary: "Records the first visit of the person who asks",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: nothing,
    output: v.undefined(),
  },
  importAccounts: {
    summary:
      "Creates accounts and registers addresses and domains from a list, with a result for each line; existing entries do not change",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/accounts/import", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({
      lines: v.pipe(v.array(importLine), v.minLength(1), v.maxLength(ACCOUNT_LIMITS.importedAtOnce)),
      /** Only report what would be done. */
      dryRun: v.optional(v.boolean()),
    }),
    output: shapes.listOf(shapes.importedLine),
  },
  listAudit: {
    summary: "Who changed what: entries of the audit log, newest first",
    role: "administrator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/audit", place: "query", status: 200, answer: "json" },
    input: v.strictObject({
      account: v.optional(account),
      domain: v.optional(domain),
      /** Part of the person's address or the token's name. */
      who: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(400))),
      operation: v.optional(id),
      since: v.optional(day),
      until: v.optional(day),
      ...pageFields(AUDIT_LIMITS.listed),
    }),
    output: shapes.pageOf(shapes.auditEntry),
  },

  importFiles: {
    summary: "Accepts files as if they had arrived by mail at a registered address; known files are skipped",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/imports",
      place: { json: "fields" },
      status: 202,
      answer: "json",
      maxBodyBytes: IMPORT_LIMITS.maxCallBodyBytes,
    },
    input: v.strictObject({
      rua: mailAddress,
      files: v.pipe(
        v.array(v.strictObject({ ...importedFile, /** Base64. */ content: v.string() })),
        v.minLength(1),
        v.maxLength(IMPORT_LIMITS.filesPerCall),
      ),
    }),
    output: shapes.listOf(shapes.importedFile),
  },
  importFile: {
    summary: "The same for one large file, whose bytes are the body",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/imports/:sha256",
      place: { bytes: "content" },
      status: 202,
      answer: "json",
      maxBodyBytes: IMPORT_LIMITS.maxFileBytes,
    },
    input: v.strictObject({ rua: mailAddress, ...importedFile, size: count, content: bytes }),
    output: shapes.importedFile,
  },
  knownImports: {
    summary: "Which files were imported, and their outcomes",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "POST", path: "/imports/known", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({ sha256s: v.pipe(v.array(sha256), v.maxLength(IMPORT_LIMITS.askedPerCall)) }),
    output: shapes.listOf(shapes.knownImport),
  },

  listDeadLetters: {
    summary: "Reports that couldn't be processed, by the day their mail arrived, oldest first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/dead-letters", place: "query", status: 200, answer: "json" },
    input: v.strictObject({
      ...deadLetterFilter,
      isDiscarded: v.optional(truth),
      ...pageFields(PAGE_LIMITS.deadLetters),
    }),
    output: shapes.pageOf(shapes.deadLetter),
  },
  deadLetterReasons: {
    summary: "How many dead letters there are by reason, most frequent first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/dead-letter-reasons", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ ...deadLetterFilter, isDiscarded: v.optional(truth) }),
    output: shapes.listOf(v.object({ code: v.string(), deadLetters: v.number() })),
  },
  getDeadLetter: {
    summary: "One dead letter, with what is known about its raw object",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/dead-letters/:id", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: shapes.deadLetterDetails,
  },
  requeueDeadLetters: {
    summary: "Retries dead letters: by id, or a page of those a filter matches",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/dead-letters/requeue", place: { json: "fields" }, status: 200, answer: "json" },
    input: selection,
    output: shapes.pageOf(shapes.deadLetterResult),
  },
  discardDeadLetters: {
    summary: "Discards dead letters: reprocessing does not bring them back; their raw objects stay",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/dead-letters/discard", place: { json: "fields" }, status: 200, answer: "json" },
    input: selection,
    output: shapes.pageOf(shapes.deadLetterResult),
  },
  readRawObject: {
    summary: "The bytes of a raw object, exactly as they came",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/raw", place: "query", status: 200, answer: "bytes" },
    input: v.strictObject({ key: objectKey }),
    output: v.instance(Response),
  },

  restoreDeadLetters: {
    summary: "Reopens discarded dead letters",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/dead-letters/restore", place: { json: "fields" }, status: 200, answer: "json" },
    input: selection,
    output: shapes.pageOf(shapes.deadLetterResult),
  },
  describeRawObject: {
    summary: "Facts about a raw object besides its bytes",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: undefined,
    input: v.strictObject({ key: objectKey }),
    output: shapes.rawObject,
  },

  listConflicts: {
    summary: "Other versions of accepted reports that wait for a decision, oldest day first",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/conflicts", place: "query", status: 200, answer: "json" },
    input: v.strictObject({
      ...pageFields(PAGE_LIMITS.deadLetters),
      /** Without those grouped by listDoubtedConflicts. */
      without_doubted: v.optional(truth),
    }),
    output: shapes.pageOf(shapes.conflict),
  },
  listDoubtedConflicts: {
    summary: "Unverified versions of verified reports, by reporter and domain",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/doubted-conflicts", place: "query", status: 200, answer: "json" },
    input: v.strictObject({}),
    output: v.object({ items: v.array(shapes.doubtedConflicts) }),
  },
  keepVerified: {
    summary: "Decides the doubted conflicts of one reporter and domain: the verified reports stay",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/doubted-conflicts/keep", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({
      account: v.string(),
      domain: v.string(),
      kind: v.picklist(REPORT_KINDS),
      reporter: v.string(),
      reason,
    }),
    output: v.object({
      /** How many were decided; if this is the limit of one call, more are left. */
      kept: v.number(),
      isComplete: v.boolean(),
    }),
  },
  getConflict: {
    summary: "One conflict",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/conflicts/:id", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: shapes.conflict,
  },
  compareConflict: {
    summary: "What the two versions of a conflict count differently, read again from their raw objects",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/conflicts/:id/differences", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: shapes.comparison,
  },
  decideConflict: {
    summary: "keep: the accepted version stays; replace: the other takes its place; count_both: both count",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/conflicts/:id/decide", place: { json: "fields" }, status: 202, answer: "json" },
    input: v.strictObject({ id, decision, reason }),
    output: shapes.conflict,
  },
  acceptConflict: {
    summary: "The same as decideConflict with replace",
    role: "operator",
    changes: true,
    answeredBy: "dashboard",
    http: { method: "POST", path: "/conflicts/:id/accept", place: "query", status: 202, answer: "json" },
    input: idInput,
    output: shapes.conflict,
  },
  discardConflict: {
    summary: "The same as decideConflict with keep",
    role: "operator",
    changes: true,
    answeredBy: "dashboard",
    http: { method: "POST", path: "/conflicts/:id/discard", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: shapes.conflict,
  },

  readRecords: {
    summary: "A page of a report's records, read again from its raw object",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: `${REPORT_PATH}/records`, place: "query", status: 200, answer: "json" },
    input: v.strictObject({
      ...reportName,
      /** Optional; saves a lookup. */
      kind: v.optional(v.picklist(REPORT_KINDS)),
      /** Only records that contain this text. */
      text: v.optional(v.string()),
      /** Only records that passed, or failed, DMARC. */
      isPass: v.optional(truth),
      order: v.optional(v.picklist(RECORD_ORDERS)),
      descending: v.optional(truth),
      limit: v.optional(count),
      offset: v.optional(count),
      cursor: v.optional(cursor),
    }),
    output: shapes.recordsAnswer,
  },
  exportRecords: {
    summary: "The records of the accepted aggregate reports of a period as lines of JSON, a page of reports a call",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/records", place: "query", status: 200, answer: "bytes" },
    /** Without `until`: all since then. A report belongs to the first day it counts for. */
    input: v.strictObject({
      since: day,
      until: v.optional(day),
      domain: v.optional(domain),
      account: v.optional(account),
      cursor: v.optional(cursor),
    }),
    output: v.instance(Response),
  },
  readReportFile: {
    summary: "The bytes of the raw object a report was read from, exactly as they came",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: `${REPORT_PATH}/raw`, place: "query", status: 200, answer: "bytes" },
    input: v.strictObject(reportName),
    output: v.instance(Response),
  },
  takeBackReport: {
    summary: "Removes an accepted report from all figures; its raw object stays, and it is not accepted again",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "PUT", path: `${REPORT_PATH}/taken-back`, place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({ ...reportName, reason: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1000)) }),
    output: shapes.reportName,
  },
  undoTakeBack: {
    summary: "Counts a report again that was taken back",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: `${REPORT_PATH}/taken-back`, place: "query", status: 200, answer: "json" },
    input: v.strictObject(reportName),
    output: shapes.reportName,
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
    http: { method: "POST", path: "/domains", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({ account, domain: typedDomain, rua: v.optional(mailAddress) }),
    output: shapes.addedDomain,
  },
  addDomains: {
    summary: "Adds a list of domains, with a result for each; does not query DNS",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/domains/list", place: { json: "fields" }, status: 200, answer: "json" },
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
    http: { method: "POST", path: "/tags", place: { json: "fields" }, status: 200, answer: "json" },
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
    http: { method: "GET", path: "/tags", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: v.optional(account), tag: v.optional(tag) }),
    output: shapes.listOf(v.object({ account: v.string(), domain: v.string(), tags: v.array(v.string()) })),
  },
  setAccountGroup: {
    summary: "Puts an account into a group of accounts; an empty name removes it from its group",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/accounts/:account/group",
      place: { json: "fields" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ account, group }),
    output: v.object({ account: v.string(), group: v.string() }),
  },
  listAccountGroups: {
    summary: "Accounts that are in a group",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/account-groups", place: "query", status: 200, answer: "json" },
    input: nothing,
    output: shapes.listOf(v.object({ account: v.string(), group: v.string() })),
  },
  domainSetup: {
    summary: "The progress of an added domain, from the record to publish to its first report",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/domains/:account/:domain/setup", place: "query", status: 200, answer: "json" },
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
  listChannels: {
    summary: "Channels that notices and digests are sent to",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/channels", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: v.optional(channelAccount) }),
    output: shapes.listOf(shapes.channel),
  },
  addChannel: {
    summary: "Adds a channel; the secret of a webhook is returned only here",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/channels", place: { json: "fields" }, status: 200, answer: "json" },
    input: v.strictObject({ account: channelAccount, ...channelSettings }),
    output: v.object({ ...shapes.channel.entries, secret: v.string() }),
  },
  removeChannel: {
    summary: "Removes a channel and the list of its deliveries",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/channels/:id", place: "query", status: 204, answer: "none" },
    input: channelName,
    output: v.undefined(),
  },
  testChannel: {
    summary:
      "Sends a test to a channel, or the confirmation link again while it is unconfirmed; listDeliveries has the result",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/channels/:id/test", place: { json: "fields" }, status: 202, answer: "json" },
    input: channelName,
    output: v.object({ deliveryId: v.string() }),
  },
  confirmChannel: {
    summary: "Confirms a channel's mail address on its owner's behalf",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/channels/:id/confirm", place: { json: "fields" }, status: 200, answer: "json" },
    input: channelName,
    output: shapes.channel,
  },
  confirmChannelByLink: {
    summary: "Confirms a channel's mail address by the link that was sent to it",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: v.strictObject({
      account: channelAccount,
      id,
      untilSeconds: v.pipe(v.number(), v.integer(), v.minValue(0)),
      signature: v.pipe(v.string(), v.maxLength(64)),
    }),
    output: v.undefined(),
  },
  listDeliveries: {
    summary: "The newest deliveries of notices, digests and tests, with their results",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/deliveries", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: v.optional(channelAccount) }),
    output: shapes.listOf(shapes.delivery),
  },
  listForwards: {
    summary: "Targets that accepted reports are forwarded to, and what is waiting for each",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/forwards", place: "query", status: 200, answer: "json" },
    input: nothing,
    output: shapes.listOf(shapes.forwardTarget),
  },
  addForward: {
    summary: "Adds a target for accepted reports; the key that signs an HTTP endpoint's requests is returned only here",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/forwards", place: { json: "fields" }, status: 200, answer: "json" },
    /** Account "" = reports of all accounts. */
    input: v.strictObject({ account: channelAccount, ...targetSettings }),
    output: v.object({ ...shapes.forwardTarget.entries, secret: v.string() }),
  },
  removeForward: {
    summary: "Removes a target and what is waiting for it",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/forwards/:id", place: "query", status: 204, answer: "none" },
    input: idInput,
    output: v.undefined(),
  },
  testForward: {
    summary: "Sends a test to a target now",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/forwards/:id/test", place: "query", status: 200, answer: "json" },
    input: idInput,
    output: v.object({ isTaken: v.boolean(), result: v.string() }),
  },
  retryForward: {
    summary: "Sends a target what was given up and what is waiting for it, now",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/forwards/:id/retry", place: "query", status: 200, answer: "json" },
    input: idInput,
    /** How many targets are sent to now, those of other ids included. */
    output: v.object({ enqueued: v.number() }),
  },
  listUnsentReports: {
    summary: "Reports that targets have not accepted, at most 500: given up, then refused, then waiting",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/unsent-reports", place: "query", status: 200, answer: "json" },
    input: nothing,
    output: v.object({ items: v.array(shapes.unsentReport), isComplete: v.boolean() }),
  },
  listTokens: {
    summary: "API tokens of the accounts that the person administers, without their secrets",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/tokens", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: v.optional(tokenAccount), ...pageFields(PAGE_LIMITS.tokens) }),
    output: shapes.pageOf(shapes.token),
  },
  createToken: {
    summary: "Creates a token; its secret is returned only here",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/tokens", place: { json: "fields" }, status: 200, answer: "json" },
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
  decideSender: {
    summary:
      "Decides whether an address, prefix, domain or service is the owner's, a forwarder, or not theirs; the verdict follows",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/domains/:account/:domain/senders/:source",
      place: { json: "fields" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ ...senderName, decision: v.picklist(SENDER_DECISIONS), note: reason }),
    output: shapes.decidedSender,
  },
  undoSenderDecision: {
    summary: "Undoes the last decision about a source",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "DELETE",
      path: "/domains/:account/:domain/senders/:source",
      place: "query",
      status: 200,
      answer: "json",
    },
    input: v.strictObject(senderName),
    output: shapes.decidedSender,
  },
  mtaSts: {
    summary: "The MTA-STS policy that is served for a domain, what its MX records say, and what to do next",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/domains/:account/:domain/mta-sts", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account, domain }),
    output: shapes.mtaStsState,
  },
  setMtaSts: {
    summary: "Serves an MTA-STS policy for a domain of the account, or changes it; the id to publish changes with it",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/domains/:account/:domain/mta-sts",
      place: { json: "fields" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({
      account,
      domain,
      mode: v.picklist(MTA_STS_MODES),
      mx: v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.maxLength(1000)),
      maxAgeSeconds: v.number(),
      /** Enforce it although the MX records name hosts that the policy does not. */
      force: v.optional(v.boolean()),
    }),
    output: shapes.hostedMtaSts,
  },
  removeMtaSts: {
    summary: "Stops serving the MTA-STS policy of a domain",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/domains/:account/:domain/mta-sts", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account, domain }),
    output: v.object({
      account: v.string(),
      domain: v.string(),
      /** How long senders may still remember it. */
      rememberedSeconds: v.number(),
    }),
  },
  spfAdvice: {
    summary: "What adding a source does to the domain's SPF record; queries DNS and changes nothing",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/domains/:account/:domain/spf-advice",
      place: { json: "fields" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({
      account,
      domain,
      sender: v.strictObject({
        name: v.pipe(v.string(), v.maxLength(253)),
        networks: v.pipe(v.array(v.pipe(v.string(), v.maxLength(50))), v.maxLength(GUIDANCE_LIMITS.maxSpfSources)),
        service: v.pipe(v.string(), v.maxLength(100)),
        returnPaths: v.optional(
          v.pipe(v.array(v.pipe(v.string(), v.maxLength(253))), v.maxLength(GUIDANCE_LIMITS.maxReturnPaths)),
        ),
        isForwarder: v.boolean(),
      }),
    }),
    output: shapes.spfAdvice,
    example: {
      account: "acme",
      domain: "acme.example",
      sender: { name: "192.0.2.1", networks: ["192.0.2.1"], service: "", isForwarder: false },
    },
  },
  nameAddresses: {
    summary: "Looks up the names of addresses that a page has shown",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: v.strictObject({ account, addresses: v.pipe(v.array(v.string()), v.maxLength(1000)) }),
    output: v.object({ named: v.number() }),
  },

  runSchedule: {
    summary: "Runs now what process runs at a schedule of its TOML",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/schedules/run", place: { json: "fields" }, status: 200, answer: "json" },
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
    http: { method: "GET", path: "/incidents", place: "query", status: 200, answer: "json" },
    input: v.strictObject({
      account: v.optional(account),
      domain: v.optional(domain),
      /** Open by default. */
      state: v.optional(v.picklist(["open", "resolved"])),
      ...pageFields(PAGE_LIMITS.incidents),
    }),
    output: shapes.pageOf(shapes.incident),
  },
  worklist: {
    summary:
      "What to do next across all domains, what matters most first; the same cause over many domains is one line",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/worklist", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: v.optional(account) }),
    output: shapes.listOf(shapes.workLine),
  },
  worklistDomains: {
    summary: "The domains of one line of the worklist, those it matters most for first",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/worklist/domains", place: "query", status: 200, answer: "json" },
    input: v.strictObject({
      account: v.optional(account),
      code: v.picklist(WORK_CODES),
      /** "" by default, as lines have it. */
      subject: v.optional(v.pipe(v.string(), v.maxLength(253))),
      ...pageFields(WORK_LIMITS.domainsListed),
      /** Instead of a cursor: domains to leave out at the beginning. */
      offset: v.optional(count),
    }),
    output: shapes.countedPageOf(shapes.workDomain),
  },
  listNotices: {
    summary: "Notices about incidents, newest first",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/notices", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: v.optional(account), ...pageFields(PAGE_LIMITS.incidents) }),
    output: shapes.pageOf(shapes.notice),
  },
  listMutes: {
    summary: "What is muted",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/mutes", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: v.optional(account) }),
    output: shapes.listOf(shapes.mute),
  },
  mute: {
    summary: "Mutes a rule, a domain, a sender, or a combination of them, for good or for some days",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "POST", path: "/mutes", place: { json: "fields" }, status: 200, answer: "json" },
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
    http: { method: "DELETE", path: "/mutes/:account", place: "query", status: 204, answer: "none" },
    input: v.strictObject(muteName),
    output: v.undefined(),
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
  exportAccount: {
    summary: "All data of an account, a part at a time: rows of the ledger, then raw objects; secrets are left out",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: { method: "GET", path: "/accounts/:account/export", place: "query", status: 200, answer: "json" },
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
    http: { method: "GET", path: "/jobs", place: "query", status: 200, answer: "json" },
    input: nothing,
    output: shapes.listOf(shapes.job),
  },
  getJob: {
    summary: "One job",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: { method: "GET", path: "/jobs/:id", place: "query", status: 200, answer: "json" },
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
