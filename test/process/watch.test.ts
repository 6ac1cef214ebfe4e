/** Incidents and notices on the simulated platform: opened once, reminded, resolved; mutes, budget, accounts, and crashes. */
import { beforeEach, expect, it } from "vitest";
import { ask, change, type LedgerDatabase } from "../../shared/ledger/database.ts";
import { beginRound, domainsAfterQuery } from "../../shared/ledger/domain-verdicts.ts";
import { incidentsQuery, mutesQuery, noticesQuery, putMute, removeMute } from "../../shared/ledger/notices.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import type { Mute, Notice } from "../../shared/watch/finding.ts";
import type { Invocation } from "../../workers/process/env.ts";
import { watchDomains } from "../../workers/process/watch/round.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const DOMAIN = "shop.example";
const HISTORY = 40;

let simulation: Simulation;
let uids = 0;

beforeEach(() => {
  simulation = new Simulation();
  uids = 0;
});

function today(): number {
  return Math.floor(simulation.clock.nowMilliseconds / 86_400_000);
}

function ownMail(count = 200): AggregateRecord {
  const spf = { domain: DOMAIN, scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" } as const;
  return sampleRecord(DOMAIN, { count, spf: "pass", spfResults: [spf] });
}

function stranger(name: string, count: number): AggregateRecord {
  const spf = { domain: `bounce.${name}`, scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" } as const;
  return sampleRecord(DOMAIN, { count, sourceIp: "203.0.113.9", dkim: "fail", dkimResults: [], spfResults: [spf] });
}

function service(name: string, { isPassing, count = 60 }: { isPassing: boolean; count?: number }): AggregateRecord {
  const result = isPassing ? "pass" : "fail";
  const spf = { domain: `bounce.${name}`, scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" } as const;
  return sampleRecord(DOMAIN, {
    count,
    sourceIp: "198.51.100.7",
    dkim: result,
    dkimResults: [{ domain: DOMAIN, selector: "k1", result, rawResult: result, humanResult: "" }],
    spfResults: [spf],
  });
}

async function report(day: number, records: AggregateRecord[], account = "acme"): Promise<void> {
  const { ledger, nowSeconds } = simulation.invocation();
  const uid = (++uids).toString(16).padStart(32, "0");
  const sample = { account, uid, report: aggregateReport(DOMAIN, { day, records }), records };
  await commitSamples(ledger, [{ ...sample, receivedSeconds: nowSeconds }], { nowSeconds });
}

/** The days before today, all well. */
async function quietWeeks(account = "acme"): Promise<void> {
  for (let day = today() - HISTORY; day < today(); day++) {
    await report(day, [ownMail(), service("sendgrid.net", { isPassing: true })], account);
  }
  await run();
}

/** The next day begins, with the report about the one before. */
async function nextDay(records: AggregateRecord[], account = "acme"): Promise<void> {
  simulation.clock.nowMilliseconds += 86_400_000;
  await report(today() - 1, records, account);
  await run();
}

async function run(invocation = simulation.invocation()): Promise<void> {
  while (!(await watchDomains(invocation, true)).isDone);
}

function notices(account = "acme"): Promise<Notice[]> {
  return ask(simulation.ledger, noticesQuery([account], 100)).then((all) => all.toReversed());
}

function steps(all: readonly Notice[]): string[] {
  return all.map(({ rule, subject, step, urgency }) => `${rule} ${subject} ${step} ${urgency}`);
}

const failing = () => [ownMail(), service("sendgrid.net", { isPassing: false })];
const well = () => [ownMail(), service("sendgrid.net", { isPassing: true })];

it("a domain without changes gets no notice", async () => {
  await quietWeeks();
  for (let i = 0; i < 10; i++) await nextDay(well());
  expect(await notices()).toEqual([]);
  expect(simulation.rows("SELECT * FROM incidents")).toEqual([]);
});

it("an incident is opened once, repeated after a week, and closed when it is over", async () => {
  await quietWeeks();
  await nextDay(failing());
  const [first, ...others] = await notices();
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    account: "acme",
    domain: DOMAIN,
    rule: "ownSenderFails",
    subject: "sendgrid.net",
    severity: "attention",
    step: "opened",
    urgency: "immediate",
    title: `Mail of Twilio SendGrid fails DMARC for ${DOMAIN}`,
    link: `/domains/${DOMAIN}/sources/sendgrid.net`,
  });
  expect(first?.cause).toContain("is signed, and the signature does not hold");
  await run();
  const later = async () =>
    steps(await notices())
      .filter((text) => text.startsWith("ownSenderFails"))
      .slice(1);
  for (let i = 0; i < 6; i++) await nextDay(failing());
  expect(await later()).toEqual([]);
  await nextDay(failing());
  expect(await later()).toEqual(["ownSenderFails sendgrid.net reminded digest"]);
  for (let i = 0; i < 3; i++) await nextDay(well());
  expect(await later()).toEqual([
    "ownSenderFails sendgrid.net reminded digest",
    "ownSenderFails sendgrid.net resolved digest",
  ]);
  // That the domain is not ready any more follows from it, and has no notice.
  expect(steps(await notices()).filter((text) => text.endsWith("immediate"))).toHaveLength(1);
  expect(await ask(simulation.ledger, incidentsQuery(["acme"], { state: "open", limit: 10 }))).toEqual([]);
  const resolved = await ask(
    simulation.ledger,
    incidentsQuery(["acme"], { state: { resolvedSinceSeconds: 1 }, limit: 10 }),
  );
  expect(resolved.find(({ rule }) => rule === "ownSenderFails")).toMatchObject({
    openedSeconds: first?.createdSeconds,
  });
});

it("a domain gets one separate notice a day, lost mail first, and the rest waits for the digest", async () => {
  await quietWeeks();
  const refused = { ...service("sendgrid.net", { isPassing: false }), disposition: "reject" } as const;
  const mail = [ownMail(), refused, stranger("newsletter.example", 80)];
  await nextDay(mail);
  expect(steps(await notices()).sort()).toEqual([
    "newSender newsletter.example opened digest",
    "ownMailRefused sendgrid.net opened immediate",
  ]);
});

it("a muted rule, domain or sender gets no notice", async () => {
  const ofSender = async () => steps(await notices()).filter((text) => text.includes("sendgrid.net"));
  const mute = (changes: Partial<Mute>): Mute => ({
    account: "acme",
    domain: "",
    rule: "",
    subject: "",
    untilSeconds: 0,
    note: "",
    mutedSeconds: simulation.invocation().nowSeconds,
    mutedBy: "a@acme.example",
    ...changes,
  });
  await quietWeeks();
  for (const changes of [{ rule: "ownSenderFails" }, { domain: DOMAIN }, { subject: "sendgrid.net" }] as const) {
    await change(simulation.ledger, [putMute(mute(changes))]);
    await nextDay(failing());
    expect(await ofSender()).toEqual([]);
    await change(simulation.ledger, [removeMute(mute(changes))]);
  }
  const aWhile = mute({ rule: "ownSenderFails", untilSeconds: simulation.invocation().nowSeconds + 2 * 86_400 });
  await change(simulation.ledger, [putMute(aWhile), putMute(mute({ account: "globex" }))]);
  await nextDay(failing());
  expect(await ofSender()).toEqual([]);
  expect(await ask(simulation.ledger, mutesQuery(["acme"], simulation.invocation().nowSeconds))).toEqual([aWhile]);
  await nextDay(failing());
  expect(await ofSender()).toEqual(["ownSenderFails sendgrid.net opened immediate"]);
  expect(await ask(simulation.ledger, mutesQuery(["acme"], simulation.invocation().nowSeconds))).toEqual([]);
});

it("counts that a flood of forged records adds up to end no round: a domain's fingerprint is still found", async () => {
  // Nine million records of a thousand million messages each, on every day.
  for (let day = today() - 30; day < today(); day++) await report(day, [ownMail(9_000_000_000_000_000)]);
  await change(simulation.ledger, beginRound(simulation.invocation().nowSeconds));
  const days = { firstDay: today() - 30, lastDay: today() };
  const found = await ask(simulation.ledger, domainsAfterQuery({ account: "", domain: "" }, days));
  expect(found).toMatchObject([{ account: "acme", domain: DOMAIN }]);
});

it("accounts with the same domain are kept apart", async () => {
  await quietWeeks("acme");
  await quietWeeks("globex");
  simulation.clock.nowMilliseconds += 86_400_000;
  await report(today() - 1, failing(), "acme");
  await report(today() - 1, well(), "globex");
  await run();
  expect(await notices("acme")).toHaveLength(1);
  expect(await notices("globex")).toEqual([]);
  expect(await ask(simulation.ledger, incidentsQuery(["globex"], { state: "open", limit: 10 }))).toEqual([]);
});

/** The invocation on a database whose transactions fail: before they have an effect, or after. */
function failingInvocation(when: "before" | "after"): Invocation {
  const invocation = simulation.invocation();
  const { ledger } = invocation;
  const faulty: LedgerDatabase = {
    prepare: (sql) => ledger.prepare(sql),
    async batch(statements) {
      if (when === "after") await ledger.batch(statements);
      throw new Error("The isolate is gone.");
    },
  };
  return { ...invocation, ledger: faulty, shards: { directory: faulty, all: [faulty], of: () => faulty } };
}

it.each(["before", "after"] as const)("a notice is sent once if a run ends %s its transaction", async (when) => {
  await quietWeeks();
  simulation.clock.nowMilliseconds += 86_400_000;
  await report(today() - 1, failing());
  for (let i = 0; i < 5; i++) {
    await watchDomains(failingInvocation(when), i === 0).catch(() => undefined);
    simulation.clock.nowMilliseconds += 60_000;
  }
  await run();
  await run();
  expect(steps(await notices())).toEqual(["ownSenderFails sendgrid.net opened immediate"]);
});

it("operators get a notice about too many dead letters, which belongs to no account", async () => {
  await quietWeeks();
  const letter = (i: number) => ({
    sql: `INSERT INTO dead_letters (id, day, account, rua, domain, code, raw_key, part, generation, received_seconds,
        filed_seconds, attempts, letter) VALUES (?, 0, '', '', '', 'x', '', '', 1, 0, 0, 1, '{}')`,
    parameters: [`letter-${i}`],
  });
  await change(
    simulation.ledger,
    Array.from({ length: 101 }, (_, i) => letter(i)),
  );
  await run();
  expect(steps(await notices(""))).toEqual(["pipelineBehind deadLetters opened immediate"]);
  expect(await notices()).toEqual([]);
  const open = (accounts: string[], domain?: string) =>
    ask(simulation.ledger, incidentsQuery(accounts, { domain, state: "open", limit: 10 }));
  expect(await open(["", "acme"])).toHaveLength(1);
  expect(await open(["acme"])).toEqual([]);
  expect(await open(["", "acme"], DOMAIN)).toEqual([]);
});
