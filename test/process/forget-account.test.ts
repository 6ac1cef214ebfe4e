/**
 * Forgetting an account, on the simulated platform with two databases: more than a thousand names are planted wherever the
 * pipeline keeps any, and afterwards a dump of D1, KV and R2 has none of them; the neighbour has what it had.
 */
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { ACCOUNT_TABLES, OTHER_TABLES } from "../../shared/ledger/account-tables.ts";
import { putAddressNames } from "../../shared/ledger/address-names.ts";
import { removeAddress } from "../../shared/ledger/addresses.ts";
import { change } from "../../shared/ledger/database.ts";
import { recordFault } from "../../shared/ledger/faults.ts";
import { readAccountRows, removeAccountRows } from "../../shared/ledger/forget.ts";
import { addForwards } from "../../shared/ledger/forwards.ts";
import { findJob, type Job } from "../../shared/ledger/jobs.ts";
import { addNotices, keepIncidents } from "../../shared/ledger/notices.ts";
import { putPerson } from "../../shared/ledger/people.ts";
import { FIGURE_LIMITS, FORGET_LIMITS, UPKEEP_LIMITS } from "../../shared/limits.ts";
import { OPERATOR } from "../../shared/people.ts";
import { checkAndKeep } from "../../workers/process/domains/check-domains.ts";
import { registerDomains } from "../../workers/process/domains/register-domains.ts";
import { putRegistration } from "../../workers/process/domains/registrations.ts";
import { inShardOf } from "../../workers/process/env.ts";
import { createTarget } from "../../workers/process/forward/targets.ts";
import { startForgetting, startJob } from "../../workers/process/jobs/start-job.ts";
import { createChannel, testChannel } from "../../workers/process/operations/channels.ts";
import { decideConflict } from "../../workers/process/operations/conflicts.ts";
import { decideSender } from "../../workers/process/operations/decide-sender.ts";
import { exportAccount } from "../../workers/process/operations/export-account.ts";
import { setMtaSts } from "../../workers/process/operations/host-mta-sts.ts";
import { importAccounts } from "../../workers/process/operations/import-accounts.ts";
import { mute } from "../../workers/process/operations/mutes.ts";
import { takeBackReport } from "../../workers/process/operations/take-back.ts";
import { createToken } from "../../workers/process/operations/tokens.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { watchDomains } from "../../workers/process/watch/round.ts";
import { sumAllUses, wrongUses } from "../support/day-uses.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { migrations } from "../support/migrations.ts";
import { sampleReport, sampleTlsReport } from "../support/sample-report.ts";
import { FAULT_MODES } from "../support/simulation/faults.ts";
import { failureMail, mailOf, records, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const DOMAINS = 150;
const NEIGHBOUR = "neighbour";
const NEIGHBOUR_RUA = "dmarc@neighbour.example";
const SHARED_RUA = "shared@rua.example";
const BOTH = "both@people.example";
const PLANTED = /zq\d{4}x/g;

let simulation: Simulation;
let planted: number;

beforeEach(() => {
  simulation = new Simulation({ shards: 2 });
  planted = 0;
});

/** A name that is nowhere else. */
function name(): string {
  planted += 1;
  return `zq${String(planted).padStart(4, "0")}x`;
}

interface Planted {
  account: string;
  domains: { domain: string; rua: string }[];
}

interface Attachment {
  fileName: string;
  content: string;
}

/** A mail whose headers name somebody, too. */
function mail(to: string, { fileName, content }: Attachment): { from: string; to: string; raw: Uint8Array } {
  const raw = [
    `From: ${name()}@reporter.example`,
    `To: ${to}`,
    `Subject: Report ${name()}`,
    `Message-ID: <${name()}@reporter.example>`,
    "MIME-Version: 1.0",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: application/octet-stream",
    `Content-Disposition: attachment; filename="${fileName}"`,
    "Content-Transfer-Encoding: base64",
    "",
    Buffer.from(content).toString("base64"),
    "--b--",
    "",
  ].join("\r\n");
  return { from: `${name()}@reporter.example`, to, raw: Buffer.from(raw) };
}

function aggregate(domain: string, reportId = name()): string {
  return sampleReport({ reportId, orgName: name(), domain })
    .replaceAll("<header_from>acme.example", `<header_from>${domain}`)
    .replaceAll("<dkim><domain>acme.example", `<dkim><domain>${name()}.sender.example`);
}

/** Domains with an address each, and their mail. */
async function plantMail(): Promise<Planted> {
  const account = name();
  const domains = Array.from({ length: DOMAINS }, () => ({
    domain: `${name()}.example`,
    rua: `${name()}@rua.example`,
  }));
  // The first account of a simulation lives in the second database.
  simulation.register(SHARED_RUA, { account });
  simulation.register(NEIGHBOUR_RUA, { account: NEIGHBOUR });
  for (const { domain, rua } of domains) {
    await putRegistration(rua, { account, domains: [domain], failureReports: "store" }, simulation.invocation());
    await simulation.deliver(mail(rua, { fileName: `${name()}.xml`, content: aggregate(domain) }));
  }
  const [first, second, third, fourth] = domains;
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) throw new Error();
  const reportId = name();
  await simulation.deliver(mail(first.rua, { fileName: `${name()}.xml`, content: aggregate(first.domain, reportId) }));
  const conflicting = sampleReport({ reportId: "same", domain: first.domain, records: records(2) });
  await simulation.deliver(mail(first.rua, { fileName: "a.xml", content: conflicting }));
  const others = [3, 4].map((count) =>
    sampleReport({ reportId: "same", domain: first.domain, records: records(count) }),
  );
  for (const content of others) await simulation.deliver(mail(first.rua, { fileName: "b.xml", content }));
  await simulation.deliver(mail(second.rua, { fileName: `${name()}.xml`, content: "<feedback>cut off" }));
  await simulation.deliver(
    mail(second.rua, { fileName: `${name()}.json`, content: sampleTlsReport(second.domain, "2026-11-19") }),
  );
  const large = sampleReport({ reportId: name(), domain: third.domain, records: records(600) });
  await simulation.deliver(mail(third.rua, { fileName: "large.xml", content: large }));
  // An address that the account had before: mail to it is refused, and noted.
  await simulation.drain();
  const { KV_DMARC_REPORTS: copy } = simulation.invocation().env;
  // KV takes one write of a key a second.
  simulation.clock.nowMilliseconds += 1000;
  await removeAddress(fourth.rua, { directory: simulation.ledger, copy }, simulation.invocation().nowSeconds);
  await simulation.deliver(mail(fourth.rua, { fileName: "x.xml", content: aggregate(fourth.domain) }));
  return { account, domains: domains.filter((one) => one !== fourth) };
}

