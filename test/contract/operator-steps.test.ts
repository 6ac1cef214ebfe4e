/** The next steps that an operator is given, and the commands for them. */
import { expect, it } from "vitest";
import { operatorSteps, type PipelineState } from "../../shared/operator-steps.ts";

const NOW = Date.UTC(2026, 10, 28, 3) / 1000;
const QUIET: PipelineState = {
  nowSeconds: NOW,
  queues: [
    { queue: "dmarc-reports", messages: 0, oldestSeconds: 0 },
    { queue: "dmarc-points", messages: 0, oldestSeconds: 0 },
  ],
  unfinishedDays: [],
  deadLetters: 0,
  conflicts: 0,
  refusedReports: 0,
  missingParts: 0,
};

it("is nothing while nothing waits, and while what came is on its way", () => {
  expect(operatorSteps(QUIET)).toEqual([]);
  const queues = [{ queue: "dmarc-reports", messages: 40, oldestSeconds: NOW - 60 }];
  expect(operatorSteps({ ...QUIET, queues, unfinishedDays: [{ day: "2026-11-28", objects: 40 }] })).toEqual([]);
});

it("is nothing about what came just before midnight, or a queue that is empty whatever its oldest message was", () => {
  const midnight = Date.UTC(2026, 10, 28) / 1000;
  const unfinishedDays = [{ day: "2026-11-27", objects: 40 }];
  const queues = [{ queue: "dmarc-reports", messages: 40, oldestSeconds: midnight - 60 }];
  expect(operatorSteps({ ...QUIET, nowSeconds: midnight + 60, queues, unfinishedDays })).toEqual([]);
  expect(operatorSteps({ ...QUIET, nowSeconds: midnight + 3600, queues: [], unfinishedDays })).toHaveLength(1);
  const empty = [{ queue: "dmarc-reports", messages: 0, oldestSeconds: NOW - 8 * 3600 }];
  expect(operatorSteps({ ...QUIET, queues: empty })).toEqual([]);
});

it("says before a database is full what helps: another one for new accounts, or fewer days of details", () => {
  const of = (...sizes: number[]) => {
    const databases = sizes.map((bytes, database) => ({ database, bytes }));
    return operatorSteps({ ...QUIET, databases });
  };
  expect(of(7_900_000_000)).toEqual([]);
  expect(of(0)).toEqual([]);
  expect(of(8_400_000_000)).toEqual([
    {
      what: "Database 0 holds 8.4 of 10 GB: new accounts need another, its own fewer days of details (KEEP_DETAIL_DAYS)",
      command: "npm run deploy -- --databases 2",
    },
  ]);
  expect(of(8_400_000_000, 1_000_000)).toEqual([]);
  expect(of(9_600_000_000, 1_000_000)).toEqual([
    {
      what: "Database 0 holds 9.6 of 10 GB: keep details for fewer days (KEEP_DETAIL_DAYS)",
      command: "npm run deploy -- --file options.json",
    },
  ]);
  const onFreePlan = { databases: [{ database: 0, bytes: 410_000_000 }], maxDatabaseBytes: 500_000_000 };
  expect(operatorSteps({ ...QUIET, ...onFreePlan })).toEqual([
    {
      what:
        "Database 0 holds 410 of 500 MB: new accounts need another, its own fewer days of details (KEEP_DETAIL_DAYS), " +
        "or Workers Paid, where each may hold 10 GB",
      command: "npm run deploy -- --databases 2",
    },
  ]);
  const all = Array.from({ length: 20 }, () => 9_000_000_000);
  expect(of(...all)).toEqual([]);
  expect(of(...all.slice(1), 9_600_000_000)).toHaveLength(1);
});

