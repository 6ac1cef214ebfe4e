/** The daily work of a provider with 10,000 domains, on the D1 of workerd: it keeps up within an invocation's queries. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { change, type LedgerDatabase } from "../../shared/ledger/database.ts";
import { mergeDays } from "../../shared/ledger/merge-days.ts";
import { removeOldDetails } from "../../shared/ledger/retention.ts";
import { D1_LIMITS, UPKEEP_LIMITS } from "../../shared/limits.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "../dashboard/harness.ts";
import { countingLedger } from "../support/counting-ledger.ts";

const DOMAINS = 10_000;
const REPORTS = 5;
const DAY = 20_700;

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  await fill(dashboard.ledger);
}, 180_000);

afterAll(() => dashboard.close());

/** A day of 10,000 domains with five reports of two addresses each. */
async function fill(ledger: LedgerDatabase): Promise<void> {
  for (let first = 0; first < DOMAINS; first += 1000) {
    const numbers = JSON.stringify(Array.from({ length: 1000 }, (_, i) => first + i));
    await change(ledger, [
      {
        sql: `INSERT INTO domain_days (account, kind, domain, day, reports, records, total, passed, dkim_aligned,
            spf_aligned, quarantined, rejected, last_end_seconds, policy)
          SELECT 'acme', 'aggregate', 'd' || value || '.example', ${DAY}, ${REPORTS}, ${2 * REPORTS}, 30, 0, 0, 0, 0, 0, 1, ''
          FROM json_each(?1)`,
        parameters: [numbers],
      },
      {
        sql: `INSERT INTO reports (account, kind, domain, day, uid, place, version, generation, state, content_hash,
            reporter, report_id, begin_seconds, end_seconds, received_seconds, rua, raw_key, part, points, highest_points,
            records, total, passed, dkim_aligned, spf_aligned, quarantined, rejected, policy, details, figures)
          SELECT 'acme', 'aggregate', 'd' || n.value || '.example', ${DAY}, randomblob(16), 0, 1, 1, 'accepted',
            randomblob(16), 'r' || r.value, '', 1, 1, 1, 'a@b.example', 'raw/x', '', 2, 2, 2, 6, 0, 0, 0, 0, 0, '', '{}',
            json_object('nffx00|192.0.2.' || r.value, 1, 'nffx00|198.51.100.1', 5)
          FROM json_each(?1) n, json_each('[1,2,3,4,5]') r`,
        parameters: [numbers],
      },
    ]);
  }
}

it("merges one day of all domains, and removes the details of one day, in one run each", {
  timeout: 180_000,
}, async () => {
  const { daysPerRun: limit, daysAtOnce: days, mergedRecordsAtOnce: records, stepsPerRun } = UPKEEP_LIMITS;
  const counted = countingLedger(dashboard.ledger);
  const bounds = { beforeDay: DAY + 1, minReports: UPKEEP_LIMITS.mergedReports, limit, atOnce: { days, records } };
  const startedMilliseconds = performance.now();
  expect(await mergeDays(counted.ledger, bounds)).toBe(DOMAINS);
  const mergedMilliseconds = performance.now();
  expect(await mergeDays(counted.ledger, bounds)).toBe(0);
  const [one] = (
    await dashboard.ledger.prepare("SELECT count(*) AS days, max(figures) AS figures FROM day_figures").all()
  ).results;
  expect(one).toMatchObject({ days: DOMAINS });
  expect(JSON.parse((one as { figures: string }).figures)).toEqual({
    "nffx00|192.0.2.1": 1,
    "nffx00|192.0.2.2": 1,
    "nffx00|192.0.2.3": 1,
    "nffx00|192.0.2.4": 1,
    "nffx00|192.0.2.5": 1,
    "nffx00|198.51.100.1": 25,
  });
  expect(await removeOldDetails(counted.ledger, { beforeDay: DAY + 1, limit, atOnce: days })).toBe(DOMAINS);
  const removedMilliseconds = performance.now();
  console.log(
    `merged in ${Math.round(mergedMilliseconds - startedMilliseconds)} ms, details removed in ${Math.round(removedMilliseconds - mergedMilliseconds)} ms, ${counted.queries} queries`,
  );
  const { results } = await dashboard.ledger
    .prepare("SELECT (SELECT count(*) FROM reports) AS reports, (SELECT count(*) FROM day_figures) AS figures")
    .all();
  expect(results).toEqual([{ reports: 0, figures: 0 }]);
  // The rest of the run: three kinds of rows removed in steps, copies of the registry, reconcile, faults.
  expect(counted.queries + 3 * stepsPerRun + 20).toBeLessThan(D1_LIMITS.maxQueriesPerInvocation / 2);
});
