/** Single values: addresses, counts, dates, domains, words. The URL standard's writer of addresses is the judge of RFC 5952. */

import { describe, expect, test } from "vitest";
import {
  canonicalIp,
  isCanonicalIpv6,
  isDomainLike,
  matchWord,
  parseCount,
  parseDate,
  parseEpochSeconds,
  storedText,
} from "../../shared/report/values.ts";
import fc from "../support/properties.ts";
import { ipv6 } from "../support/report-model.ts";

describe("canonicalIp", () => {
  test("returns what the fast check calls canonical unchanged, which is most input", () => {
    const piece = fc.constantFrom(":", "::", "0", "0:0", "1", "a", "ff", "0a", "db8", "FFFF", "12345", "g", ".", "");
    const text = fc.oneof(
      ipv6(),
      fc.array(piece, { maxLength: 18 }).map((pieces) => pieces.join("")),
    );
    const seen = { quick: 0, canonical: 0 };
    const property = fc.property(text, (given) => {
      if (given.includes(":") && canonicalIp(given) === given) seen.canonical++;
      if (!isCanonicalIpv6(given)) return;
      seen.quick++;
      expect(canonicalIp(given)).toBe(given);
    });
    fc.assert(property, { numRuns: 20_000 });
    expect(seen.quick).toBeGreaterThan(seen.canonical / 2);
  });

  test("gives the RFC 5952 form of every spelling of an IPv6 address", () => {
    const upper = (canonical: string) => `[${canonical.toUpperCase()}]`;
    const property = fc.property(ipv6(), (canonical) => {
      expect(canonicalIp(canonical)).toBe(canonical);
      expect(canonicalIp(upper(canonical))).toBe(canonical);
      expect(canonicalIp(expand(canonical))).toBe(canonical);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test.each([
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:0201", "192.0.2.1"],
    ["::192.0.2.1", "::192.0.2.1"],
    ["::c000:201", "::192.0.2.1"],
    ["0:0:0:0:0:0:192.0.2.1", "::192.0.2.1"],
    ["::0.0.0.1", "::1"],
    ["[192.0.2.1]", "192.0.2.1"],
    ["[192.0.2.1]:25", "192.0.2.1"],
    ["192.0.2.1:48152", "192.0.2.1"],
    ["[ 192.0.2.1 ]", "192.0.2.1"],
    ["[2001:db8::1]:465", "2001:db8::1"],
    ["[IPv6:2001:DB8::1]", "2001:db8::1"],
    ["[ipv6:::ffff:192.0.2.1]", "192.0.2.1"],
    ["IPv6:2001:DB8::1", "2001:db8::1"],
    ["192.0.2.1", "192.0.2.1"],
  ])("%s is %s", (raw, canonical) => {
    expect(canonicalIp(raw)).toBe(canonical);
  });

  test.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "256.1.1.1",
    "0x7f.1",
    "2130706433",
    "1.2.3.4/32",
    "::1/128",
    "fe80::1%eth0",
    ":::",
    "1::2::3",
    "mail.example",
    "1.2.3.4 ",
    "١.2.3.4",
  ])("refuses %j", (raw) => {
    expect(canonicalIp(raw)).toBeNull();
  });
});

test.each([
  ["0", 0],
  ["007", 7],
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ["9007199254740992", null],
  ["-1", null],
  // xs:integer, the type of count in both schemas, may have a sign.
  ["+1", 1],
  ["1.0", 1],
  ["1.5", null],
  ["+-1", null],
  ["1e3", null],
  ["0x10", null],
  ["", null],
  ["１", null],
  ["9".repeat(400), null],
])("parseCount(%j) is %j", (raw, count) => {
  expect(parseCount(raw)).toBe(count);
});

test.each([
  ["1700000000", 1_700_000_000],
  ["1700000000.0", 1_700_000_000],
  ["1700000000.999", 1_700_000_000],
  ["86400", 86_400],
  ["86399", null],
  ["4102444801", null],
  ["1700000000000", null],
  ["-1700000000", null],
  ["1.7e9", null],
  ["2023-11-14", null],
  ["", null],
])("parseEpochSeconds(%j) is %j", (raw, seconds) => {
  expect(parseEpochSeconds(raw)).toBe(seconds);
});

test.each([
  ["2026-01-01T00:00:00Z", 1_767_225_600],
  ["2026-01-01T00:00:00", 1_767_225_600],
  ["2026-01-01 01:00:00+01:00", 1_767_225_600],
  ["2026-01-01T00:00:00.123456Z", 1_767_225_600],
  ["2026-01-01", 1_767_225_600],
  ["Thu, 1 Jan 2026 02:00:00 +0200", 1_767_225_600],
  ["1 Jan 2026 00:00:00 GMT (really)", 1_767_225_600],
  ["Thu, 01 Jan 2026 00:00:00", 1_767_225_600],
  ["Wed, 31 Dec 2025 19:00:00 EST", 1_767_225_600],
  ["Thu Jan  1 00:00:00 2026", 1_767_225_600],
  ["Thu Jan  1 00:00:00 GMT 2026", 1_767_225_600],
  ["Thu Jan 01 2026 01:00:00 GMT+0100 (Central European Standard Time)", 1_767_225_600],
  ["Thu, 01 Jan 2026 01:00:00 GMT+0100", 1_767_225_600],
  ["2026-01-01 01:00:00 UTC+01:00", 1_767_225_600],
  ["Thursday, January 1, 2026 12:00:00 AM", 1_767_225_600],
  ["Jan 1, 2026 12:05 PM", 1_767_269_100],
  ["Thu, 01 Jan 2026 10:00:00 PM +0000", 1_767_304_800],
  ["Thu, 01 Jan 2026 22:00:00 PM", 1_767_304_800],
  ["2026-02-30T00:00:00Z", null],
  ["2026-13-01", null],
  ["31 Foo 2026 00:00:00", null],
  ["2026-01-01T25:00:00Z", null],
  ["1969-12-31T00:00:00Z", null],
  ["9999-01-01T00:00:00Z", null],
  ["yesterday", null],
  ["1", null],
  ["", null],
])("parseDate(%j) is %j", (raw, seconds) => {
  expect(parseDate(raw)).toBe(seconds);
});

test("a date without a zone means the same in every zone of the machine", () => {
  const zone = process.env.TZ;
  try {
    for (const other of ["America/New_York", "Asia/Kolkata", "UTC"]) {
      process.env.TZ = other;
      expect(parseDate("Thu, 01 Jan 2026 00:00:00")).toBe(1_767_225_600);
    }
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test.each([
  ["acme.example", true],
  ["bücher.example", true],
  ["_dmarc.acme.example", true],
  ["__proto__", true],
  ["", false],
  ["acme..example", false],
  [".acme", false],
  ["a b", false],
  ["<b>", false],
  ["a/b", false],
  ["a".repeat(254), false],
])("isDomainLike(%j) is %j", (raw, holds) => {
  expect(isDomainLike(raw)).toBe(holds);
});

test("matchWord finds only words of the list, not inherited properties", () => {
  expect(matchWord("Pass", ["pass", "fail"])).toBe("pass");
  for (const word of ["", "passed", "constructor", "__proto__"]) expect(matchWord(word, ["pass"])).toBeUndefined();
});

test("storedText keeps ordinary text and drops characters that no text may hold", () => {
  expect(storedText("a\u0000b\u001bc\td\ne\ud800f\uffffg")).toBe("abc\td\ne\ufffdfg");
  expect(storedText("組織 📧 a\u202eb")).toBe("組織 📧 a\u202eb");
  expect(storedText("📧📧", 3)).toBe("📧\ufffd");
});

function expand(canonical: string): string {
  const [head = "", tail] = canonical.split("::");
  const groups = (half: string) => (half === "" ? [] : half.split(":"));
  const missing = 8 - groups(head).length - groups(tail ?? "").length;
  const all =
    tail === undefined ? groups(head) : [...groups(head), ...Array<string>(missing).fill("0"), ...groups(tail)];
  return all.map((group) => group.padStart(4, "0")).join(":");
}
