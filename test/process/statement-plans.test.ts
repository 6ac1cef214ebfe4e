/**
 * What runs for each message, each minute and each hour reads no table from its beginning to its end that grows with the
 * reports: D1 bills rows that are read, and works on one query at a time. Once a day some do (process: runUpkeep).
 */
import { expect, it } from "vitest";
import { runSchedule, SCHEDULES } from "../../workers/process/schedules.ts";
import {
  allMail,
  failureMail,
  records,
  registeredSimulation,
  reportMail,
  stamped,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";
import type { SqliteLedger } from "../support/sqlite-d1.ts";

setUpSimulation();

/** Tables with a row for each report, day, delivery, and the like. */
const GROWING = [
  "objects",
  "reports",
  "report_figures",
  "domain_days",
  "day_figures",
  "decisions",
  "deliveries",
  "notices",
  "incidents",
  "record_changes",
  "forwards",
  "imports",
  "address_names",
  "audit_log",
  "slices",
  "skipped_objects",
  "dead_letters",
  "conflicts",
];

/** Of these the day's run reads each row: they are small, or empty but for a while. */
const READ_DAILY = ["address_names", "deliveries", "forwards", "imports", "skipped_objects", "slices"];

/** Indices that are counted in: without the rows themselves, and without an entry for an ordinary report. */
const COUNTED_BY = /USING COVERING INDEX (?:dead_letters_open|conflicts_by_\w+)/;

/** Growing tables that a statement reads whole. */
function scanned(ledger: SqliteLedger, sql: string): string[] {
  const names = new Map(GROWING.map((table) => [table, table]));
  for (const [, table = "", alias = ""] of sql.matchAll(/\b(?:FROM|JOIN) (\w+) (?:AS )?(\w+)\b/g)) {
    if (GROWING.includes(table)) names.set(alias, table);
  }
  return (ledger.sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).flatMap(({ detail }) => {
    const table = names.get(/^SCAN (\w+)/.exec(detail)?.[1] ?? "");
    return table === undefined || detail.includes("VIRTUAL TABLE") || COUNTED_BY.test(detail) ? [] : [table];
  });
}

function scans({ ledger }: Simulation): [string, string[]][] {
  const found = ledger.asked.map((sql): [string, string[]] => [sql.replaceAll(/\s+/g, " "), scanned(ledger, sql)]);
  return found.filter(([, tables]) => tables.length > 0);
}

it("messages, the minute and the hour read no growing table whole", async () => {
  const simulation = registeredSimulation();
  const displaced = reportMail("displaced", records(2));
  const displacing = stamped(reportMail("displaced", records(3)), "reporter.example");
  for (const mail of [...allMail().mails, failureMail(), displaced, displacing]) await simulation.deliver(mail);
  await simulation.drain();
  expect(simulation.ledger.asked.filter((sql) => sql.startsWith("UPDATE conflicts"))).toHaveLength(1);
  for (const cron of Object.keys(SCHEDULES).filter((schedule) => schedule.endsWith(" * * * *"))) {
    await runSchedule(cron, simulation.invocation());
  }
  await simulation.drain();
  expect(simulation.ledger.asked.length).toBeGreaterThan(40);
  expect(scans(simulation)).toEqual([]);
});

it("the day reads a few of them whole, and neither days nor figures of reports", async () => {
  const simulation = registeredSimulation();
  for (const mail of allMail().mails) await simulation.deliver(mail);
  await simulation.drain();
  const before = simulation.ledger.asked.length;
  for (const cron of Object.keys(SCHEDULES).filter((schedule) => !schedule.endsWith(" * * * *"))) {
    await runSchedule(cron, simulation.invocation());
  }
  await simulation.drain();
  expect(simulation.ledger.asked.length).toBeGreaterThan(before + 10);
  expect([...new Set(scans(simulation).flatMap(([, tables]) => tables))].sort()).toEqual(READ_DAILY);
});

it("a statement that reads one whole is found", async () => {
  const simulation = new Simulation();
  simulation.ledger.compiled("SELECT count(*) AS n FROM domain_days AS d WHERE d.day > 0");
  expect(scans(simulation).map(([, tables]) => tables)).toEqual([["domain_days"]]);
});