/** The same mail to two accounts, and more of the neighbour's own. */
async function neighboursMail(): Promise<void> {
  for (const rua of [SHARED_RUA, NEIGHBOUR_RUA]) await simulation.deliver(reportMail("both", records(4), rua));
  await simulation.deliver(reportMail("own", records(5), NEIGHBOUR_RUA));
  await simulation.drain();
}

/** What people enter and decide, what was found, and the notices about it. */
async function plantDecisions({ account, domains }: Planted): Promise<void> {
  const invocation = simulation.invocation();
  const [first, second] = domains;
  if (first === undefined || second === undefined) throw new Error("There are domains.");
  const caller = { name: `${name()}@people.example`, role: "operator" as const, authority: OPERATOR };
  for (let i = 0; i < 20; i++) {
    const entry = { role: i % 2 === 0 ? ("viewer" as const) : ("administrator" as const), accounts: [account] };
    await change(
      simulation.ledger,
      putPerson({ email: `${name()}@people.example`, entry }, { by: name(), nowSeconds: 1 }),
    );
  }
  const both = { email: BOTH, entry: { role: "viewer" as const, accounts: [account, NEIGHBOUR] } };
  await change(simulation.ledger, putPerson(both, { by: "", nowSeconds: 1 }));
  // As an earlier version kept it, and as the migration of roles leaves it.
  const earlier = `${name()}@people.example`;
  simulation.ledger.sqlite.exec(`INSERT INTO people (email, role, accounts, changed_seconds)
    VALUES ('${earlier}', 'owner', '["${account}"]', 1)`);
  simulation.ledger.sqlite.exec(`INSERT INTO account_people (account, email, role, added_by, added_seconds)
    VALUES ('${account}', '${earlier}', 'administrator', '', 1)`);
  for (let i = 0; i < 5; i++) {
    const settings = { kind: "webhook", name: name(), target: `https://${name()}.example/x`, digest: "daily" } as const;
    const channel = await createChannel(
      { account, ...settings, sendsNotices: true, timeZone: "Europe/Berlin" },
      { invocation, caller },
    );
    if (!channel.ok) throw new Error(channel.error.message);
    await testChannel({ account, id: channel.value.id }, { invocation, caller });
  }
  const lake = { kind: "http", name: name(), url: `https://${name()}.example/x`, withRecords: true } as const;
  const keys = { secret: "", region: "", accessKeyId: "" };
  expect(await createTarget({ account, ...lake, ...keys }, { invocation, caller })).toMatchObject({ ok: true });
  const program = { account, name: name(), scope: "read" } as const;
  expect(await createToken(program, { invocation, caller })).toMatchObject({ ok: true });
  const waiting = domains.slice(0, 5).map(({ domain }) => ({ account, kind: "aggregate", domain, day: 1 }) as const);
  const uidStart = "0123456789abcdef0123456789abcde";
  await change(simulation.ledger, [
    addForwards(
      waiting.map((report, i) => ({ ...report, uid: `${uidStart}${i}` })),
      1,
    ),
  ]);
  for (const { domain } of domains.slice(0, 20)) {
    const source = `${name()}.sender.example`;
    const decided = { decision: "mine", note: name(), by: `${name()}@people.example` } as const;
    expect(await decideSender({ account, domain, source }, decided, invocation)).toMatchObject({ ok: true });
    await mute({ account, domain, subject: name(), note: name() }, `${name()}@people.example`, invocation);
  }
  const policy = { mode: "testing" as const, mx: [`${name()}.example`], maxAgeSeconds: 86_400 };
  const served = await setMtaSts({ account, domain: first.domain }, policy, { caller, invocation });
  if (!served.ok) throw new Error(served.error.message);
  const own = `${name()}.example`;
  await registerDomains({ account, domains: [own] }, invocation, (count) => new Uint8Array(count).fill(7));
  const [conflict] = simulation.rows<{ id: string }>("SELECT id FROM conflicts");
  await decideConflict(
    conflict?.id ?? "",
    { decision: "replace", note: { by: caller.name, reason: name() } },
    invocation,
  );
  const [taken] = simulation.rows<{ domain: string; day: number; uid: Uint8Array }>(
    `SELECT domain, day, uid FROM reports WHERE kind = 'aggregate' AND domain = '${second.domain}'`,
  );
  const reference = { account, kind: "aggregate" as const, domain: second.domain, day: taken?.day ?? 0 };
  const uid = Buffer.from(taken?.uid ?? []).toString("hex");
  const back = await takeBackReport({ ...reference, uid }, { by: caller.name, reason: name() }, invocation);
  expect(back).not.toHaveProperty("refused");
  await startJob({ kind: "reprocess", random: 0.1 }, { filter: { domain: second.domain } }, invocation);
  await simulation.drain();
}

