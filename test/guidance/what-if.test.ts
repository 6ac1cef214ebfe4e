/** What-if against a plain count over the same records: any records, simulated domains, and the samples. */

import { describe, expect, it } from "vitest";
import { judgeOne, score, simulateOne } from "../../bench/verdict/score.ts";
import { planReports } from "../../local/samples/reports.ts";
import { sampleReportXml } from "../../local/samples/xml.ts";
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import { judge, type Verdict } from "../../shared/guidance/verdict.ts";
import { POLICY_STEPS } from "../../shared/guidance/what-if.ts";
import { policyText } from "../../shared/report/policy-text.ts";
import type { AggregateRecord, OverrideType } from "../../shared/report/vocabulary.ts";
import { type DatedRecord, evidenceOf, sumEvidence } from "../support/evidence.ts";
import { sampleRecord } from "../support/ledger-fill.ts";
import fc from "../support/properties.ts";
import { NOW_SECONDS, readAll } from "../support/read.ts";

const DOMAIN = "acme.example";
const PERIOD = { firstDay: 20_000, lastDay: 20_029 };

interface Setting {
  period: typeof PERIOD;
  policy?: string;
}

function verdictOf(records: readonly DatedRecord[], domain: string, { period, policy = "p=none" }: Setting): Verdict {
  const evidence = evidenceOf(records, period);
  return judge({
    domain,
    period,
    mail: mailBySender(evidence, domain),
    totals: sumEvidence(evidence),
    days: [...new Set(records.map(({ day }) => day))].sort((a, b) => a - b),
    policies: [{ policy, firstDay: period.firstDay, lastDay: period.lastDay }],
    ruaAddresses: [],
    decide: () => undefined,
  });
}

// Written from RFC 9989 section 4.4 and the override reasons' meaning, not from the code that is tested.
function isHit({ dkim, spf, reasons }: AggregateRecord): boolean {
  const forwarded: OverrideType[] = ["forwarded", "trusted_forwarder", "mailing_list"];
  const isSpared = reasons.some(
    ({ type, comment }) => forwarded.includes(type) || (type === "local_policy" && comment.includes("arc=pass")),
  );
  return dkim !== "pass" && spf !== "pass" && !isSpared;
}

function expectPlainCount(records: readonly DatedRecord[], domain: string, verdict: Verdict): void {
  const sum = (keep: (record: AggregateRecord) => boolean): number =>
    records.reduce((total, { record }) => total + (keep(record) ? record.count : 0), 0);
  const totalOf = (step: (typeof POLICY_STEPS)[number]): number => {
    const { own, undecided, foreign, forwarder } = verdict.wouldHit[step];
    return own + undecided + foreign + forwarder;
  };
  const hit = sum(isHit);
  expect(verdict.messages).toBe(sum(() => true));
  expect(POLICY_STEPS.slice(0, 4).map(totalOf)).toEqual([0, hit, hit, hit]);
  expect(totalOf("subdomains")).toBe(sum((record) => isHit(record) && record.headerFrom !== domain));
  expect(totalOf("strict")).toBeGreaterThanOrEqual(hit);
  const bySource = new Map<string, number>();
  for (const { name, hit: count } of verdict.sources) bySource.set(name, (bySource.get(name) ?? 0) + count);
  expect([...bySource.values()].reduce((total, count) => total + count, 0)).toBe(hit);
  expect(bySource.size).toBe(verdict.sources.length);
}

