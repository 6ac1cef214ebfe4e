/** The round over the domains on the D1 of workerd: statements it takes there, incidents and notices kept once, accounts apart. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { ask } from "../../shared/ledger/database.ts";
import { domainVerdictsQuery } from "../../shared/ledger/domain-verdicts.ts";
import { incidentsQuery, noticesQuery } from "../../shared/ledger/notices.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { watchDomains } from "../../workers/process/watch/round.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "../dashboard/harness.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "../support/ledger-fill.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const DOMAIN = "shop.example";
const DAYS = 36;
const DAY_MILLISECONDS = 86_400_000;

let dashboard: Dashboard;
let simulation: Simulation;
let uids = 0;

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  simulation = new Simulation({ database: dashboard.ledger });
}, 180_000);

afterAll(() => dashboard.close());

function today(): number {
  return Math.floor(simulation.clock.nowMilliseconds / DAY_MILLISECONDS);
}

function service(result: "pass" | "fail"): AggregateRecord {
  return sampleRecord(DOMAIN, {
    count: 60,
    dkim: result,
    dkimResults: [{ domain: DOMAIN, selector: "k1", result, rawResult: result, humanResult: "" }],
    spfResults: [{ domain: "bounce.sendgrid.net", scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" }],
  });
}

function sampleOf(account: string, day: number, result: "pass" | "fail"): Sample {
  const records = [service(result)];
  const uid = (++uids).toString(16).padStart(32, "0");
  return { account, uid, report: aggregateReport(DOMAIN, { day, records }), records, receivedSeconds: day * 86_400 };
}

it("a round judges domains, opens an incident once, and keeps accounts apart", { timeout: 180_000 }, async () => {
  const { ledger, nowSeconds } = simulation.invocation();
  const days = Array.from({ length: DAYS }, (_, i) => today() - DAYS + i);
  const samples = ["acme", "globex"].flatMap((account) => days.map((day) => sampleOf(account, day, "pass")));
  for (let i = 0; i < samples.length; i += 24) await commitSamples(ledger, samples.slice(i, i + 24), { nowSeconds });
  expect(await watchDomains(simulation.invocation(), true)).toEqual({
    domains: 2,
    computed: 2,
    skipped: 0,
    isDone: true,
  });
  const verdicts = await ask(ledger, domainVerdictsQuery(["acme", "globex"], { limit: 10 }));
  expect(verdicts.map(({ account, state }) => [account, state])).toEqual([
    ["acme", "ready"],
    ["globex", "ready"],
  ]);

  simulation.clock.nowMilliseconds += DAY_MILLISECONDS;
  const newest = [sampleOf("acme", today() - 1, "fail"), sampleOf("globex", today() - 1, "pass")];
  await commitSamples(ledger, newest, { nowSeconds: nowSeconds + 86_400 });
  // Two at once, and once more.
  await Promise.all([watchDomains(simulation.invocation(), true), watchDomains(simulation.invocation(), true)]);
  expect(await watchDomains(simulation.invocation(), true)).toMatchObject({ computed: 0, isDone: true });
  const [notice, ...others] = await ask(ledger, noticesQuery(["acme"], 10));
  expect(others).toEqual([]);
  expect(notice).toMatchObject({
    rule: "ownSenderFails",
    subject: "sendgrid.net",
    step: "opened",
    urgency: "immediate",
  });
  expect(await ask(ledger, incidentsQuery(["acme"], { state: "open", limit: 10 }))).toHaveLength(1);
  expect(await ask(ledger, noticesQuery(["globex"], 10))).toEqual([]);
  expect(await ask(ledger, incidentsQuery(["globex"], { state: "open", limit: 10 }))).toEqual([]);
});