/** What process finds by itself, and what it notes of faults. */
async function plantFindings({ account, domains }: Planted): Promise<void> {
  const [first, second] = domains;
  if (first === undefined || second === undefined) throw new Error("There are domains.");
  const zones = { [`_dmarc.${first.domain}`]: [`TXT v=DMARC1; p=none; rua=mailto:${name()}@rua.example`] };
  await using server = await startDnsServer(zones);
  const outside = {
    resolver: httpsResolver(server.url, fetch),
    nameResolver: httpsResolver(server.url, fetch),
    fetchPolicy: async () => ({ problem: "the server answers 404", isUnanswered: false }),
  };
  const check = async () =>
    checkAndKeep({ account, domain: first.domain }, await inShardOf(account, simulation.invocation()), outside);
  expect(await check()).toBeDefined();
  zones[`_dmarc.${first.domain}`] = [`TXT v=DMARC1; p=reject; rua=mailto:${name()}@rua.example`];
  simulation.clock.nowMilliseconds += 2 * 86_400_000;
  expect(await check()).toBeDefined();
  while (!(await watchDomains(simulation.invocation(), true)).isDone);
  const told = { account, domain: first.domain, rule: "newSender", severity: "attention", title: name() } as const;
  const texts = { subject: name(), evidence: [name()], link: `/domains/${first.domain}` };
  const ledger = simulation.invocation().shards.of(1);
  const times = { openedSeconds: 1, foundSeconds: 1, remindedSeconds: 0, resolvedSeconds: 0 };
  await change(ledger, [
    ...keepIncidents([{ id: "i", ...told, ...texts, state: "open", isEvent: false, causes: [], ...times }]),
    ...addNotices([
      {
        ...{ id: "n", incident: "i", ...told, ...texts, step: "opened", cause: name() },
        ...{ createdSeconds: 1, urgency: "digest" },
      },
    ]),
    putAddressNames([{ address: "192.0.2.1", host: `mail.${first.domain}`, asn: 0, holder: "", country: "" }], 9e9),
  ]);
  // As the operations write it.
  const logged =
    simulation.ledger.sqlite.prepare(`INSERT INTO audit_log (at_seconds, who, operation, account, domain, outcome,
    input, state_before) VALUES (1, ?, 'putRegistration', ?, '', 'done', ?, 'null')`);
  for (const owner of [account, ""]) logged.run(`${name()}@people.example`, owner, JSON.stringify({ rua: second.rua }));
  simulation.ledgers[1]?.sqlite.exec(`INSERT INTO imports (content_hash, rua, raw_key, object_hash, imported_seconds,
      imported_by, origin)
    VALUES (x'00', '${second.rua}', 'raw/${name()}', x'01', 1, '${name()}@people.example', 'mail/${name()}')`);
  simulation.ledgers[1]?.sqlite.exec(`INSERT INTO domain_tags (account, domain, tag)
    VALUES ('${account}', '${first.domain}', '${name()}')`);
  simulation.ledgers[1]?.sqlite.exec(`INSERT INTO forward_targets (id, account, kind, name, url, region, access_key_id, secret,
      with_records, created_seconds, created_by)
    VALUES ('t', '${account}', 'http', '${name()}', 'https://${name()}.example', '', '', 's', 1, 1, '${name()}')`);
  simulation.ledgers[1]?.sqlite.exec(`INSERT INTO forwards (target, uid, account, kind, domain, day, state, attempts, result,
      next_part, created_seconds, next_seconds)
    VALUES ('t', x'00', '${account}', 'aggregate', '${first.domain}', 1, 'failed', 1, '${name()}', 1, 1, 1)`);
  simulation.ledger.sqlite.exec(`INSERT INTO account_logos (account, media_type, picture, changed_seconds)
    VALUES ('${account}', 'image/png', '', 1)`);
  await recordFault(simulation.ledger, { body: { x: 1 }, attempts: 1 }, `R2 lost ${second.rua}`, 1);
}

/** Everything that D1, KV and R2 hold, as text. */
function dump(): string {
  const texts: string[] = [];
  for (const { sqlite } of simulation.ledgers) {
    for (const table of tablesOf(sqlite)) texts.push(...sqlite.prepare(`SELECT * FROM ${table}`).all().map(rowText));
  }
  for (const [key, value] of simulation.registry) texts.push(key, value);
  for (const key of simulation.bucket.keys()) {
    texts.push(key, decodeURIComponent(JSON.stringify(simulation.bucket.describe(key)).replaceAll("%", "%25")));
    texts.push(bodyText(simulation.bucket.bytes(key)));
  }
  return texts.join("\n");
}

function rowText(row: Record<string, unknown>): string {
  return Object.values(row)
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value)))
    .join("\n");
}

/** Bytes as they are read: unpacked, and what is base64 in a mail decoded. */
function bodyText(bytes: Uint8Array): string {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : Buffer.from(bytes);
  const text = plain.toString("latin1");
  const encoded = text.match(/(?:^[A-Za-z0-9+/=]{20,}\r?$\n?)+/gm) ?? [];
  return [text, ...encoded.map((one) => Buffer.from(one, "base64").toString("latin1"))].join("\n");
}

