/** The free plan's D1, which refuses to write for the rest of a day once its rows are used up. */
import { expect, it } from "vitest";
import { delayAfterFault } from "../../shared/backoff.ts";
import { putAddress } from "../../shared/ledger/addresses.ts";
import type { LedgerDatabase, LedgerStatement } from "../../shared/ledger/database.ts";
import { validRegistration } from "../../shared/registry.ts";
import { describeError } from "../../workers/dashboard/errors.ts";
import { LedgerReader } from "../../workers/dashboard/ledger.ts";
import { records, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

setUpSimulation();

/** As developers.cloudflare.com/d1/observability/debug-d1/#error-list has it. */
const refusal = (what: "read" | "write"): Error =>
  new Error(
    `D1_ERROR: Your account has exceeded D1's free tier daily row ${what} limit. Upgrade to a paid plan or wait until tomorrow (midnight UTC) to continue.`,
  );

it("a report waits for the next day and counts then, without a dead letter", async () => {
  const sqlite = new SqliteLedger();
  let simulation: Simulation | undefined;
  let refused = 0;
  const today = (): number => Math.floor((simulation?.clock.nowMilliseconds ?? 0) / 86_400_000);
  const database: LedgerDatabase = {
    prepare: (sql) => sqlite.prepare(sql),
    async batch(statements: LedgerStatement[]) {
      if (today() === Date.UTC(2026, 10, 20) / 86_400_000) {
        refused++;
        throw refusal("write");
      }
      return sqlite.batch(statements);
    },
  };
  simulation = new Simulation({ database });
  const place = { directory: sqlite, copy: simulation.invocation().env.KV_DMARC_REPORTS, newAccountShard: 0 };
  await putAddress(validRegistration("dmarc@acme.example", { account: "acme", domains: ["acme.example"] }), place, 0);
  expect(await simulation.deliver(reportMail("late", records(3)))).toBe("taken");
  await simulation.drain();

  expect(refused).toBeGreaterThan(0);
  expect(sqlite.sqlite.prepare("SELECT count(*) AS n FROM reports").get()).toEqual({ n: 1 });
  expect(sqlite.sqlite.prepare("SELECT count(*) AS n FROM dead_letters").get()).toEqual({ n: 0 });
  expect(new Date(simulation.clock.nowMilliseconds).toISOString()).toMatch(/^2026-11-21T00:/);
});

it("it is retried early on the next day, and other faults are retried as usual", () => {
  const noon = Date.UTC(2026, 10, 20, 12) / 1000;
  const times = { attempts: 1, nowSeconds: noon };
  expect(delayAfterFault(refusal("read"), times, 30, 0)).toBe(12 * 3600);
  expect(delayAfterFault(refusal("write"), times, 30, 0.5)).toBe(12 * 3600 + 450);
  expect(delayAfterFault(refusal("write"), { ...times, nowSeconds: noon - 12 * 3600 }, 30, 0.999)).toBe(86_400);
  expect(delayAfterFault(new Error("D1_ERROR: D1 DB is overloaded."), times, 30, 0)).toBe(15);
});

it("the dashboard explains the missing answer and does not suggest an immediate retry", async () => {
  const statement: LedgerStatement = { bind: () => statement, all: () => Promise.reject(refusal("read")) };
  const database: LedgerDatabase = { prepare: () => statement, batch: () => Promise.reject(refusal("read")) };
  const reader = new LedgerReader({ all: [database], directory: database });
  const error = await reader.accounts().catch((thrown: unknown) => thrown);
  const answer = describeError(error);
  expect(answer).toMatchObject({ status: 503, code: "ledger_unavailable" });
  expect(answer.message).toMatch(/midnight UTC/);
  expect(answer.retryAfterSeconds).toBeUndefined();
});
