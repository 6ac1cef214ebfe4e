/**
 * After a rollback the ledger has values that only the newer version knows: a list shows everything else, and a dead letter
 * its sentence.
 */
import { expect, it } from "vitest";
import { deadLetterOf } from "../../shared/contract/incoming-shapes.ts";
import { auditQuery } from "../../shared/ledger/audit.ts";
import { channelQuery, channelsQuery, deliveriesQuery, digestChannelsQuery } from "../../shared/ledger/channels.ts";
import { conflictsNamedQuery, conflictsQuery, decisionsQuery } from "../../shared/ledger/conflicts.ts";
import { ask, type Query } from "../../shared/ledger/database.ts";
import { deadLettersQuery } from "../../shared/ledger/dead-letters.ts";
import { domainVerdictsQuery, factsQuery } from "../../shared/ledger/domain-verdicts.ts";
import { dueForwardsQuery, targetsQuery, unsentReportsQuery } from "../../shared/ledger/forwards.ts";
import { knownImportsQuery } from "../../shared/ledger/imports.ts";
import { newestJobsQuery } from "../../shared/ledger/jobs.ts";
import { incidentsOfDomainsQuery, incidentsQuery, mutesQuery, noticesQuery } from "../../shared/ledger/notices.ts";
import { countOutcomes } from "../../shared/ledger/outcomes.ts";
import { accountPeopleQuery, peopleQuery } from "../../shared/ledger/people.ts";
import { registeredDomainQuery } from "../../shared/ledger/registered-domains.ts";
import {
  accountDecisionsQuery,
  decisionsOfPeriodQuery,
  senderDecisionsQuery,
  senderHistoryQuery,
} from "../../shared/ledger/sender-decisions.ts";
import { tokensQuery } from "../../shared/ledger/tokens.ts";
import { worklistQuery } from "../../shared/ledger/worklist.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

type Values = Record<string, string | number | Uint8Array>;

/** Adds a row; columns that are not given are "" or 0. */
function insert({ sqlite }: SqliteLedger, table: string, given: Values): void {
  const columns = sqlite.prepare(`SELECT name, type, dflt_value AS otherwise FROM pragma_table_info('${table}')`).all();
  const values: Values = {};
  for (const { name, type, otherwise } of columns)
    if (otherwise === null) values[String(name)] = type === "INTEGER" ? 0 : "";
  const row = { ...values, ...given };
  const names = Object.keys(row);
  sqlite
    .prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
    .run(...Object.values(row));
}

const ACCOUNT = { account: "acme" };
const INCIDENT = { ...ACCOUNT, domain: "", severity: "info", state: "open", evidence: "[]", causes: "[]" };
const NOTICE = { ...ACCOUNT, severity: "info", step: "opened", evidence: "[]", urgency: "digest", created_seconds: 5 };
const CHANNEL = { ...ACCOUNT, digest: "weekly", confirmed_seconds: 1 };
const DONE = { pages: 0, cursor: "", scanned: 0, enqueued: 0, graceSeconds: 0 };
const JOB = JSON.stringify({ filter: {}, dryRun: false, generation: 1, ...DONE });
const VERDICT = { ...ACCOUNT, domain: "a.example", policy: "none", reasons: "[]", senders: "[]" };

const UID = new Uint8Array(16).fill(1);
const VERSION = {
  rua: "",
  part: "",
  contentHash: "",
  generation: 1,
  receivedSeconds: 5,
  records: 1,
  total: 1,
  passed: 1,
};
const CONFLICT = JSON.stringify({
  reporter: "r.example",
  reportId: "1",
  accepted: { rawKey: "raw/a", ...VERSION },
  other: { rawKey: "raw/b", ...VERSION },
});
const SENDER = { ...ACCOUNT, domain: "a.example", source: "192.0.2.1", decided_seconds: 86_400 };
const FIRST_DAYS = { firstDay: 0, lastDay: 9, limit: 10 };

interface Case {
  table: string;
  known: Values;
  newer: Values;
  lists: Query<unknown>[];
}