function tablesOf(sqlite: DatabaseSync): string[] {
  const rows = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  return rows.map((row) => String(row.name));
}

function plantedIn(text: string): Set<string> {
  return new Set(text.match(PLANTED));
}

function neighboursRows(): unknown[] {
  return ACCOUNT_TABLES.filter(({ by }) => by === "account" || by === "accountOrAddress").map(({ table }) =>
    simulation.rows(`SELECT * FROM ${table} WHERE account = '${NEIGHBOUR}'`),
  );
}

async function forget(account: string): Promise<Job> {
  const job = await startForgetting(account, 0.5, simulation.invocation());
  if (job === undefined) throw new Error(`There is no account ${account}.`);
  await simulation.drain();
  return (await findJob(simulation.ledger, job.id)) ?? expect.unreachable();
}

async function plantAll(): Promise<Planted> {
  const given = await plantMail();
  await neighboursMail();
  await plantDecisions(given);
  await plantFindings(given);
  return given;
}

describe("forgetting an account", () => {
  it("leaves none of a thousand planted names in D1, KV and R2, and does not touch another account", async () => {
    const { account, domains } = await plantAll();
    const before = plantedIn(dump());
    expect(before.size).toBeGreaterThan(1000);
    const filled = ACCOUNT_TABLES.filter(({ table }) => simulation.rows(`SELECT 1 FROM ${table}`).length > 0);
    // Figures of reports too large for a row, days that cron merges, and days without figures are of other tests.
    expect(ACCOUNT_TABLES.filter((table) => !filled.includes(table)).map(({ table }) => table)).toEqual([
      "report_figures",
      "day_figures",
    ]);
    const rows = neighboursRows();
    const raws = simulation.bucket.keys().length;

    const job = await forget(account);
    expect(job).toMatchObject({ kind: "forget", state: "done", filter: {}, cursor: "" });
    expect(job.removed).toBeGreaterThan(DOMAINS * 4);
    expect([...plantedIn(dump())]).toEqual([]);
    expect(neighboursRows()).toEqual(rows);
    expect(simulation.bucket.keys()).toHaveLength(2);
    expect(raws).toBeGreaterThan(DOMAINS);
    expect(simulation.rows("SELECT email FROM people")).toEqual([{ email: BOTH }]);
    expect(simulation.rows("SELECT account, email FROM account_people")).toEqual([{ account: NEIGHBOUR, email: BOTH }]);
    expect([...simulation.registry.keys()]).toEqual([`dmarc:${NEIGHBOUR_RUA}`]);

    // Reporters go on writing, and what they write is not kept.
    for (const { domain, rua } of domains.slice(0, 3)) {
      expect(await simulation.deliver(mail(rua, { fileName: "x.xml", content: aggregate(domain) }))).toBe("rejected");
    }
    expect([
      ...plantedIn(
        simulation
          .rows("SELECT rua FROM refused_mail")
          .map((row) => JSON.stringify(row))
          .join(" "),
      ),
    ]).toEqual([]);
  });

  it("is not undone by mail in transit", async () => {
    const { account, domains } = await plantMail();
    const [first, second] = domains;
    if (first === undefined || second === undefined) throw new Error("There are domains.");
    // One waits in the queue; one was given up by the platform; one comes while ingest still reads an old copy of KV.
    await simulation.deliver(mail(first.rua, { fileName: "waiting.xml", content: aggregate(first.domain) }));
    const [waiting] = simulation.queues["dmarc-reports"].messages.splice(0);
    if (waiting === undefined) throw new Error("A mail is waiting.");
    const copies = new Map(simulation.registry);
    const job = await startForgetting(account, 0.5, simulation.invocation());
    await simulation.drain({ rounds: 12 });
    simulation.queues["dmarc-reports"].messages.push({ ...waiting, dueMilliseconds: simulation.clock.nowMilliseconds });
    simulation.queues["dmarc-dead-letters"].messages.push({
      ...waiting,
      attempts: 0,
      dueMilliseconds: simulation.clock.nowMilliseconds,
    });
    for (const [key, value] of copies) simulation.registry.set(key, value);
    const late = mail(second.rua, { fileName: "late.xml", content: aggregate(second.domain) });
    expect(await simulation.deliver(late)).toBe("taken");
    simulation.registry.clear();
    await simulation.drain();
    expect((await findJob(simulation.ledger, job?.id ?? ""))?.state).toBe("done");
    expect([...plantedIn(dump())]).toEqual([]);
    expect(simulation.bucket.keys()).toEqual([]);
  });

  it("continues after its message was lost, and keeps the account closed meanwhile", async () => {
    const { account, domains } = await plantMail();
    const job = await startForgetting(account, 0.5, simulation.invocation());
    await simulation.drain({ rounds: 2 });
    simulation.queues["dmarc-reports"].messages.splice(0);
    const registered = await putRegistration("new@rua.example", { account }, simulation.invocation());
    expect(registered).toMatchObject({ ok: false, error: { code: "already_exists" } });
    const taken = await putRegistration(domains[0]?.rua ?? "", { account: NEIGHBOUR }, simulation.invocation());
    expect(taken).toMatchObject({ ok: false });
    expect((await forget(account)).id).toBe(job?.id);
    expect([...plantedIn(dump())]).toEqual([]);
    expect(await startForgetting(account, 0.5, simulation.invocation())).toBeUndefined();
    // The same name may be used again, and is new.
    expect(await putRegistration(domains[0]?.rua ?? "", { account }, simulation.invocation())).toMatchObject({
      ok: true,
    });
  });

  it("is not undone by an import: neither its account nor its addresses come back meanwhile", async () => {
    const account = "leaving";
    const rua = "reports@leaving.example";
    simulation.register(rua, { account });
    await simulation.deliver(reportMail("of-leaving", records(3), rua));
    await simulation.drain();
    const job = await startForgetting(account, 0.5, simulation.invocation());
    // The addresses are closed, and the job is not done.
    await simulation.drain({ rounds: 4 });
    expect((await findJob(simulation.ledger, job?.id ?? ""))?.state).toBe("running");
    const lines = [
      { line: 2, account, domain: "new.example", rua: "new@leaving.example" },
      { line: 3, account: NEIGHBOUR, domain: "other.example", rua },
      { line: 4, account: NEIGHBOUR, domain: "other.example", rua: NEIGHBOUR_RUA },
    ];
    const options = {
      dryRun: false,
      invocation: simulation.invocation(),
      randomBytes: (count: number) => new Uint8Array(count),
    };
    const items = await importAccounts(lines, options);
    expect(items.map(({ result, message }) => [result, message])).toEqual([
      ["error", "The account leaving is being forgotten; wait until that is done."],
      ["error", `${rua} is an address of an account that is being forgotten; wait until that is done.`],
      ["new", "new account, new address, new domain"],
    ]);
    await simulation.drain();
    expect((await findJob(simulation.ledger, job?.id ?? ""))?.state).toBe("done");
    const left = simulation.ledger.sqlite.prepare("SELECT rua FROM addresses WHERE removed = 0 ORDER BY rua").all();
    expect(left.map((row) => row.rua)).toEqual([NEIGHBOUR_RUA]);
    const accounts = simulation.ledger.sqlite.prepare("SELECT account FROM accounts").all();
    expect(accounts.map((row) => row.account)).toEqual([NEIGHBOUR]);
  });

  it("keeps a raw object that another account also has", async () => {
    simulation.register(SHARED_RUA, { account: "first" });
    simulation.register(NEIGHBOUR_RUA, { account: NEIGHBOUR });
    await simulation.deliver(reportMail("moved", records(3), SHARED_RUA));
    await simulation.drain();
    // The address and its mail go to the neighbour.
    simulation.ledger.sqlite.exec(`UPDATE addresses SET account = '${NEIGHBOUR}', entry = '{"account":"${NEIGHBOUR}"}'
      WHERE rua = '${SHARED_RUA}'`);
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.2 }, {}, simulation.invocation());
    await simulation.drain();
    const rows = neighboursRows();
    await forget("first");
    expect(simulation.bucket.keys()).toHaveLength(1);
    expect(neighboursRows()).toEqual(rows);
  });

  it("keeps hashes for a month", async () => {
    const { account } = await plantMail();
    await forget(account);
    const count = (): number => simulation.rows("SELECT 1 FROM forgotten").length;
    expect(count()).toBeGreaterThan(DOMAINS);
    simulation.clock.nowMilliseconds += 1000 * (FORGET_LIMITS.keptSeconds + FORGET_LIMITS.settleSeconds + 1);
    await runUpkeep(simulation.invocation(), 0.5);
    expect(count()).toBe(0);
  });
});

