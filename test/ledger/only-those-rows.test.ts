/** A change of some rows leaves all others as they are, also those that differ in one column only, or are at a bound. */
import type { SQLInputValue } from "node:sqlite";
import { expect, it } from "vitest";
import { UNCHECKED } from "../../shared/authentication/sender-state.ts";
import { removeAccountLogo, setAccountName } from "../../shared/ledger/accounts.ts";
import { removeExpiredNames } from "../../shared/ledger/address-names.ts";
import { endAudit, removeOldAudit } from "../../shared/ledger/audit.ts";
import {
  catchUp,
  confirmChannel,
  leaveAlone,
  removeChannel,
  removeOldDeliveries,
  removeUnasked,
  unconfirmAddress,
} from "../../shared/ledger/channels.ts";
import { putAcceptedVersions, refuseChosen, removeConflicts, removeDecision } from "../../shared/ledger/conflicts.ts";
import { type Change, change } from "../../shared/ledger/database.ts";
import { removeOldDayUses } from "../../shared/ledger/day-uses.ts";
import { markDiscarded, removeDeadLetters, reopen } from "../../shared/ledger/dead-letters.ts";
import { removeOldFaults } from "../../shared/ledger/faults.ts";
import { dropNames, removeOldForgotten } from "../../shared/ledger/forgotten.ts";
import { putNextPart, removeOldForwards, removeTarget, retryFailed } from "../../shared/ledger/forwards.ts";
import { removeOldImports } from "../../shared/ledger/imports.ts";
import { removeOldJobs } from "../../shared/ledger/jobs.ts";
import { removeMute, removeOldNotices } from "../../shared/ledger/notices.ts";
import { putUnfinished } from "../../shared/ledger/objects.ts";
import { notePersonSeen, putPerson, removeAccountPerson, removePerson } from "../../shared/ledger/people.ts";
import { removeOldRefusedMail } from "../../shared/ledger/refused-mail.ts";
import { forgetUnreported } from "../../shared/ledger/registered-domains.ts";
import {
  markSlice,
  removeFinishedSlices,
  removeOlderSlices,
  removeReservedSlices,
  removeSlices,
} from "../../shared/ledger/slices.ts";
import { changeTags, setGroup } from "../../shared/ledger/tags.ts";
import { noteTokenUse, revokeToken } from "../../shared/ledger/tokens.ts";
import { TOKEN_LIMITS } from "../../shared/limits.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

type Row = Record<string, SQLInputValue>;

/** The rows of a table that a change is about, and the rows beside them. */
interface Case {
  table: string;
  theirs: Row[];
  others: Row[];
}

/** Adds a row: what it does not say is 0, "" or no bytes. */
function add({ sqlite }: SqliteLedger, table: string, row: Row): void {
  const columns = sqlite.prepare("SELECT name, type, dflt_value AS given FROM pragma_table_info(?)").all(table);
  expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(row)));
  const values = columns.flatMap(({ name, type, given }): [string, SQLInputValue][] => {
    const value = row[String(name)];
    if (value !== undefined) return [[String(name), value]];
    if (given !== null) return [];
    return [[String(name), type === "TEXT" ? "" : type === "BLOB" ? new Uint8Array() : 0]];
  });
  const names = values.map(([name]) => name);
  const sql = `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => "?").join()})`;
  sqlite.prepare(sql).run(...values.map(([, value]) => value));
}

function rowsOf({ sqlite }: SqliteLedger, table: string): Row[] {
  return sqlite.prepare(`SELECT * FROM ${table}`).all();
}