it("begins with what holds up everything else", () => {
  const steps = operatorSteps({
    nowSeconds: NOW,
    queues: [
      { queue: "dmarc-reports", messages: 1, oldestSeconds: NOW - 1000 },
      { queue: "dmarc-points", messages: 1200, oldestSeconds: NOW - 8 * 3600 },
    ],
    unfinishedDays: [
      { day: "2026-11-28", objects: 7 },
      { day: "2026-11-27", objects: 2 },
      { day: "2026-11-20", objects: 1 },
    ],
    deadLetters: 10_000,
    conflicts: 1,
    refusedReports: 3,
    missingParts: 1,
  });
  expect(steps.map(({ what, command }) => `${what}: ${command}`)).toEqual([
    "dmarc-reports: 1 message waiting, the oldest for 16 minutes: npx wrangler tail dmarc-process --format json",
    "dmarc-points: 1,200 messages waiting, the oldest for 8 hours: npx wrangler tail dmarc-process --format json",
    "3 files pending, the oldest of 2026-11-20: dmarc reconcile --since 2026-11-20 --watch",
    "1 part of mail without an outcome: dmarc reprocess --since 2026-11-21",
    "10,000 open dead letters: dmarc dead-letters reasons",
    "1 open conflict: dmarc conflicts list",
    "3 mails to unregistered addresses look like reports: dmarc rua refused",
  ]);
});

it("is reconcile where a queue was purged, on the same day too", () => {
  expect(operatorSteps({ ...QUIET, unfinishedDays: [{ day: "2026-11-28", objects: 7 }] })).toEqual([
    { what: "7 files pending, the oldest of 2026-11-28", command: "dmarc reconcile --since 2026-11-28 --watch" },
  ]);
});

it("says that the ledger does not answer", () => {
  expect(operatorSteps({ ...QUIET, deadLetters: undefined, conflicts: undefined })).toEqual([
    { what: "The ledger (D1) does not answer", command: "npx wrangler d1 info dmarc-reports" },
  ]);
});

it("begins with a database that accounts live in and that is not bound: how to bind it", () => {
  expect(operatorSteps({ ...QUIET, deadLetters: 5, unboundDatabases: [1] })).toEqual([
    {
      what: "The ledger's database 1, which accounts live in, is not bound, and their mail ends as dead letters: deploy again",
      command: "npm run deploy -- --databases 2",
    },
    { what: "5 open dead letters", command: "dmarc dead-letters reasons" },
  ]);
  expect(operatorSteps({ ...QUIET, unboundDatabases: [2, 4] })).toEqual([
    {
      what: "The ledger's databases 2, 4, which accounts live in, are not bound, and their mail ends as dead letters: deploy again",
      command: "npm run deploy -- --databases 5",
    },
  ]);
  expect(operatorSteps({ ...QUIET, unboundDatabases: [] })).toEqual([]);
});

it("names the Workers and the database of a deployment with another prefix", () => {
  const queues = [{ queue: "dmarc-reports", messages: 1, oldestSeconds: NOW - 1000 }];
  const steps = operatorSteps({ ...QUIET, prefix: "dmarc-staging", queues, deadLetters: undefined });
  expect(steps.map(({ command }) => command)).toEqual([
    "npx wrangler d1 info dmarc-staging-reports",
    "npx wrangler tail dmarc-staging-process --format json",
  ]);
});

it("an operator reads that cron has stopped, which cron itself can't report", () => {
  const since = (hours: number) => operatorSteps({ ...QUIET, roundSeconds: NOW - hours * 3600 });
  expect(since(6)).toEqual([]);
  expect(since(7)).toEqual([
    {
      what: "Cron has looked at no domain for 7 hours: if it has stopped, there are no alerts, digests and upkeep",
      command: "npx wrangler tail dmarc-process --format json",
    },
  ]);
  // A round that goes on for long is another matter.
  expect(operatorSteps({ ...QUIET, roundSeconds: NOW - 7 * 3600, cronSeconds: NOW - 60 })).toEqual([
    {
      what: "The round over the domains has gone on for 7 hours, and alerts come as late: do a part of it now",
      command: "dmarc watch run",
    },
  ]);
  expect(operatorSteps({ ...QUIET, roundSeconds: NOW - 20 * 3600, cronSeconds: NOW - 7 * 3600 })).toHaveLength(1);
  // A new deployment, and process of an earlier version.
  expect(operatorSteps({ ...QUIET, roundSeconds: 0 })).toEqual([]);
});