describe("an export", () => {
  it("has every name that forgetting removes, except webhook keys", async () => {
    const { account } = await plantAll();
    let text = "";
    const tables = new Set<string>();
    const keys: string[] = [];
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const part = await exportAccount(account, cursor, simulation.invocation());
      if (!part.ok) throw new Error(part.error.message);
      text += JSON.stringify(part.value);
      for (const { table, row } of part.value.rows) {
        tables.add(table);
        if (table === "channels" || table === "forward_targets") expect(row).not.toHaveProperty("secret");
      }
      for (const { key } of part.value.objects) {
        keys.push(key);
        text += bodyText(simulation.bucket.bytes(key));
      }
      cursor = part.value.cursor;
    }
    expect(new Set(keys).size).toBe(keys.length);
    expect([...tables]).toEqual(
      expect.arrayContaining(["addresses", "account_people", "reports", "objects", "channels"]),
    );
    const missing = [...plantedIn(dump())].filter((one) => !text.includes(one));
    expect(missing.filter((one) => !jobsAndCaches().includes(one))).toEqual([]);
    expect(text).not.toContain(`"${NEIGHBOUR}"`);
    expect(await exportAccount("nobody", undefined, simulation.invocation())).toMatchObject({ ok: false });
    expect(await exportAccount(account, "nonsense", simulation.invocation())).toMatchObject({ ok: false });
  });

  function jobsAndCaches(): string {
    return ["jobs", "faults", "address_names", "forgotten", "refused_mail", "audit_log"]
      .flatMap((table) => simulation.rows<Record<string, unknown>>(`SELECT * FROM ${table}`).map(rowText))
      .join("\n");
  }
});

