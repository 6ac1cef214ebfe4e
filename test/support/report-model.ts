/** Support: random aggregate reports over the whole vocabulary of RFC 7489 and RFC 9990, as the reader should give them. */

import type {
  AggregateRecord,
  AggregateTotals,
  PolicyPublished,
  ReportMetadata,
} from "../../shared/report/vocabulary.ts";
import fc from "./properties.ts";

/** What a report says; its format follows from how it is written. */
export interface ReportModel {
  metadata: Omit<ReportMetadata, "format">;
  policy: PolicyPublished;
  records: AggregateRecord[];
}

// Marks and dead letters that an XML reader can stumble over, beside any other character.
const AWKWARD = [
  "<",
  ">",
  "&",
  '"',
  "'",
  "]]>",
  "&amp;",
  "<!--",
  "</record>",
  "é",
  "組",
  "📧",
  "e\u0301",
  " ",
  "\t",
  "-",
];

/** Text as a value holds it: no controls, no space at its ends. */
export const text = (): fc.Arbitrary<string> =>
  fc
    .array(
      fc.oneof({ weight: 3, arbitrary: fc.string({ unit: "grapheme", maxLength: 6 }) }, fc.constantFrom(...AWKWARD)),
      {
        maxLength: 4,
      },
    )
    .map((pieces) =>
      pieces
        .join("")
        .replace(/[\p{Cc}\ufffe\uffff]/gu, "")
        .trim(),
    );

const filled = () => text().filter((value) => value !== "");

/** A domain as it is kept: lower case, A-labels, sometimes an underscore. */
export const domain = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.domain().map((name) => name.toLowerCase()),
    fc.constantFrom("_x.acme.example", "xn--bcher-kva.example"),
  );

/** A word of a closed list as reporters spell it: small, capital, or both. */
const word = <W extends string>(...words: W[]): fc.Arbitrary<{ word: W; raw: string }> =>
  fc.tuple(fc.constantFrom(...words), fc.nat(2)).map(([one, style]) => ({
    word: one,
    raw: style === 0 ? one : style === 1 ? one.toUpperCase() : one.charAt(0).toUpperCase() + one.slice(1),
  }));

const ipv4 = () => fc.tuple(...[0, 1, 2, 3].map(() => fc.nat(255))).map((bytes) => bytes.join("."));

/** An IPv6 address in canonical form; the URL standard's writer is the independent judge of what that is. */
export const ipv6 = (): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
    .map((groups) => new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1))
    // IPv4-mapped ones are IPv4 addresses, and IPv4-compatible ones are written as such.
    .filter((address) => !/^::(?:ffff:[^:]+:|[^:]+:)[^:]+$/.test(address));

const POLICIES = ["none", "quarantine", "reject"] as const;
const DKIM = ["none", "pass", "fail", "policy", "neutral", "temperror", "permerror"] as const;
const SPF = [...DKIM, "softfail"] as const;
const REASONS = [
  "forwarded",
  "sampled_out",
  "trusted_forwarder",
  "mailing_list",
  "local_policy",
  "policy_test_mode",
  "other",
] as const;

const record = (): fc.Arbitrary<AggregateRecord> =>
  fc
    .record({
      sourceIp: fc.oneof(ipv4(), ipv6()),
      count: fc.oneof(fc.nat(1000), fc.nat({ max: 1_000_000_000 })),
      disposition: word("none", "quarantine", "reject", "pass"),
      dkim: word("pass", "fail"),
      spf: word("pass", "fail"),
      reasons: fc.array(fc.record({ type: word(...REASONS), comment: text() }), { maxLength: 2 }),
      headerFrom: domain(),
      envelopeFrom: fc.oneof(fc.constant(""), domain()),
      envelopeTo: fc.oneof(fc.constant(""), domain()),
      dkimResults: fc.array(
        fc.record({ domain: domain(), selector: text(), result: word(...DKIM), humanResult: text() }),
        { maxLength: 3 },
      ),
      spfResults: fc.array(
        fc.record({
          domain: domain(),
          scope: fc.constantFrom("mfrom", "helo"),
          result: word(...SPF),
          humanResult: text(),
        }),
        { maxLength: 2 },
      ),
    })
    .map((given) => ({
      ...given,
      disposition: given.disposition.word,
      rawDisposition: given.disposition.raw,
      dkim: given.dkim.word,
      spf: given.spf.word,
      reasons: given.reasons.map(({ type, comment }) => ({ type: type.word, rawType: type.raw, comment })),
      dkimResults: given.dkimResults.map(({ result, ...rest }) => ({
        ...rest,
        result: result.word,
        rawResult: result.raw,
      })),
      spfResults: given.spfResults.map(({ result, scope, ...rest }) => ({
        ...rest,
        scope: scope === "helo" ? "helo" : "mfrom",
        result: result.word,
        rawResult: result.raw,
      })),
    }));

/** What a report may say of its time, reversed periods included; from 2010 on, since earlier ones are warned of. */
const period = () =>
  fc
    .tuple(
      fc.integer({ min: 35 * 86_400 + 1_262_304_000, max: 1_790_000_000 }),
      fc.integer({ min: -3_024_000, max: 3_024_000 }),
    )
    .map(([beginSeconds, seconds]) => ({ beginSeconds, endSeconds: beginSeconds + seconds }));

const metadataWithoutPeriod = () =>
  fc.record({
    orgName: filled(),
    email: text(),
    extraContactInfo: text(),
    reportId: fc.oneof(filled(), fc.constantFrom("012345", "1e5", "1709600619.487850", "0x1F")),
    errors: fc.array(text(), { maxLength: 2 }),
    generator: text(),
    version: fc.constantFrom("", "1.0", "2.0"),
  });

/** A whole report. */
export const reportModel = (): fc.Arbitrary<ReportModel> =>
  fc.record({
    metadata: fc.tuple(period(), metadataWithoutPeriod()).map(([dates, metadata]) => ({ ...metadata, ...dates })),
    policy: fc.record({
      domain: domain(),
      p: fc.constantFrom(...POLICIES),
      sp: fc.constantFrom(...POLICIES),
      np: fc.constantFrom(...POLICIES),
      adkim: fc.constantFrom("r", "s"),
      aspf: fc.constantFrom("r", "s"),
      pct: fc.nat(100),
      fo: fc.constantFrom("", "0", "1:d:s"),
      testing: fc.boolean(),
      discoveryMethod: fc.constantFrom("", "psl", "treewalk"),
    }),
    records: fc.array(record(), { maxLength: 6 }),
  });

/** The sums the reader must come to. */
export function totalsOf(records: AggregateRecord[]): AggregateTotals {
  const totals: AggregateTotals = {
    records: records.length,
    skippedRecords: 0,
    messages: 0,
    passed: 0,
    dispositions: {},
  };
  for (const { count, disposition, dkim, spf } of records) {
    totals.messages += count;
    if (dkim === "pass" || spf === "pass") totals.passed += count;
    totals.dispositions[disposition] = (totals.dispositions[disposition] ?? 0) + count;
  }
  return totals;
}
