/**
 * Laws of the verdict, over random mail: it does not depend on the order of the records, and more good mail from servers that
 * send it already never makes a domain less ready.
 */
import { describe, expect, it } from "vitest";
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import { judge, type Verdict } from "../../shared/guidance/verdict.ts";
import type { OverrideType } from "../../shared/report/vocabulary.ts";
import { type DatedRecord, evidenceOf, sumEvidence } from "../support/evidence.ts";
import { sampleRecord } from "../support/ledger-fill.ts";
import fc from "../support/properties.ts";

const DOMAIN = "acme.example";
const PERIOD = { firstDay: 20_000, lastDay: 20_029 };
const OWN_SERVER = "192.0.2.1";

const day = fc.integer({ min: PERIOD.firstDay, max: PERIOD.lastDay });
const name = fc.constantFrom(
  DOMAIN,
  `news.${DOMAIN}`,
  "sendgrid.net",
  "x.other.example",
  "y.third.example",
  "ietf.org",
);

const anyRecord: fc.Arbitrary<DatedRecord> = fc
  .record({
    day,
    count: fc.oneof(fc.constantFrom(1, 2, 5), fc.integer({ min: 0, max: 300 })),
    sourceIp: fc.constantFrom(
      OWN_SERVER,
      "192.0.2.77",
      "2001:db8::1",
      "198.51.100.9",
      "203.0.113.5",
      "203.0.114.5",
      "",
    ),
    dkim: fc.constantFrom("pass" as const, "fail" as const),
    spf: fc.constantFrom("pass" as const, "fail" as const),
    disposition: fc.constantFrom("none" as const, "quarantine" as const, "reject" as const),
    headerFrom: fc.constantFrom(DOMAIN, `news.${DOMAIN}`),
    signer: fc.option(name),
    path: fc.option(name),
    result: fc.constantFrom("pass" as const, "fail" as const),
    reason: fc.option(fc.constantFrom<OverrideType>("forwarded", "mailing_list", "local_policy")),
    comment: fc.constantFrom("", "arc=pass"),
  })
  .map(({ day, signer, path, result, reason, comment, ...given }) => {
    const authenticated = { result, rawResult: "", humanResult: "" };
    const record = sampleRecord(DOMAIN, {
      ...given,
      dkimResults: signer === null ? [] : [{ ...authenticated, domain: signer, selector: "s" }],
      spfResults: path === null ? [] : [{ ...authenticated, domain: path, scope: "mfrom" }],
      reasons: reason === null ? [] : [{ type: reason, rawType: reason, comment }],
    });
    return { day, record };
  });

function good(day: number, count: number): DatedRecord {
  const spfResults = [{ domain: DOMAIN, scope: "mfrom", result: "pass", rawResult: "", humanResult: "" } as const];
  return {
    day,
    record: sampleRecord(DOMAIN, { count, spf: "pass", sourceIp: OWN_SERVER, spfResults: [...spfResults] }),
  };
}

/** Good mail on each day, and anything beside it. */
const mail = fc
  .tuple(fc.integer({ min: 1, max: 3000 }), fc.array(anyRecord, { maxLength: 12 }))
  .map(([count, others]) => [...Array.from({ length: 30 }, (_, i) => good(PERIOD.firstDay + i, count)), ...others]);
const policy = fc.constantFrom("p=none", "p=quarantine", "p=reject", "p=reject; sp=none");

function verdictOf(records: readonly DatedRecord[], policy: string): Verdict {
  const evidence = evidenceOf(records, PERIOD);
  return judge({
    domain: DOMAIN,
    period: PERIOD,
    mail: mailBySender(evidence, DOMAIN),
    totals: sumEvidence(evidence),
    days: [...new Set(records.map(({ day }) => day))].sort((a, b) => a - b),
    policies: [{ policy, ...PERIOD }],
    ruaAddresses: [],
    decide: () => undefined,
  });
}

/** Lists have the largest first, which is several at times. */
function unordered({ sources, reasons, missing, ...figures }: Verdict) {
  const sorted = (list: readonly unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();
  const plain = (list: Verdict["reasons"]) => sorted(list.map(({ source, ...one }) => [one, source?.name]));
  return {
    ...figures,
    sources: sorted(sources.map(({ evidence, ...source }) => [source, evidence.length])),
    reasons: plain(reasons),
    missing: plain(missing),
  };
}

describe("a verdict", () => {
  it("does not depend on the order of the records", () => {
    fc.assert(
      fc.property(mail, policy, fc.array(fc.nat(), { minLength: 42, maxLength: 42 }), (records, published, places) => {
        const order = records.map((record, i) => ({ record, place: places[i] ?? 0 }));
        const other = order.sort((a, b) => a.place - b.place).map(({ record }) => record);
        expect(unordered(verdictOf(other, published))).toEqual(unordered(verdictOf(records, published)));
      }),
      { numRuns: 500 },
    );
  });

  it("stays ready, or protected, with more good mail of the same servers", () => {
    const more = fc.array(
      fc.tuple(day, fc.integer({ min: 1, max: 100_000 })).map(([day, count]) => good(day, count)),
      { minLength: 1, maxLength: 5 },
    );
    const states = new Map<string, number>();
    fc.assert(
      fc.property(mail, policy, more, (records, published, added) => {
        const { state } = verdictOf(records, published);
        states.set(state, (states.get(state) ?? 0) + 1);
        if (state !== "ready" && state !== "protected") return;
        expect(verdictOf([...records, ...added], published).state).toBe(state);
      }),
      { numRuns: 1000 },
    );
    expect(states.get("ready")).toBeGreaterThan(100);
    expect(states.get("protected")).toBeGreaterThan(100);
  });
});