async function expectChanged(changes: Change | Change[], cases: Case[]): Promise<void> {
  const ledger = new SqliteLedger();
  for (const { table, others } of cases) for (const row of others) add(ledger, table, row);
  const before = new Map(cases.map(({ table }) => [table, rowsOf(ledger, table)]));
  for (const { table, theirs } of cases) for (const row of theirs) add(ledger, table, row);
  const whole = new Map(cases.map(({ table }) => [table, rowsOf(ledger, table)]));
  await change(ledger, Array.isArray(changes) ? changes : [changes]);
  for (const { table, others, theirs } of cases) {
    const [stay, all, after] = [before.get(table) ?? [], whole.get(table) ?? [], rowsOf(ledger, table)];
    expect([stay.length, all.length], table).toEqual([others.length, others.length + theirs.length]);
    const unchanged = all.filter((row) => after.some((one) => JSON.stringify(one) === JSON.stringify(row)));
    expect(unchanged, table).toEqual(stay);
    expect(after.length, table).toBeLessThanOrEqual(all.length);
  }
}

const bytes = (digit: string): Uint8Array => new Uint8Array(Buffer.from(digit.repeat(32), "hex"));
const A = "a".repeat(32);
const [UID, OTHER] = [bytes("a"), bytes("b")];
const VERSION = {
  rawKey: "raw/2",
  rua: "dmarc@acme.example",
  part: "",
  contentHash: A,
  receivedSeconds: 1,
  generation: 1,
  records: 1,
  total: 1,
  passed: 1,
  sender: UNCHECKED,
};