const CASES: Case[] = [
  {
    table: "incidents",
    known: { ...INCIDENT, id: "a", rule: "newSender", account: "" },
    newer: { ...INCIDENT, id: "b", rule: "aNewerRule", account: "" },
    lists: [
      incidentsQuery([""], { state: "open", limit: 10 }),
      incidentsOfDomainsQuery([{ account: "", domain: "" }], 1000),
    ],
  },
  {
    table: "notices",
    known: { ...NOTICE, id: "a", rule: "newSender" },
    newer: { ...NOTICE, id: "b", rule: "aNewerRule" },
    lists: [noticesQuery(["acme"], 10)],
  },
  {
    table: "mutes",
    known: { ...ACCOUNT, rule: "" },
    newer: { ...ACCOUNT, rule: "aNewerRule" },
    lists: [mutesQuery(["acme"], 10)],
  },
  {
    table: "channels",
    known: { ...CHANNEL, id: "a", kind: "webhook" },
    newer: { ...CHANNEL, id: "b", kind: "carrierPigeon" },
    lists: [channelsQuery(["acme"]), digestChannelsQuery(), channelQuery("acme", "a")],
  },
  {
    table: "deliveries",
    known: { ...ACCOUNT, id: "a", kind: "notice", state: "sent" },
    newer: { ...ACCOUNT, id: "b", kind: "poem", state: "sent" },
    lists: [deliveriesQuery(["acme"], 10)],
  },
  {
    table: "jobs",
    known: { id: "a", kind: "reprocess", state: "done", job: JOB },
    newer: { id: "b", kind: "aNewerKind", state: "paused", job: JOB },
    lists: [newestJobsQuery(10)],
  },
  {
    table: "tokens",
    known: { ...ACCOUNT, id: "a", hash: new Uint8Array([1]), scope: "read" },
    newer: { ...ACCOUNT, id: "b", hash: new Uint8Array([2]), scope: "aNewerScope" },
    lists: [tokensQuery(undefined, "", 10)],
  },
  {
    table: "forward_targets",
    known: { ...ACCOUNT, id: "a", kind: "http" },
    newer: { ...ACCOUNT, id: "b", kind: "carrierPigeon" },
    lists: [targetsQuery()],
  },
  {
    table: "account_people",
    known: { ...ACCOUNT, email: "a@acme.example", role: "viewer" },
    newer: { ...ACCOUNT, email: "b@acme.example", role: "aNewerRole" },
    lists: [accountPeopleQuery(["acme"])],
  },
  {
    table: "domain_verdicts",
    known: { ...VERDICT, state: "ready" },
    newer: { ...VERDICT, domain: "b.example", state: "aNewerState" },
    lists: [domainVerdictsQuery(["acme"], { limit: 10 })],
  },
  {
    table: "conflicts",
    known: { ...ACCOUNT, id: "a", kind: "tls", uid: UID, content_hash: UID, conflict: CONFLICT },
    newer: { ...ACCOUNT, id: "b", kind: "aNewerKind", uid: UID, content_hash: UID, conflict: CONFLICT },
    lists: [conflictsQuery({ limit: 10 }), conflictsNamedQuery(["a", "b"])],
  },
  {
    table: "decisions",
    known: { ...ACCOUNT, uid: UID, content_hash: new Uint8Array([1]), decision: "counts" },
    newer: { ...ACCOUNT, uid: UID, content_hash: new Uint8Array([2]), decision: "aNewerDecision" },
    lists: [decisionsQuery("01".repeat(16))],
  },
  {
    table: "sender_decisions",
    known: { ...SENDER, decision: "mine" },
    newer: { ...SENDER, decision: "aNewerDecision", decided_seconds: 86_401 },
    lists: [
      senderDecisionsQuery("a.example", ["acme"]),
      decisionsOfPeriodQuery("a.example", ["acme"], FIRST_DAYS),
      accountDecisionsQuery("acme", FIRST_DAYS),
      senderHistoryQuery({ domain: "a.example", source: "192.0.2.1" }, ["acme"]),
    ],
  },
  {
    table: "forwards",
    known: { ...ACCOUNT, target: "t", uid: UID, kind: "tls", state: "waiting" },
    newer: { ...ACCOUNT, target: "t", uid: new Uint8Array([2]), kind: "aNewerKind", state: "waiting" },
    lists: [unsentReportsQuery(10), dueForwardsQuery("t", 10)],
  },
];