const domainName = fc.constantFrom(DOMAIN, `news.${DOMAIN}`, "sendgrid.net", "x.other.example", "ietf.org", "");
const dated: fc.Arbitrary<DatedRecord> = fc
  .record({
    day: fc.integer({ min: PERIOD.firstDay, max: PERIOD.lastDay }),
    count: fc.integer({ min: 0, max: 1000 }),
    sourceIp: fc.constantFrom("192.0.2.1", "192.0.2.77", "2001:db8::1", ""),
    dkim: fc.constantFrom("pass" as const, "fail" as const, "unknown" as const),
    spf: fc.constantFrom("pass" as const, "fail" as const, "unknown" as const),
    disposition: fc.constantFrom("none" as const, "quarantine" as const, "reject" as const),
    headerFrom: fc.constantFrom(DOMAIN, `news.${DOMAIN}`),
    signer: domainName,
    path: domainName,
    result: fc.constantFrom("pass" as const, "fail" as const),
    reason: fc.constantFrom(undefined, "forwarded", "mailing_list", "local_policy", "other", "sampled_out"),
    comment: fc.constantFrom("", "arc=pass", "arc=fail"),
  })
  .map(({ day, signer, path, result, reason, comment, ...record }) => ({
    day,
    record: sampleRecord(DOMAIN, {
      ...record,
      dkimResults: [{ domain: signer, selector: "s", result, rawResult: "", humanResult: "" }],
      spfResults: [{ domain: path, scope: "mfrom", result, rawResult: "", humanResult: "" }],
      reasons: reason === undefined ? [] : [{ type: reason as OverrideType, rawType: reason, comment }],
    }),
  }));

describe("what-if counts plainly", () => {
  it("over any records", () => {
    fc.assert(
      fc.property(fc.array(dated, { maxLength: 60 }), (records) => {
        expectPlainCount(records, DOMAIN, verdictOf(records, DOMAIN, { period: PERIOD }));
      }),
      { numRuns: 300 },
    );
  });

  it("over the mail of simulated domains", () => {
    for (let number = 0; number < 25; number++) {
      const { domain, traffic } = simulateOne(7, number);
      const period = { firstDay: 0, lastDay: 29 };
      expectPlainCount(traffic.reported, domain.name, verdictOf(traffic.reported, domain.name, { period }));
    }
  });

  it("over the samples", async () => {
    const today = Math.floor(NOW_SECONDS / 86_400);
    const byDomain = new Map<string, DatedRecord[]>();
    const policies = new Map<string, string>();
    for (const plan of planReports(NOW_SECONDS)) {
      for (const { report, records } of (await readAll(sampleReportXml(plan))).reports) {
        if (report.kind !== "aggregate") throw new Error("a sample of another kind");
        const day = Math.floor(report.metadata.beginSeconds / 86_400);
        const { domain } = report.policy;
        if (day >= today - 3) policies.set(domain, policyText(report.policy));
        byDomain.set(domain, [...(byDomain.get(domain) ?? []), ...records.map((record) => ({ day, record }))]);
      }
    }
    const period = { firstDay: today - 29, lastDay: today };
    const states = new Map<string, string>();
    for (const [domain, all] of byDomain) {
      const records = all.filter(({ day }) => day >= period.firstDay && day <= period.lastDay);
      const verdict = verdictOf(records, domain, { period, policy: policies.get(domain) ?? "" });
      expectPlainCount(records, domain, verdict);
      states.set(domain, verdict.state);
    }
    expect(Object.fromEntries(states)).toMatchObject({ "example.com": "beingRejected", "example.net": "notInUse" });
  });
});

describe("the benchmark", () => {
  const judged = (seed: number) => Array.from({ length: 60 }, (_, number) => judgeOne(simulateOne(seed, number)));

  it("gives the same result for the same seed, and another one for another seed", () => {
    const once = score(judged(3));
    expect(score(judged(3))).toEqual(once);
    expect(score(judged(4))).not.toEqual(once);
  });

  it("takes the truth from labels: mail from aligned senders is never lost", () => {
    for (const { domain, traffic } of judged(5)) {
      const { legitimate, lost, lostSeen, lostSeenByLabel } = traffic.judged;
      expect(lost).toBeLessThanOrEqual(legitimate);
      expect(lostSeen).toBeLessThanOrEqual(lost);
      expect(Object.values(lostSeenByLabel).reduce((sum, count) => sum + count, 0)).toBe(lostSeen);
      const labels = new Set<string>(domain.senders.filter((one) => one.isLegitimate).map(({ label }) => label));
      for (const label of Object.keys(lostSeenByLabel)) expect(labels.has(label)).toBe(true);
      if (labels.size === 0) expect(legitimate).toBe(0);
    }
  });
});
