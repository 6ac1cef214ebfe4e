/**
 * Laws of what the ledger answers about a domain's mail: neither the order in which its reports came, nor how many databases
 * hold them, nor the merging of its days changes anything, nor what the verdict makes of it.
 */

import { expect, it } from "vitest";
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import { NOTHING_KNOWN } from "../../shared/guidance/sender-knowledge.ts";
import { judge, type Verdict } from "../../shared/guidance/verdict.ts";
import { decideBy, verdictInput } from "../../shared/guidance/verdict-input.ts";
import { dayTotalsQuery, policiesQuery } from "../../shared/ledger/days.ts";
import { mergeDays } from "../../shared/ledger/merge-days.ts";
import { askAll } from "../../shared/ledger/shards.ts";
import { type DomainScope, type Mail, mailQuery } from "../../shared/ledger/sources.ts";
import type { AggregateRecord, OverrideType } from "../../shared/report/vocabulary.ts";
import { sumEvidence } from "../support/evidence.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "../support/ledger-fill.ts";
import fc from "../support/properties.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const DOMAIN = "acme.example";
/** Each of which is in one database. */
const ACCOUNTS = ["acme", "beta", "gamma"];
const FIRST_DAY = 20_000;
const LAST_DAY = 20_029;
const NOW = (LAST_DAY + 1) * 86_400;
const PERIOD = { firstDay: FIRST_DAY, lastDay: LAST_DAY };

const name = fc.constantFrom(DOMAIN, `news.${DOMAIN}`, "sendgrid.net", "x.other.example", "ietf.org");
const record = fc
  .record({
    count: fc.constantFrom(0, 1, 7, 500),
    sourceIp: fc.constantFrom("192.0.2.1", "192.0.2.77", "2001:db8::1", "203.0.113.5", ""),
    dkim: fc.constantFrom("pass" as const, "fail" as const, "unknown" as const),
    spf: fc.constantFrom("pass" as const, "fail" as const),
    disposition: fc.constantFrom("none" as const, "quarantine" as const, "reject" as const),
    headerFrom: fc.constantFrom(DOMAIN, `news.${DOMAIN}`),
    signer: fc.option(name),
    path: fc.option(name),
    result: fc.constantFrom("pass" as const, "fail" as const),
    reason: fc.option(fc.constantFrom<OverrideType>("forwarded", "mailing_list", "local_policy")),
  })
  .map(({ signer, path, result, reason, ...given }) => {
    const authenticated = { result, rawResult: "", humanResult: "" };
    return sampleRecord(DOMAIN, {
      ...given,
      dkimResults: signer === null ? [] : [{ ...authenticated, domain: signer, selector: "s" }],
      spfResults: path === null ? [] : [{ ...authenticated, domain: path, scope: "mfrom" }],
      reasons: reason === null ? [] : [{ type: reason, rawType: reason, comment: "" }],
    });
  });

interface GivenReport {
  day: number;
  days: number;
  p: "none" | "quarantine" | "reject";
  records: AggregateRecord[];
  isStaged: boolean;
}

const report: fc.Arbitrary<GivenReport> = fc.record({
  day: fc.oneof(fc.constantFrom(20_010, 20_011), fc.integer({ min: FIRST_DAY, max: LAST_DAY })),
  /** Reports are about a day, or about several. */
  days: fc.constantFrom(1, 1, 1, 3),
  p: fc.constantFrom("none" as const, "quarantine" as const, "reject" as const),
  records: fc.array(record, { maxLength: 5 }),
  isStaged: fc.boolean(),
});

function samplesOf(reports: readonly GivenReport[]): Sample[] {
  return reports.map(({ day, days, p, records, isStaged }, i) => {
    const made = aggregateReport(DOMAIN, { day, records, p, reporter: `reporter ${i}` });
    made.metadata.endSeconds += (days - 1) * 86_400;
    const uid = i.toString(16).padStart(32, "0");
    const sample = { account: ACCOUNTS[i % ACCOUNTS.length] ?? "", uid, report: made, records, receivedSeconds: NOW };
    return isStaged ? { ...sample, chunkRecords: 2 } : sample;
  });
}

async function filled(samples: readonly Sample[]): Promise<SqliteLedger> {
  const ledger = new SqliteLedger();
  for (const sample of samples) await commitSamples(ledger, [sample], { nowSeconds: NOW });
  return ledger;
}

