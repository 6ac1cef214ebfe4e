/**
 * A flood of forged reports against an account with true ones: what the verdict on its domain says, the figures that are
 * true, and how many lines a person has to look at.
 */
import { describe, expect, it } from "vitest";
import { judge, type Verdict } from "../../shared/guidance/verdict.ts";
import { verdictInput } from "../../shared/guidance/verdict-input.ts";
import { conflictsQuery, doubtedConflictsQuery } from "../../shared/ledger/conflicts.ts";
import { ask } from "../../shared/ledger/database.ts";
import { dayTotalsQuery, policiesQuery } from "../../shared/ledger/days.ts";
import { askKnownSenders } from "../../shared/ledger/known-senders.ts";
import { mergeDays } from "../../shared/ledger/merge-days.ts";
import { mailQuery } from "../../shared/ledger/sources.ts";
import { READ_LIMITS } from "../../shared/limits.ts";
import { keepVerified } from "../../workers/process/operations/conflicts.ts";
import { sampleReport } from "../support/sample-report.ts";
import { gzip, mailOf, registerAll, stamped } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { type SimulatedMail, Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const DOMAIN = "acme.example";
const FIRST_DAY = 20_740;
const DAYS = 30;
const TRUE_REPORTS = 300;
const REPORTERS = ["Alpha", "Beta", "Gamma", "Delta", "Reporter"];
const SCOPE = { accounts: ["acme"], domains: [DOMAIN] as [string], firstDay: FIRST_DAY, lastDay: FIRST_DAY + DAYS - 1 };

interface Identity {
  reportId: string;
  orgName: string;
  day: number;
}

function identity(i: number): Identity {
  const orgName = REPORTERS[i % REPORTERS.length] ?? "";
  return { reportId: `r-${i}`, orgName, day: FIRST_DAY + (i % DAYS) };
}

function mailFor({ reportId, orgName, day }: Identity, records: { sourceIp: string; count: number; pass: boolean }[]) {
  const period: [number, number] = [day * 86_400, day * 86_400 + 86_399];
  const report = sampleReport({ reportId, orgName, period, records });
  return mailOf([{ name: `${reportId}.xml.gz`, content: gzip(report) }]);
}

/** Mail of the domain's own servers that passes, and a little spoofing. */
function trueMail(i: number): SimulatedMail {
  const records = [
    { sourceIp: "192.0.2.1", count: 40 + (i % 7), pass: true },
    { sourceIp: "203.0.113.9", count: 1, pass: false },
  ];
  return stamped(mailFor(identity(i), records), "reporter.example");
}

/** As much failing mail as a report may count, and a policy of the forger's own; the receiver's results differ. */
function forgedMail(i: number, whose: Identity): SimulatedMail {
  const forged = mailFor(whose, [
    { sourceIp: `198.51.${i % 256}.${(i >> 8) & 255}`, count: READ_LIMITS.maxCount, pass: false },
    { sourceIp: "192.0.2.1", count: 1 + (i % 1000), pass: false },
  ]);
  if (i % 3 === 0) return forged;
  return i % 3 === 1 ? stamped(forged, "reporter.example", "fail") : stamped(forged, "evil.example");
}

/** What the overview says of the domain. */
async function judgement({ ledger }: Simulation): Promise<Verdict> {
  const [[mail], days, policies] = await Promise.all([
    ask(ledger, mailQuery({ ...SCOPE, onlyCounted: true })).then((rows) => mailQuery(SCOPE).combine?.([rows]) ?? rows),
    ask(ledger, dayTotalsQuery(SCOPE)),
    ask(ledger, policiesQuery(SCOPE)),
  ]);
  if (mail === undefined) throw new Error("A question without an answer.");
  const known = { domain: DOMAIN, mail, check: undefined, nowSeconds: 0 };
  const senders = await askKnownSenders((query) => ask(ledger, query), known);
  const answers = { period: SCOPE, senders, days, policies, ruaAddresses: [] };
  return judge(verdictInput(DOMAIN, answers, () => undefined));
}

/** Lines a person has to look at: groups of conflicts, other conflicts, and dead letters by reason. */
async function linesToLookAt({ ledger }: Simulation): Promise<number> {
  const groups = await ask(ledger, doubtedConflictsQuery());
  const others = await ask(ledger, conflictsQuery({ withoutDoubted: true, limit: 1000 }));
  const reasons = ledger.sqlite.prepare("SELECT DISTINCT code FROM dead_letters").all();
  return groups.length + others.length + reasons.length;
}

function trueFigures({ ledger }: Simulation): unknown[] {
  return ledger.sqlite
    .prepare(
      `SELECT report_id, reporter, day, records, total, passed FROM reports
      WHERE state = 'accepted' AND sender_rank = 2 ORDER BY day, report_id`,
    )
    .all();
}

async function simulationWith(mails: readonly SimulatedMail[], reportsPerDay: number): Promise<Simulation> {
  const simulation = new Simulation();
  simulation.reportsPerDay.reporter = reportsPerDay;
  registerAll(simulation);
  for (const mail of mails) expect(await simulation.deliver(mail)).toBe("taken");
  await simulation.drain();
  return simulation;
}

describe("1,000 forged reports", () => {
  const honest = Array.from({ length: TRUE_REPORTS }, (_, i) => trueMail(i));
  const before = Array.from({ length: 250 }, (_, i) => forgedMail(i, identity(i)));
  const after = Array.from({ length: 250 }, (_, i) => forgedMail(i + 5000, identity(i + 50)));
  const others = Array.from({ length: 500 }, (_, i) =>
    forgedMail(i, { ...identity(i), orgName: "Reporter", reportId: `forged-${i}` }),
  );

  it.each([
    { reportsPerDay: 1000, name: "all of them accepted or in conflict" },
    { reportsPerDay: 300, name: "some of them waiting for another day's budget" },
  ])("change no verdict and displace no true figure, $name", { timeout: 300_000 }, async ({ reportsPerDay }) => {
    const clean = await simulationWith(honest, 1000);
    const wanted = await judgement(clean);
    // The true reports tell of a forwarder that breaks signatures every day; forged ones would add senders and change that.
    expect(wanted).toMatchObject({ state: "notYet", days: DAYS, wouldHit: { reject: { forwarder: TRUE_REPORTS } } });
    expect(wanted.sources).toHaveLength(2);
    const flooded = await simulationWith([...before, ...honest, ...after, ...others], reportsPerDay);
    expect(await judgement(flooded)).toEqual(wanted);
    expect(trueFigures(flooded)).toEqual(trueFigures(clean));
    expect(trueFigures(flooded)).toHaveLength(TRUE_REPORTS);
    expect(await linesToLookAt(flooded)).toBeLessThanOrEqual(10);
    // Nothing is lost: what does not count is there to be looked at.
    const count = (sql: string): number => Number(flooded.ledger.sqlite.prepare(sql).get()?.n);
    const doubted = count("SELECT count(*) AS n FROM reports WHERE state = 'accepted' AND sender_rank < 1");
    const conflicts = count("SELECT count(*) AS n FROM conflicts");
    expect(doubted + conflicts + count("SELECT count(*) AS n FROM dead_letters")).toBe(1000);
    // The same once cron has merged the days.
    const bounds = { beforeDay: FIRST_DAY + DAYS, minReports: 2, limit: 1000, atOnce: { days: 20, records: 100_000 } };
    expect(await mergeDays(flooded.ledger, bounds)).toBe(DAYS);
    expect(await mergeDays(flooded.ledger, bounds)).toBe(0);
    expect(await judgement(flooded)).toEqual(wanted);
    // And all of it is decided in a few steps.
    for (const { conflicts: _, total: __, firstFiledSeconds: ___, lastFiledSeconds: ____, ...group } of await ask(
      flooded.ledger,
      doubtedConflictsQuery(),
    )) {
      while (!(await keepVerified(group, { by: "operator" }, flooded.invocation())).isComplete);
    }
    expect(count("SELECT count(*) AS n FROM conflicts")).toBe(0);
    await flooded.drain();
    expect(await judgement(flooded)).toEqual(wanted);
  });
});