describe("the list of tables", () => {
  const sqlite = new DatabaseSync(":memory:");
  for (const statement of migrations()) sqlite.exec(statement);

  it("has every table of the migrations, with the columns of its key", () => {
    const known = [...new Set([...ACCOUNT_TABLES.map(({ table }) => table), ...Object.keys(OTHER_TABLES)])];
    expect(known.toSorted()).toEqual(tablesOf(sqlite).toSorted());
    for (const { table, key } of ACCOUNT_TABLES) {
      const columns = sqlite.prepare(`SELECT name, pk FROM pragma_table_info('${table}')`).all();
      const primary = columns.filter(({ pk }) => Number(pk) > 0).toSorted((a, b) => Number(a.pk) - Number(b.pk));
      const unique = sqlite.prepare(`SELECT name FROM pragma_index_list('${table}') WHERE "unique" = 1`).all();
      if (primary.length > 0)
        expect(
          primary.map((column) => column.name),
          table,
        ).toEqual(key);
      else expect(unique.length > 0, table).toBe(true);
    }
  });

  it("finds rows by account in every table with that column", () => {
    const columnsOf = (table: string): string[] =>
      sqlite
        .prepare(`SELECT name FROM pragma_table_info('${table}')`)
        .all()
        .map(({ name }) => String(name));
    for (const { table } of ACCOUNT_TABLES) {
      const isByAccount = ACCOUNT_TABLES.some(
        (one) => one.table === table && (one.by === "account" || one.by === "accountOrAddress"),
      );
      expect(isByAccount, table).toBe(columnsOf(table).includes("account"));
    }
    for (const table of Object.keys(OTHER_TABLES)) {
      const columns = columnsOf(table);
      const isKnown = ["accounts", "addresses", "people", "watch_round"].includes(table);
      expect(
        columns.some((one) => ["account", "accounts", "domain", "rua", "email"].includes(one)),
        table,
      ).toBe(isKnown);
    }
  });
});

describe("a table without an index of accounts", () => {
  const owner = { account: "mine", ruas: '["lost@rua.example"]', domains: "[]" };
  const objects = ACCOUNT_TABLES.find(({ table }) => table === "objects") ?? expect.unreachable();
  const ROWS = FORGET_LIMITS.rowsScanned * 2 + 10;

  beforeEach(() => {
    // Every third is the account's, every third is of nobody and came to its address.
    simulation.ledger.sqlite.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${ROWS})
      INSERT INTO objects (rua, day, object_hash, account, version, generation, received_seconds, settled_seconds, records,
        outcomes)
      SELECT CASE i % 3 WHEN 1 THEN 'lost' ELSE 'a' || (i % 7) END || '@rua.example', i % 50, cast('h' || i AS BLOB),
        CASE i % 3 WHEN 0 THEN 'mine' WHEN 1 THEN '' ELSE 'other' END, 1, 1, 0, 0, 0, '[]' FROM n`);
  });

  it("is searched in windows", async () => {
    let steps = 0;
    let rows = 0;
    for (let after: string | undefined = ""; after !== undefined; steps++) {
      const removed = await removeAccountRows(simulation.ledger, objects, { owner, after });
      rows += removed.rows;
      after = removed.after;
    }
    expect(steps).toBe(3);
    const left = simulation.rows<{ account: string; rows: number }>(
      "SELECT account, count(*) AS rows FROM objects GROUP BY 1",
    );
    expect(left).toEqual([{ account: "other", rows: ROWS - rows }]);
    expect(rows).toBe(Math.ceil(ROWS / 3) + Math.ceil((ROWS - 1) / 3));
  });

  it("is exported completely, page by page", async () => {
    const hashes = new Set<unknown>();
    for (let after: string | undefined; after !== ""; ) {
      const page = await readAccountRows(simulation.ledger, objects, { owner, after: after ?? "" });
      for (const { object_hash } of page.rows) hashes.add(object_hash);
      expect(page.rows.length).toBeLessThanOrEqual(FORGET_LIMITS.exportedRows);
      after = page.after;
    }
    expect(hashes.size).toBe(Math.ceil(ROWS / 3) + Math.ceil((ROWS - 1) / 3));
  });
});

describe("figures of reports with a million records", () => {
  const CHUNKS = 100;

  it.each(["report_figures", "day_figures"])(
    "are exported completely from %s, in calls that D1 answers",
    async (name) => {
      simulation.register("dmarc@acme.example", { account: "acme" });
      await simulation.deliver(reportMail("a", records(3)));
      await simulation.drain();
      const ledger = simulation.ledgers.find(
        ({ sqlite }) => sqlite.prepare("SELECT 1 FROM reports").get() !== undefined,
      );
      const { sqlite } = ledger ?? expect.unreachable();
      const chunks = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${CHUNKS})`;
      const figures = JSON.stringify({ ["x".repeat(FIGURE_LIMITS.maxChunkChars)]: 1 });
      sqlite
        .prepare(
          `${chunks} INSERT INTO report_figures (reading, chunk, figures, written_seconds) SELECT x'01', i, ?, 0 FROM n`,
        )
        .run(figures);
      sqlite
        .prepare(
          `${chunks} INSERT INTO day_figures (account, kind, domain, day, chunk, figures)
        SELECT account, kind, domain, day, i, ? FROM n JOIN reports`,
        )
        .run(figures);
      sqlite.exec("UPDATE reports SET reading = x'01'");
      const table = ACCOUNT_TABLES.find((one) => one.table === name) ?? expect.unreachable();
      const exported: unknown[] = [];
      for (let after: string | undefined; after !== ""; ) {
        const owner = { account: "acme", ruas: "[]", domains: "[]" };
        const page = await readAccountRows(ledger ?? expect.unreachable(), table, { owner, after: after ?? "" });
        exported.push(...page.rows.map(({ chunk }) => chunk));
        after = page.after;
      }
      expect(exported).toEqual(Array.from({ length: CHUNKS }, (_, i) => i));
    },
  );
});