it.each<[string, Change | Change[], Case[]]>([
  [
    "the name of an account",
    setAccountName("acme", "Acme"),
    [{ table: "accounts", theirs: [{ account: "acme" }], others: [{ account: "beta" }] }],
  ],
  [
    "the group of an account",
    setGroup({ account: "acme", group: "g" }),
    [{ table: "accounts", theirs: [{ account: "acme" }], others: [{ account: "beta" }] }],
  ],
  [
    "the logo of an account",
    removeAccountLogo("acme"),
    [{ table: "account_logos", theirs: [{ account: "acme" }], others: [{ account: "beta" }] }],
  ],
  [
    "an entry of the audit log",
    endAudit(1, { outcome: "done", message: "m", after: "{}", account: "acme", domain: "" }),
    [{ table: "audit_log", theirs: [{ id: 1 }], others: [{ id: 2 }] }],
  ],
  [
    "conflicts",
    removeConflicts(["1", "2"]),
    [{ table: "conflicts", theirs: [{ id: "1" }, { id: "2" }], others: [{ id: "3" }] }],
  ],
  [
    "the version that counts, in the conflicts of its report",
    putAcceptedVersions([{ uid: A, accepted: VERSION }]),
    [
      {
        table: "conflicts",
        theirs: [
          { id: "1", uid: UID, conflict: "{}" },
          { id: "2", uid: UID, conflict: "{}" },
        ],
        others: [{ id: "3", uid: OTHER, conflict: "{}" }],
      },
    ],
  ],
  [
    "the versions of a report that were chosen",
    refuseChosen({ uid: A, decidedBy: "ann@acme.example", reason: "r", decidedSeconds: 9 }),
    [
      {
        table: "decisions",
        theirs: [
          { uid: UID, content_hash: UID, decision: "replaces" },
          { uid: UID, content_hash: OTHER, decision: "replaces" },
        ],
        others: [
          { uid: UID, content_hash: bytes("c"), decision: "taken_back" },
          { uid: OTHER, content_hash: UID, decision: "replaces" },
        ],
      },
    ],
  ],
  [
    "a decision",
    removeDecision({ uid: A, contentHash: A }),
    [
      {
        table: "decisions",
        theirs: [{ uid: UID, content_hash: UID }],
        others: [
          { uid: UID, content_hash: OTHER },
          { uid: OTHER, content_hash: UID },
        ],
      },
    ],
  ],
  ["dead letters", removeDeadLetters(["1"]), [{ table: "dead_letters", theirs: [{ id: "1" }], others: [{ id: "2" }] }]],
  [
    "dead letters that are discarded",
    markDiscarded(["1"], "ann@acme.example", 9),
    [{ table: "dead_letters", theirs: [{ id: "1" }], others: [{ id: "2" }] }],
  ],
  [
    "dead letters that are opened again",
    reopen([{ id: "1", generation: 2 }]),
    [
      {
        table: "dead_letters",
        theirs: [{ id: "1", discarded_seconds: 5 }],
        others: [{ id: "2", discarded_seconds: 5 }],
      },
    ],
  ],
  [
    "a target of forwarding, with what waits for it",
    removeTarget("t"),
    [
      { table: "forward_targets", theirs: [{ id: "t" }], others: [{ id: "u" }] },
      { table: "forwards", theirs: [{ target: "t", uid: UID }], others: [{ target: "u", uid: UID }] },
    ],
  ],
  [
    "failed reports of a target",
    retryFailed("t", 9),
    [
      { table: "forward_targets", theirs: [{ id: "t", failures: 3 }], others: [{ id: "u", failures: 3 }] },
      {
        table: "forwards",
        theirs: [{ target: "t", uid: UID, state: "failed" }],
        others: [
          { target: "t", uid: OTHER, state: "waiting" },
          { target: "u", uid: UID, state: "failed" },
        ],
      },
    ],
  ],
  [
    "the next part of a report to forward",
    putNextPart("t", { uid: A, createdSeconds: 5 }, 2),
    [
      {
        table: "forwards",
        theirs: [{ target: "t", uid: UID, created_seconds: 5 }],
        others: [
          { target: "u", uid: UID, created_seconds: 5 },
          { target: "t", uid: OTHER, created_seconds: 5 },
          { target: "v", uid: UID, created_seconds: 6 },
        ],
      },
    ],
  ],
  [
    "the names of a job that forgets",
    dropNames("j"),
    [
      {
        table: "forgotten",
        theirs: [
          { job_id: "j", kind: "domain", name: "acme.example", name_hash: UID },
          { job_id: "j", kind: "address", name: "dmarc@acme.example", name_hash: OTHER },
        ],
        others: [{ job_id: "k", kind: "domain", name: "beta.example", name_hash: bytes("c") }],
      },
    ],
  ],
  [
    "a mute",
    removeMute({ account: "acme", domain: "acme.example", rule: "recordBroke", subject: "spf" }),
    [
      {
        table: "mutes",
        theirs: [{ account: "acme", domain: "acme.example", rule: "recordBroke", subject: "spf" }],
        others: [
          { account: "beta", domain: "acme.example", rule: "recordBroke", subject: "spf" },
          { account: "acme", domain: "beta.example", rule: "recordBroke", subject: "spf" },
          { account: "acme", domain: "acme.example", rule: "tlsFails", subject: "spf" },
          { account: "acme", domain: "acme.example", rule: "recordBroke", subject: "dkim" },
        ],
      },
    ],
  ],
  [
    "a day without unfinished objects",
    putUnfinished({ day: 5, objects: 0, seenSeconds: 9 }),
    [{ table: "unfinished_days", theirs: [{ day: 5 }], others: [{ day: 6 }] }],
  ],
  [
    "a person",
    removePerson("ann@acme.example"),
    [
      { table: "people", theirs: [{ email: "ann@acme.example" }], others: [{ email: "bob@acme.example" }] },
      {
        table: "account_people",
        theirs: [{ account: "acme", email: "ann@acme.example" }],
        others: [{ account: "acme", email: "bob@acme.example" }],
      },
    ],
  ],
  [
    "what a person may do",
    putPerson(
      { email: "ann@acme.example", entry: { role: "operator", accounts: [] } },
      { by: "olga@example.net", nowSeconds: 9 },
    ),
    [
      {
        table: "people",
        theirs: [{ email: "ann@acme.example", role: "member" }],
        others: [{ email: "bob@acme.example", role: "member" }],
      },
      {
        table: "account_people",
        theirs: [{ account: "acme", email: "ann@acme.example" }],
        others: [{ account: "acme", email: "bob@acme.example" }],
      },
    ],
  ],
  [
    "a person's role in an account",
    removeAccountPerson({ account: "acme", email: "ann@acme.example" }, 9),
    [
      {
        table: "account_people",
        theirs: [{ account: "acme", email: "ann@acme.example" }],
        others: [
          { account: "beta", email: "ann@acme.example" },
          { account: "acme", email: "bob@acme.example" },
        ],
      },
    ],
  ],
  [
    "when a person came first",
    notePersonSeen("ann@acme.example", 9),
    [{ table: "people", theirs: [{ email: "ann@acme.example" }], others: [{ email: "bob@acme.example" }] }],
  ],
  [
    "what is kept of a domain without reports",
    forgetUnreported({ account: "acme", domain: "a.example" }),
    [
      {
        table: "domain_checks",
        theirs: [{ account: "acme", domain: "a.example" }],
        others: [
          { account: "acme", domain: "b.example" },
          { account: "beta", domain: "a.example" },
        ],
      },
      {
        table: "domain_verdicts",
        theirs: [{ account: "acme", domain: "a.example" }],
        others: [
          { account: "acme", domain: "b.example" },
          { account: "beta", domain: "a.example" },
        ],
      },
    ],
  ],
  [
    "slices of a report",
    removeSlices({ uid: A, generation: 2 }),
    [
      {
        table: "slices",
        theirs: [{ uid: UID, generation: 2 }],
        others: [
          { uid: UID, generation: 3 },
          { uid: OTHER, generation: 2 },
        ],
      },
    ],
  ],
  [
    "slices of earlier generations",
    removeOlderSlices([{ uid: A, generation: 2 }]),
    [
      {
        table: "slices",
        theirs: [{ uid: UID, generation: 1 }],
        others: [
          { uid: UID, generation: 2 },
          { uid: OTHER, generation: 1 },
        ],
      },
    ],
  ],
  [
    "a written slice",
    markSlice({ uid: A, generation: 2, slice: 1 }, "1"),
    [
      {
        table: "slices",
        theirs: [{ uid: UID, generation: 2, state: "000" }],
        others: [
          { uid: UID, generation: 1, state: "000" },
          { uid: OTHER, generation: 2, state: "000" },
        ],
      },
    ],
  ],
  [
    "slices that were reserved and not committed",
    removeReservedSlices(["raw/1"]),
    [
      {
        table: "slices",
        theirs: [{ uid: UID, generation: 1, raw_key: "raw/1", state: "01" }],
        others: [
          { uid: UID, generation: 2, raw_key: "raw/2", state: "01" },
          { uid: UID, generation: 3, raw_key: "raw/1", state: "01." },
          { uid: UID, generation: 4, raw_key: "raw/1", state: "0d" },
        ],
      },
    ],
  ],
  [
    "tags of domains",
    changeTags("acme", ["a.example"], { add: [], remove: ["shop"] }),
    [
      {
        table: "domain_tags",
        theirs: [{ account: "acme", domain: "a.example", tag: "shop" }],
        others: [
          { account: "beta", domain: "a.example", tag: "shop" },
          { account: "acme", domain: "b.example", tag: "shop" },
          { account: "acme", domain: "a.example", tag: "news" },
        ],
      },
    ],
  ],
  [
    "a token that is revoked",
    revokeToken("acme", "1", 9),
    [
      {
        table: "tokens",
        theirs: [{ id: "1", account: "acme", hash: UID }],
        others: [{ id: "2", account: "acme", hash: OTHER }],
      },
    ],
  ],
  [
    "no token of another account, and none that was revoked before",
    [revokeToken("beta", "1", 9), revokeToken("acme", "2", 9)],
    [
      {
        table: "tokens",
        theirs: [],
        others: [
          { id: "1", account: "acme", hash: UID },
          { id: "2", account: "acme", hash: OTHER, revoked_seconds: 5 },
        ],
      },
    ],
  ],
  [
    "a channel that is confirmed",
    confirmChannel("acme", "c", 9),
    [{ table: "channels", theirs: [{ id: "c", account: "acme" }], others: [{ id: "d", account: "acme" }] }],
  ],
  [
    "no channel of another account, and none that was confirmed before",
    [confirmChannel("beta", "c", 9), confirmChannel("acme", "d", 9)],
    [
      {
        table: "channels",
        theirs: [],
        others: [
          { id: "c", account: "acme" },
          { id: "d", account: "acme", confirmed_seconds: 5 },
        ],
      },
    ],
  ],
  [
    "a mail address that must be confirmed again",
    unconfirmAddress("ann@acme.example", ["acme", "beta"], ["beta"]),
    [
      {
        table: "channels",
        theirs: [{ id: "1", account: "acme", kind: "email", target: "Ann@acme.example", confirmed_seconds: 5 }],
        others: [
          { id: "2", account: "acme", kind: "email", target: "bob@acme.example", confirmed_seconds: 5 },
          { id: "3", account: "beta", kind: "email", target: "ann@acme.example", confirmed_seconds: 5 },
          { id: "4", account: "gamma", kind: "email", target: "ann@acme.example", confirmed_seconds: 5 },
          { id: "5", account: "acme", kind: "webhook", target: "ann@acme.example", confirmed_seconds: 5 },
        ],
      },
    ],
  ],
  [
    "a channel, with what waits for it",
    removeChannel({ account: "acme", id: "c", target: "ann@acme.example" }),
    [
      {
        table: "channels",
        theirs: [{ id: "c", account: "acme" }],
        others: [{ id: "d", account: "acme" }],
      },
      {
        table: "deliveries",
        theirs: [
          { id: "1", channel: "c", account: "acme", kind: "notice" },
          { id: "2", channel: "c", account: "acme", kind: "confirm", state: "waiting" },
        ],
        others: [
          { id: "3", channel: "d", account: "acme", kind: "notice" },
          { id: "4", channel: "d", account: "acme", kind: "confirm", state: "waiting" },
        ],
      },
    ],
  ],
  [
    "no channel of another account",
    removeChannel({ account: "beta", id: "c", target: "ann@acme.example" }),
    [{ table: "channels", theirs: [], others: [{ id: "c", account: "acme" }] }],
  ],
  [
    "a channel that could not be asked",
    [removeUnasked("c"), removeUnasked("d")],
    [
      { table: "channels", theirs: [{ id: "c" }], others: [{ id: "d" }, { id: "e" }] },
      { table: "deliveries", theirs: [], others: [{ id: "1", channel: "d" }] },
    ],
  ],
  [
    "a channel that does not answer",
    leaveAlone("c", 100),
    [
      { table: "channels", theirs: [{ id: "c" }], others: [{ id: "d" }] },
      {
        table: "deliveries",
        theirs: [{ id: "1", channel: "c", state: "waiting", next_seconds: 50 }],
        others: [
          { id: "2", channel: "d", state: "waiting", next_seconds: 50 },
          { id: "3", channel: "c", state: "sent", next_seconds: 50 },
          { id: "4", channel: "c", state: "waiting", next_seconds: 150 },
        ],
      },
    ],
  ],
  [
    "a channel that answers again",
    catchUp("c", 100),
    [
      { table: "channels", theirs: [{ id: "c", unanswered: 2 }], others: [{ id: "d", unanswered: 2 }] },
      {
        table: "deliveries",
        theirs: [{ id: "1", channel: "c", state: "waiting", next_seconds: 150 }],
        others: [
          { id: "2", channel: "d", state: "waiting", next_seconds: 150 },
          { id: "3", channel: "c", state: "sent", next_seconds: 150 },
          { id: "4", channel: "c", state: "waiting", next_seconds: 50 },
          { id: "5", channel: "c", state: "waiting", next_seconds: 150, claimed_seconds: 90 },
        ],
      },
    ],
  ],
])("%s", (_, changes, cases) => expectChanged(changes, cases));

