import { describe, expect, it } from "vitest";
import {
  domainNeedles,
  FigureChunks,
  failureKey,
  readFailureKey,
  readRecordKey,
  readTlsKey,
  recordKey,
  tlsKey,
} from "../../shared/ledger/figures.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import fc from "../support/properties.ts";

const POLICY_DOMAIN = "example.com";
const text = fc.oneof(
  fc.constantFrom(
    "",
    "example.com",
    "mail.example.com",
    "notexample.com",
    "a|b;c,d/e=f%g",
    "bücher.example",
    '"\\\n\t',
  ),
  fc.string({ maxLength: 40 }),
);
const record: fc.Arbitrary<AggregateRecord> = fc.record({
  sourceIp: text,
  count: fc.nat(),
  disposition: fc.constantFrom("none", "quarantine", "reject", "pass", "unknown"),
  rawDisposition: text,
  dkim: fc.constantFrom("pass", "fail", "unknown"),
  spf: fc.constantFrom("pass", "fail", "unknown"),
  reasons: fc.array(
    fc.record({ type: fc.constantFrom("forwarded", "mailing_list", "other"), rawType: text, comment: text }),
    { maxLength: 3 },
  ),
  headerFrom: text,
  envelopeFrom: text,
  envelopeTo: text,
  dkimResults: fc.array(
    fc.record({
      domain: text,
      selector: text,
      result: fc.constantFrom("pass", "fail", "neutral", "permerror", "unknown"),
      rawResult: text,
      humanResult: text,
    }),
    { maxLength: 4 },
  ),
  spfResults: fc.array(
    fc.record({
      domain: text,
      scope: fc.constantFrom("helo", "mfrom", "unknown"),
      result: fc.constantFrom("pass", "softfail", "none", "temperror"),
      rawResult: text,
      humanResult: text,
    }),
    { maxLength: 2 },
  ),
});

describe("the keys of figures", () => {
  it("read back to what they were built from", () => {
    fc.assert(
      fc.property(record, (one) => {
        const read = readRecordKey(recordKey(one, POLICY_DOMAIN), POLICY_DOMAIN);
        const wellFormed = (value: string): string => value.toWellFormed();
        expect(read).toEqual({
          sourceIp: wellFormed(one.sourceIp),
          disposition: one.disposition,
          dkim: one.dkim,
          spf: one.spf,
          dkimResults: one.dkimResults
            .map(({ domain, selector, result }) => wellFormed(`${domain} ${selector || "-"} ${result}`))
            .join("\n"),
          spfResults: one.spfResults
            .map(({ domain, scope, result }) => wellFormed(`${domain || "-"} ${scope} ${result}`))
            .join("\n"),
          headerFrom: wellFormed(one.headerFrom),
          envelopeFrom: wellFormed(one.envelopeFrom),
          reasons: one.reasons
            .map(({ type, comment }) => wellFormed(comment === "" ? type : `${type} ${comment}`))
            .join("\n"),
        });
      }),
    );
  });

  it("differ for any two records that pages show differently", () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        const shown = (one: AggregateRecord) =>
          JSON.stringify(readRecordKey(recordKey(one, POLICY_DOMAIN), POLICY_DOMAIN));
        expect(recordKey(a, POLICY_DOMAIN) === recordKey(b, POLICY_DOMAIN)).toBe(shown(a) === shown(b));
      }),
    );
  });

  it("need no escaping in JSON", () => {
    fc.assert(
      fc.property(record, (one) => {
        const key = recordKey(one, POLICY_DOMAIN);
        expect(JSON.stringify(key)).toBe(`"${key}"`);
      }),
    );
  });

  it("of TLS and failure reports read back unchanged", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 7, maxLength: 7 }), (texts) => {
        const [a = "", b = "", c = "", d = "", e = "", f = "", g = ""] = texts.map((one) => one.toWellFormed());
        const tls = { resultType: a, sendingMtaIp: b, receivingMxHostname: c, receivingIp: d, failureReasonCode: e };
        expect(readTlsKey(tlsKey(tls))).toEqual(tls);
        const failure = {
          authFailure: a,
          sourceIp: b,
          deliveryResult: c,
          dkimDomain: d,
          spfDomain: e,
          mailFromDomain: f,
          reportingMta: g,
        };
        expect(readFailureKey(failureKey(failure))).toEqual(failure);
      }),
    );
  });

  it("stay short for a record with a hundred results, passing ones first", () => {
    const results = Array.from({ length: 100 }, (_, i) => ({
      domain: `${"d".repeat(300)}${i}.example`,
      selector: "s".repeat(500),
      result: i === 99 ? ("pass" as const) : ("fail" as const),
      rawResult: "",
      humanResult: "",
    }));
    const base = fc.sample(record, { seed: 1, numRuns: 1 })[0];
    if (base === undefined) throw new Error("no sample");
    const key = recordKey({ ...base, dkimResults: results }, POLICY_DOMAIN);
    expect(key.length).toBeLessThan(6000);
    expect(readRecordKey(key, POLICY_DOMAIN).dkimResults.split("\n")[0]).toMatch(/ pass$/);
  });
});

describe("domainNeedles", () => {
  const keyOf = (domain: string): string => {
    const [base] = fc.sample(record, { seed: 2, numRuns: 1 });
    if (base === undefined) throw new Error("no sample");
    const result = { domain, selector: "s", result: "pass" as const, rawResult: "", humanResult: "" };
    return recordKey({ ...base, dkimResults: [result] }, "mail.example.com");
  };

  it.each([
    ["example.com", "mail.example.com"],
    ["example.com", "bounce.mail.example.com"],
    ["example.com", "example.com"],
    ["example.com", "other.example.com"],
    ["sendgrid.net", "em1.sendgrid.net"],
  ])("finds %s in results of %s", (wanted, domain) => {
    expect(domainNeedles(wanted, "mail.example.com").some((needle) => keyOf(domain).includes(needle))).toBe(true);
  });
});

describe("FigureChunks", () => {
  it("lose no count, in chunks of any size", () => {
    const figures = new FigureChunks();
    const chunks: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      if (!figures.add(`key ${i % 9000} ${"x".repeat(60)}`, i % 7)) chunks.push(figures.take());
    }
    chunks.push(figures.take());
    expect(chunks.length).toBeGreaterThan(1);
    const total = chunks.flatMap((chunk) => Object.values(JSON.parse(chunk) as Record<string, number>));
    expect(total.reduce((sum, count) => sum + count, 0)).toBe(
      Array.from({ length: 20_000 }, (_, i) => i % 7).reduce((sum, count) => sum + count, 0),
    );
  });
});