describe("upkeep", () => {
  it("removes jobs that ended long ago, with their skipped files", async () => {
    simulation.ledger.sqlite.exec(`INSERT INTO jobs (id, kind, state, version, started_seconds, updated_seconds, job)
      VALUES ('old', 'reprocess', 'cancelled', 1, 0, 0, '{}'), ('stuck', 'reprocess', 'running', 1, 0, 0, '{}')`);
    simulation.ledger.sqlite.exec(
      "INSERT INTO skipped_objects (job_id, object_hash) VALUES ('old', x'00'), ('gone', x'01')",
    );
    const skipped = simulation.invocation().nowSeconds - UPKEEP_LIMITS.keptJobSeconds + 60;
    simulation.ledger.sqlite.exec(`INSERT INTO jobs (id, kind, state, version, started_seconds, updated_seconds, job)
      VALUES ('young', 'reprocess', 'cancelled', 1, 0, ${skipped}, '{}')`);
    simulation.ledger.sqlite.exec("INSERT INTO skipped_objects (job_id, object_hash) VALUES ('young', x'02')");
    await runUpkeep(simulation.invocation(), 0.5);
    const ids = simulation.rows<{ id: string }>("SELECT id FROM jobs WHERE kind = 'reprocess' ORDER BY id");
    expect(ids.map(({ id }) => id)).toEqual(["stuck", "young"]);
    expect(simulation.rows("SELECT job_id FROM skipped_objects")).toEqual([{ job_id: "young" }]);
  });
});

describe("an address that came to a forgotten account from another one", () => {
  it("leaves that one its reports and raw objects, also when they are reprocessed", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.register("dmarc@other.example", { account: "other" });
    await simulation.deliver(reportMail("a", records(3)));
    await simulation.drain();
    await putRegistration("dmarc@acme.example", { account: "other" }, simulation.invocation());
    // KV takes one write of a key a second.
    simulation.clock.nowMilliseconds += 5000;
    await startForgetting("other", 0.5, simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.25 }, {}, simulation.invocation());
    await simulation.drain();
    expect(simulation.bucket.keys("raw/")).toHaveLength(1);
    expect(simulation.rows("SELECT account, state FROM reports")).toEqual([{ account: "acme", state: "accepted" }]);
  });
});

describe("an address that left a forgotten account for another one", () => {
  it("has nothing of the forgotten mail in its use of the day", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.register("dmarc@other.example", { account: "other" });
    await simulation.deliver(reportMail("a", records(3)));
    await simulation.drain();
    await sumAllUses(simulation.ledger);
    await putRegistration("dmarc@acme.example", { account: "other" }, simulation.invocation());
    simulation.clock.nowMilliseconds += 5000;
    await startForgetting("acme", 0.5, simulation.invocation());
    await simulation.drain();
    expect(simulation.rows("SELECT rua FROM objects")).toEqual([]);
    expect(wrongUses(simulation.ledger)).toEqual([]);
  });
});

describe("a report of which a day was final when its address moved to an account that is forgotten", () => {
  it("stays counted on its other day, for the account it came to, and nothing is filed when it is read again", async () => {
    const simulation = new Simulation({ shards: 2 });
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.register("dmarc@other.example", { account: "other" });
    const begin = Date.UTC(2026, 10, 10) / 1000;
    const content = sampleReport({ reportId: "a", period: [begin, begin + 2 * 86_400], records: records(3, 2) });
    await simulation.deliver(mailOf([{ name: "a.xml", content: Buffer.from(content) }]));
    await simulation.drain();
    simulation.keepDetailDays = 9;
    await runUpkeep(simulation.invocation(), 0.25);
    await simulation.drain();
    const days = "SELECT account, day, state FROM reports ORDER BY account, day";
    const left = [{ account: "acme", day: begin / 86_400 + 1, state: "accepted" }];
    expect(simulation.rows(days)).toEqual(left);

    await putRegistration("dmarc@acme.example", { account: "other" }, simulation.invocation());
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    expect(simulation.rows(days)).toHaveLength(3);
    await startForgetting("other", 0.75, simulation.invocation());
    await simulation.drain();
    expect(simulation.bucket.keys("raw/")).toEqual([]);
    expect(simulation.rows(days)).toEqual(left);

    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.1 }, {}, simulation.invocation());
    await simulation.drain();
    expect(simulation.rows(days)).toEqual(left);
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([]);
  });
});

describe("a message about forgotten mail that is delivered once more", () => {
  it("files nothing for the account that has its address since, before the other is forgotten or after", async () => {
    for (const { isMovedBefore, mail } of [true, false].flatMap((isMoved) => [
      { isMovedBefore: isMoved, mail: reportMail("a", records(3)) },
      // Its raw object is gone long before.
      { isMovedBefore: isMoved, mail: failureMail() },
    ])) {
      const simulation = new Simulation({ shards: 2 });
      simulation.register("dmarc@acme.example", { account: "acme" });
      simulation.register("dmarc@other.example", { account: "other" });
      await simulation.deliver(mail);
      const messages = simulation.queues["dmarc-reports"].messages.map(({ body }) => body);
      await simulation.drain();
      simulation.clock.nowMilliseconds += 5000;
      const move = () => putRegistration("dmarc@acme.example", { account: "other" }, simulation.invocation());
      if (isMovedBefore) await move();
      simulation.clock.nowMilliseconds += 5000;
      await startForgetting("acme", 0.5, simulation.invocation());
      await simulation.drain();
      if (!isMovedBefore) await move();
      for (const body of messages) await simulation.queues["dmarc-reports"].send(JSON.parse(body));
      await simulation.drain();
      expect(messages).toHaveLength(1);
      expect(simulation.rows("SELECT account, code FROM dead_letters")).toEqual([]);
      expect(simulation.rows("SELECT account FROM objects")).toEqual([]);
    }
  });

  it("is a dead letter where nobody was forgotten since the mail came", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.register("dmarc@other.example", { account: "other" });
    await startForgetting("other", 0.5, simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 5000;
    await simulation.deliver(reportMail("a", records(3)));
    await putRegistration("dmarc@acme.example", { account: "acme", domains: [] }, simulation.invocation());
    await simulation.bucket.delete(simulation.bucket.keys("raw/"));
    await simulation.drain();
    expect(simulation.rows("SELECT account, code FROM dead_letters")).toEqual([
      { account: "acme", code: "missing_object" },
    ]);
  });

  it("is a dead letter where the account that was forgotten since never had its address", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.register("dmarc@other.example", { account: "other" });
    simulation.register("dmarc@third.example", { account: "third" });
    await simulation.deliver(reportMail("of-other", records(3), "dmarc@other.example"));
    await simulation.drain();
    await simulation.deliver(reportMail("a", records(3)));
    simulation.clock.nowMilliseconds += 5000;
    await putRegistration("dmarc@acme.example", { account: "third" }, simulation.invocation());
    await startForgetting("other", 0.5, simulation.invocation());
    await simulation.bucket.delete(simulation.bucket.keys("raw/"));
    await simulation.drain();
    expect(simulation.rows("SELECT account, rua, code FROM dead_letters")).toEqual([
      { account: "third", rua: "dmarc@acme.example", code: "missing_object" },
    ]);
  });
});