/** What is answered, in an order of its own: lists have the largest first, which is several at times. */
async function answersOf(ledgers: readonly SqliteLedger[]) {
  const scope: DomainScope = { accounts: ACCOUNTS, domains: [DOMAIN], ...PERIOD };
  const [mail] = await askAll(ledgers, mailQuery({ ...scope, onlyCounted: true }));
  if (mail === undefined) throw new Error("a question without an answer");
  const policies = await askAll(ledgers, policiesQuery({ accounts: ACCOUNTS, domains: [DOMAIN] }));
  const days = await askAll(ledgers, dayTotalsQuery(scope));
  const verdict = judge(verdictOf(mail, { days, policies }));
  // How many reporters there are is exact in one database alone, and says so.
  const seen = policies.map(({ reportersAreAtMost, ...policy }) => policy);
  return { mail: sortedLists(mail), days, policies: sorted(seen), verdict: plainVerdict(verdict) };
}

function verdictOf(mail: Mail, { days, policies }: Pick<Parameters<typeof verdictInput>[1], "days" | "policies">) {
  const senders = {
    mail: mailBySender(mail.evidence, DOMAIN),
    totals: sumEvidence(mail.evidence),
    knowledge: NOTHING_KNOWN,
  };
  return {
    ...verdictInput(DOMAIN, { period: PERIOD, senders, days, policies, ruaAddresses: [] }, decideBy(new Map())),
  };
}

function sortedLists({ evidence, sources, dispositions, reasons, homeAddresses }: Mail) {
  return {
    evidence: sorted(evidence),
    sources: sorted(sources),
    dispositions: sorted(dispositions),
    reasons: sorted(reasons),
    homeAddresses: sorted(homeAddresses),
  };
}

function sorted(items: readonly unknown[]): string[] {
  return items.map((item) => JSON.stringify(item)).sort();
}

function plainVerdict({ sources, reasons, missing, ...figures }: Verdict) {
  const plain = (list: Verdict["reasons"]) =>
    sorted(list.map(({ code, source, messages, days }) => [code, source?.name, messages, days]));
  return {
    ...figures,
    sources: sorted(sources.map(({ evidence, ...source }) => ({ ...source, groups: evidence.length }))),
    reasons: plain(reasons),
    missing: plain(missing),
  };
}

const MERGED = { beforeDay: LAST_DAY + 1, minReports: 1, limit: 100, atOnce: { days: 3, records: 10 } };

it("two policies that were seen on the same days are in the same order in whichever databases they are", async () => {
  const [none, quarantine] = samplesOf([
    { day: 20_010, days: 1, p: "none", records: [], isStaged: false },
    { day: 20_010, days: 1, p: "quarantine", records: [], isStaged: false },
  ]).map((sample) => [sample]);
  if (none === undefined || quarantine === undefined) throw new Error("no sample");
  const query = policiesQuery({ accounts: ACCOUNTS, domains: [DOMAIN] });
  const seen = async (ledgers: SqliteLedger[]) =>
    (await askAll(ledgers, query)).map(({ policy }) => policy.slice(0, 6));
  const apart = [await filled(none), await filled(quarantine)];
  expect(await seen([await filled([...none, ...quarantine])])).toEqual(["p=none", "p=quar"]);
  expect(await seen(apart)).toEqual(["p=none", "p=quar"]);
  expect(await seen(apart.reverse())).toEqual(["p=none", "p=quar"]);
});

it("hold for any reports", { timeout: 600_000 }, async () => {
  const given = fc.array(fc.tuple(report, fc.integer()), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(given, async (placed) => {
      const samples = samplesOf(placed.map(([one]) => one));
      const expected = await answersOf([await filled(samples)]);
      const order = placed.map(([, place], i) => ({ place, sample: samples[i] })).sort((a, b) => a.place - b.place);
      const other = await filled(order.flatMap(({ sample }) => sample ?? []));
      expect(await answersOf([other])).toEqual(expected);
      expect(await mergeDays(other, MERGED)).toBeGreaterThan(0);
      expect(await answersOf([other])).toEqual(expected);
      const apart = await Promise.all(
        ACCOUNTS.map((account) => filled(samples.filter((sample) => sample.account === account))),
      );
      const found = await answersOf(apart);
      // Evidence has the address of passing mail where the same database has mail from there that nothing authenticates.
      const { evidence, ...sums } = expected.mail;
      expect(found).toMatchObject({ mail: sums, days: expected.days, policies: expected.policies });
      expect(found.verdict).toMatchObject({ messages: expected.verdict.messages, policy: expected.verdict.policy });
      expect(await answersOf(apart.reverse())).toEqual(found);
    }),
    { numRuns: 25 },
  );
});
