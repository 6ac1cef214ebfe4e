/**
 * Forged TLS reports: mail that nothing proves neither raises an alert about failing TLS, nor hides one, nor speaks for or
 * against enforcing MTA-STS.
 */
import { beforeEach, expect, it } from "vitest";
import type { ReportSender } from "../../shared/authentication/sender-state.ts";
import { ask } from "../../shared/ledger/database.ts";
import { incidentsQuery } from "../../shared/ledger/notices.ts";
import { provenTlsFailuresQuery, stsSessionsQuery } from "../../shared/ledger/tls.ts";
import type { TlsReport } from "../../shared/report/vocabulary.ts";
import { watchDomains } from "../../workers/process/watch/round.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const DOMAIN = "shop.example";
const VERIFIED: ReportSender = { state: "verified", domain: "reporter.example" };
const UNVERIFIED: ReportSender = { state: "unverified", domain: "" };
const CONTRADICTED: ReportSender = { state: "contradicted", domain: "evil.example" };

let simulation: Simulation;
let uids = 0;

beforeEach(async () => {
  simulation = new Simulation();
  uids = 0;
  for (let day = today() - 20; day < today() - 1; day++) await tells(VERIFIED, day, { successful: 40, failed: 0 });
  const { ledger, nowSeconds } = simulation.invocation();
  const records = [sampleRecord(DOMAIN, { count: 10 })];
  const report = aggregateReport(DOMAIN, { day: today() - 1, records });
  const sample = { account: "acme", uid: "f".repeat(32), report, records, receivedSeconds: nowSeconds };
  await commitSamples(ledger, [sample], { nowSeconds });
  await watch();
});

function today(): number {
  return Math.floor(simulation.clock.nowMilliseconds / 86_400_000);
}

async function tells(
  sender: ReportSender,
  day: number,
  { successful, failed, days = 1 }: { successful: number; failed: number; days?: number },
): Promise<void> {
  const detail = {
    resultType: "certificate-expired",
    sendingMtaIp: "",
    receivingMxHostname: "mx.shop.example",
    receivingMxHelo: "",
    receivingIp: "",
    failedSessionCount: failed,
    additionalInformation: "",
    failureReasonCode: "",
  };
  const report: TlsReport = {
    kind: "tls",
    orgName: "Reporter",
    contactInfo: "tls@reporter.example",
    reportId: `${++uids}`,
    beginSeconds: day * 86_400,
    endSeconds: (day + days) * 86_400 - 1,
    warnings: [],
    omittedWarnings: 0,
    contentHash: "",
    policies: [
      {
        policyType: "sts",
        policyDomain: DOMAIN,
        policyStrings: [],
        mxHosts: [],
        successfulSessionCount: successful,
        failedSessionCount: failed,
        failureDetails: failed > 0 ? [detail] : [],
      },
    ],
  };
  const { ledger, nowSeconds } = simulation.invocation();
  const uid = uids.toString(16).padStart(32, "0");
  await commitSamples(ledger, [{ account: "acme", uid, report, records: [], receivedSeconds: nowSeconds, sender }], {
    nowSeconds,
  });
}

async function watch(): Promise<void> {
  while (!(await watchDomains(simulation.invocation(), true)).isDone);
}

async function open(): Promise<string[]> {
  const found = await ask(simulation.ledger, incidentsQuery(["acme"], { state: "open", limit: 10 }));
  return found.map(({ rule, evidence }) => `${rule}: ${evidence[0]}`);
}

it.each([UNVERIFIED, CONTRADICTED])("failures that a mail in the state $state tells raise no alert", async (sender) => {
  await tells(sender, today() - 1, { successful: 0, failed: 100_000 });
  await watch();
  expect(await open()).toEqual([]);
});

it.each([UNVERIFIED, CONTRADICTED])(
  "successes that a mail in the state $state tells hide no failures",
  async (sender) => {
    await tells(VERIFIED, today() - 2, { successful: 20, failed: 40 });
    await tells(sender, today() - 2, { successful: 1_000_000, failed: 0 });
    // Nor is a day of which only that mail tells the newest one.
    await tells(sender, today(), { successful: 1_000_000, failed: 0 });
    await watch();
    expect(await open()).toEqual([expect.stringMatching(/^tlsFails: 40 sessions of /)]);
  },
);

it("a proven report over two days counts on both", async () => {
  await tells(VERIFIED, today() - 2, { successful: 20, failed: 40, days: 2 });
  await watch();
  expect(await open()).toEqual([expect.stringMatching(/^tlsFails: 40 sessions of 100 /)]);
});

it("neither counts as evidence for MTA-STS", async () => {
  const scope = { accounts: ["acme"], domains: [DOMAIN], firstDay: today() - 30, lastDay: today() };
  await tells(UNVERIFIED, today(), { successful: 1000, failed: 500 });
  await tells(CONTRADICTED, today() - 25, { successful: 1000, failed: 0 });
  expect(await ask(simulation.ledger, stsSessionsQuery(scope))).toEqual([
    { days: 19, sessions: 760, failed: 0, lastFailedDay: 0 },
  ]);
  expect(await ask(simulation.ledger, provenTlsFailuresQuery(scope))).toEqual([]);
  await tells(VERIFIED, today(), { successful: 1, failed: 3 });
  expect(await ask(simulation.ledger, provenTlsFailuresQuery(scope))).toMatchObject([
    { resultType: "certificate-expired", sessions: 3 },
  ]);
});