it.each(CASES)("$table: the list is without the row that only a newer version knows", async (one) => {
  const ledger = new SqliteLedger();
  insert(ledger, one.table, one.known);
  if (one.table === "incidents") insert(ledger, "domain_verdicts", { account: "", state: "ready" });
  for (const list of one.lists) expect(await ask(ledger, list)).toHaveLength(1);
  const before = await Promise.all(one.lists.map((list) => ask(ledger, list)));
  insert(ledger, one.table, one.newer);
  expect(await Promise.all(one.lists.map((list) => ask(ledger, list)))).toEqual(before);
});

it("words beside the one that a row is about are taken for the mildest that is known", async () => {
  const ledger = new SqliteLedger();
  insert(ledger, "notices", { ...NOTICE, id: "a", rule: "newSender", severity: "mild", step: "grew", urgency: "soon" });
  const incident = { ...INCIDENT, id: "a", rule: "newSender", account: "", severity: "mild", state: "paused" };
  insert(ledger, "incidents", incident);
  insert(ledger, "domain_verdicts", { ...VERDICT, state: "ready", policy: "archive", work: '[["aNewerCause"]]' });
  insert(ledger, "registered_domains", { ...ACCOUNT, domain: "a.example", setup: '{"records":[{"type":"CAA"}]}' });
  insert(ledger, "sender_decisions", { ...SENDER, decision: "aNewerDecision" });
  const known = [{ severity: "info", step: "opened", urgency: "digest" }];
  expect(await ask(ledger, noticesQuery(["acme"], 10))).toMatchObject(known);
  expect(await ask(ledger, incidentsQuery([""], { state: "open", limit: 10 }))).toMatchObject([
    { severity: "info", state: "open" },
  ]);
  expect(await ask(ledger, domainVerdictsQuery(["acme"], { limit: 10 }))).toMatchObject([{ policy: "" }]);
  expect(await ask(ledger, worklistQuery(["acme"]))).toEqual([]);
  expect(await ask(ledger, registeredDomainQuery("a.example", ["acme"]))).toMatchObject([{ setup: undefined }]);
  const names = [{ account: "acme", domain: "a.example" }];
  expect(await ask(ledger, factsQuery(names, FIRST_DAYS))).toMatchObject([{ decisions: [] }]);
});

it("an imported file has its outcomes, whatever they are called", async () => {
  const ledger = new SqliteLedger();
  const sha256 = "01".repeat(16);
  insert(ledger, "imports", { content_hash: UID, rua: "r@a.example", raw_key: "raw/a", object_hash: UID });
  const outcomes = '[{"outcome":"accepted","id":"x","kind":"aNewerKind"},{"outcome":"postponed","id":"y","parts":3}]';
  insert(ledger, "objects", { rua: "r@a.example", object_hash: UID, outcomes });
  const [found] = await ask(ledger, knownImportsQuery([sha256]));
  expect(countOutcomes(found?.outcomes ?? [])).toEqual({ accepted: 1, postponed: 3 });
});

it("a dead letter has its sentence, and says that the reason is of a newer version", async () => {
  const ledger = new SqliteLedger();
  const letter = { message: "The moon was full.", stage: "aNewerStage", queueMessage: {}, counts: { full_moon: 2 } };
  insert(ledger, "dead_letters", { id: "20261110-a", code: "full_moon", letter: JSON.stringify(letter) });
  const [found] = await ask(ledger, deadLettersQuery({}, { limit: 10 }));
  expect(found && deadLetterOf(found)).toMatchObject({
    reason: { code: "full_moon", message: "The moon was full.", counts: { full_moon: 2 } },
    advice: "This version does not know the reason. Deploy the newer one that filed it, or discard it.",
  });
});

it("a person keeps the roles that are known, and is nobody's operator by another", async () => {
  const ledger = new SqliteLedger();
  const email = "a@acme.example";
  insert(ledger, "people", { email, role: "aNewerRole", accounts: "[]" });
  insert(ledger, "account_people", { email, account: "acme", role: "viewer" });
  insert(ledger, "account_people", { email, account: "other", role: "aNewerRole" });
  const [person] = await ask(ledger, peopleQuery());
  expect(person?.authority).toEqual({ isOperator: false, accounts: { acme: "viewer" } });
});

it("a change in the log with another outcome is there, its outcome unknown", async () => {
  const ledger = new SqliteLedger();
  insert(ledger, "audit_log", { id: 1, outcome: "postponed", input: "{}", state_before: "null" });
  const found = await ask(ledger, auditQuery({}, { limit: 10 }));
  expect(found).toMatchObject([{ id: 1, outcome: "unknown" }]);
});
