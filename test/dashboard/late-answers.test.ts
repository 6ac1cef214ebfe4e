/** A database that does not answer: pages and `/health` say so instead of waiting for as long as it does. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { LedgerDatabase, LedgerStatement } from "../../shared/ledger/database.ts";
import { shardsOf } from "../../shared/ledger/shards.ts";
import { HealthCheck } from "../../workers/dashboard/health.ts";
import { LedgerReader, LedgerUnavailableError } from "../../workers/dashboard/ledger.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const never = <T>(): Promise<T> => Promise.withResolvers<T>().promise;
const statement: LedgerStatement = { bind: () => statement, all: never };
const silent: LedgerDatabase = { prepare: () => statement, batch: never };

it("a question to the ledger without an answer is an error after thirty seconds", async () => {
  const reader = new LedgerReader(shardsOf({ D1_DMARC_REPORTS: silent }));
  const failed = vi.fn();
  const asked = reader.accounts().catch(failed);
  await vi.advanceTimersByTimeAsync(29_999);
  expect(failed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await asked;
  expect(failed.mock.calls).toEqual([[new LedgerUnavailableError("No answer within 30000 ms.")]]);
  expect(vi.getTimerCount()).toBe(0);
});

it("health without an answer is down after ten seconds", async () => {
  const told = vi.fn();
  const asked = new HealthCheck().read({ call: never }, 0).then(told);
  await vi.advanceTimersByTimeAsync(9999);
  expect(told).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await asked;
  expect(told.mock.calls).toMatchObject([[{ status: "down", ledger: false, process: false }]]);
});