it.each<[string, Change | Change[], Case[]]>([
  [
    "address names",
    removeExpiredNames(100),
    [
      {
        table: "address_names",
        theirs: [{ address: "1", expires_seconds: 100 }],
        others: [{ address: "2", expires_seconds: 101 }],
      },
    ],
  ],
  [
    "audit entries",
    removeOldAudit(100),
    [{ table: "audit_log", theirs: [{ id: 1, at_seconds: 99 }], others: [{ id: 2, at_seconds: 100 }] }],
  ],
  [
    "deliveries",
    removeOldDeliveries(100),
    [
      {
        table: "deliveries",
        theirs: [{ id: "1", state: "sent", finished_seconds: 99 }],
        others: [
          { id: "2", state: "sent", finished_seconds: 100 },
          { id: "3", state: "waiting", finished_seconds: 0 },
        ],
      },
    ],
  ],
  [
    "sums of a day's mail",
    removeOldDayUses(100),
    [{ table: "day_uses", theirs: [{ account: "acme", day: 99 }], others: [{ account: "acme", day: 100 }] }],
  ],
  [
    "faults",
    removeOldFaults(100),
    [
      {
        table: "faults",
        theirs: [{ message_hash: "1", at_seconds: 99 }],
        others: [{ message_hash: "2", at_seconds: 100 }],
      },
    ],
  ],
  [
    "hashes of what was forgotten",
    removeOldForgotten(100),
    [
      {
        table: "forgotten",
        theirs: [{ job_id: "j", name_hash: UID, name: "", forgotten_seconds: 99 }],
        others: [
          { job_id: "j", name_hash: OTHER, name: "", forgotten_seconds: 100 },
          { job_id: "j", name_hash: bytes("c"), name: "acme.example", forgotten_seconds: 99 },
        ],
      },
    ],
  ],
  [
    "reports that could not be forwarded",
    removeOldForwards(100),
    [
      {
        table: "forwards",
        theirs: [{ target: "t", uid: UID, state: "failed", created_seconds: 99 }],
        others: [
          { target: "t", uid: OTHER, state: "failed", created_seconds: 100 },
          { target: "t", uid: bytes("c"), state: "waiting", created_seconds: 99 },
        ],
      },
    ],
  ],
  [
    "what was imported",
    removeOldImports(100),
    [
      {
        table: "imports",
        theirs: [{ content_hash: UID, imported_seconds: 99 }],
        others: [{ content_hash: OTHER, imported_seconds: 100 }],
      },
    ],
  ],
  [
    "jobs",
    removeOldJobs(100),
    [
      {
        table: "jobs",
        theirs: [{ id: "1", state: "done", updated_seconds: 99 }],
        others: [
          { id: "2", state: "done", updated_seconds: 100 },
          { id: "3", state: "running", updated_seconds: 99 },
          { id: "4", state: "cancelled", updated_seconds: 99 },
        ],
      },
      { table: "skipped_objects", theirs: [], others: [{ job_id: "4" }] },
    ],
  ],
  [
    "incidents and notices",
    removeOldNotices(100),
    [
      {
        table: "incidents",
        theirs: [{ id: "1", subject: "1", resolved_seconds: 99 }],
        others: [
          { id: "2", subject: "2", resolved_seconds: 100 },
          { id: "3", subject: "3", resolved_seconds: 0 },
        ],
      },
      { table: "notices", theirs: [{ id: "1", created_seconds: 99 }], others: [{ id: "2", created_seconds: 100 }] },
    ],
  ],
  [
    "refused mail",
    removeOldRefusedMail(100),
    [{ table: "refused_mail", theirs: [{ day: 99, rua: "1" }], others: [{ day: 100, rua: "2" }] }],
  ],
  [
    "slices that are all written",
    removeFinishedSlices(100),
    [
      {
        table: "slices",
        theirs: [
          { uid: UID, generation: 1, state: "11.", started_seconds: 500 },
          { uid: UID, generation: 2, state: "11", started_seconds: 99 },
        ],
        others: [
          { uid: UID, generation: 3, state: "11", started_seconds: 100 },
          { uid: UID, generation: 4, state: "10.", started_seconds: 99 },
          { uid: UID, generation: 5, state: "1d.", started_seconds: 99 },
        ],
      },
    ],
  ],
  [
    "the last use of a token",
    noteTokenUse("1", 10_000),
    [
      {
        table: "tokens",
        theirs: [{ id: "1", hash: UID, last_used_seconds: 10_000 - TOKEN_LIMITS.usedSeconds }],
        others: [{ id: "2", hash: OTHER, last_used_seconds: 0 }],
      },
    ],
  ],
])("by time: %s", (_, changes, cases) => expectChanged(changes, cases));