describe("a fault while an account is forgotten", () => {
  /** One address was the account's before and is another's now; a mail to each, and one to the other account. */
  async function beforeForgetting(): Promise<{ of: Simulation; messages: string[] }> {
    const of = new Simulation({ shards: 2 });
    of.register("dmarc@acme.example", { account: "acme" });
    of.register("reports@acme.example", { account: "acme" });
    of.register("dmarc@other.example", { account: "other" });
    for (const rua of ["dmarc@acme.example", "reports@acme.example", "dmarc@other.example"])
      await of.deliver(reportMail("a", records(3), rua));
    const messages = of.queues["dmarc-reports"].messages.map(({ body }) => body);
    await of.drain();
    of.clock.nowMilliseconds += 5000;
    await putRegistration("reports@acme.example", { account: "other" }, of.invocation());
    of.clock.nowMilliseconds += 5000;
    await startForgetting("acme", 0.5, of.invocation());
    return { of, messages };
  }

  it("leaves nothing of it, and what others have, whichever call around its raw objects it is", async () => {
    const { of, messages } = await beforeForgetting();
    const { calls } = of.faults;
    const from = calls.length;
    const goBack = of.mark();
    await of.drain();
    const names = calls.slice(from);
    const deleted = names.findIndex((name) => name.startsWith("r2.delete"));
    expect(deleted).toBeGreaterThan(0);
    for (const [place, name] of [...names.entries()].slice(deleted - 4, deleted + 5))
      for (const mode of FAULT_MODES) {
        goBack();
        of.faults.plan = ({ index }) => (index === from + place ? mode : undefined);
        await of.drain();
        of.faults.plan = () => undefined;
        for (const body of messages) await of.queues["dmarc-reports"].send(JSON.parse(body));
        await of.drain();
        const what = `${mode} at call ${place}, ${name}`;
        expect(of.rows("SELECT account, state FROM reports"), what).toEqual([{ account: "other", state: "accepted" }]);
        expect(of.rows("SELECT account, rua FROM objects"), what).toEqual([
          { account: "other", rua: "dmarc@other.example" },
        ]);
        expect(of.rows("SELECT id FROM dead_letters"), what).toEqual([]);
        expect(of.bucket.keys("raw/"), what).toHaveLength(1);
        expect(of.rows("SELECT account FROM accounts"), what).toEqual([{ account: "other" }]);
      }
  });
});

describe("an address of a forgotten account that is registered again", () => {
  it("keeps unread mail of its new account when a third account is forgotten", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.register("dmarc@third.example", { account: "third" });
    await startForgetting("acme", 0.5, simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 86_400_000;
    await putRegistration("dmarc@acme.example", { account: "new" }, simulation.invocation());
    expect(await simulation.deliver(reportMail("a", records(3)))).toBe("taken");
    // Its message was lost, and the address is removed for a while.
    simulation.queues["dmarc-reports"].messages.length = 0;
    const { env, shards, nowSeconds } = simulation.invocation();
    await removeAddress("dmarc@acme.example", { directory: shards.directory, copy: env.KV_DMARC_REPORTS }, nowSeconds);
    await startForgetting("third", 0.25, simulation.invocation());
    await simulation.drain();
    expect(simulation.bucket.keys("raw/")).toHaveLength(1);
  });

  it("keeps the mail that came since when it is removed and that is reprocessed", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme" });
    await startForgetting("acme", 0.5, simulation.invocation());
    await simulation.drain();
    const answer = await putRegistration("dmarc@acme.example", { account: "acme" }, simulation.invocation());
    expect(answer).toMatchObject({ ok: true });
    simulation.clock.nowMilliseconds += (FORGET_LIMITS.settleSeconds + 1) * 1000;
    expect(await simulation.deliver(reportMail("a", records(3)))).toBe("taken");
    await simulation.drain();
    const { env, shards, nowSeconds } = simulation.invocation();
    await removeAddress("dmarc@acme.example", { directory: shards.directory, copy: env.KV_DMARC_REPORTS }, nowSeconds);
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    expect(simulation.bucket.keys("raw/")).toHaveLength(1);
    expect(simulation.rows("SELECT report_id FROM reports WHERE state = 'accepted'")).toEqual([{ report_id: "a" }]);
  });
});
