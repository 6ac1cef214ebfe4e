/** Mistyped SPF records, repaired: as well as they can be, at once. */
import { expect, it } from "vitest";
import { isSpfRecord, readSpfTerms } from "../../shared/guidance/spf-record.ts";
import { mistakenSpfRecord, repairedSpf } from "../../shared/guidance/spf-repair.ts";
import fc from "../support/properties.ts";

it.each([
  ["v=spf1 note=x~all\\", "v=spf1 note=x ~all"],
  ["v=spf1 ip4:192.0.2.1ip4:192.0.2.2-all;", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"],
])("%s was meant as %s", (text, meant) => {
  expect(repairedSpf(text)).toBe(meant);
  expect(repairedSpf(meant)).toBeUndefined();
});

it("a repaired record has nothing to repair, however it was mistyped", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "v=spf1",
      "V=SPF1",
      "ip4:",
      "ip6:",
      "ip:",
      "include:",
      "inlcude:",
      "a",
      "mx",
      "a:",
      "ptr",
      "redirect=",
      "exists:",
    ),
    fc.constantFrom(
      "192.0.2.1",
      "192.0.2.0/24",
      "192.0.2.*",
      "2001:db8::1",
      "b.example",
      "_spf.c.example",
      "%{i}",
      "https://",
    ),
    fc.constantFrom(
      "-all",
      "~all",
      "all",
      "- all",
      "all~",
      "\u2013all",
      "?",
      "+",
      "ALL",
      "x=y",
      "constructor:x",
      "v=DMARC1; p=none",
    ),
    fc.constantFrom(
      " ",
      "  ",
      ":",
      "=",
      "/24",
      "//64",
      ";",
      ",",
      '"',
      "\u201c",
      "\t",
      "\u00a0",
      "\u200b",
      "%",
      "@",
      "\\",
    ),
  );
  const text = fc
    .array(piece, { maxLength: 14 })
    .chain((pieces) => fc.constantFrom("v=spf1 ", "v=spf1", "").map((version) => version + pieces.join("")));
  fc.assert(
    fc.property(text, (typed) => {
      for (const meant of [repairedSpf(typed), mistakenSpfRecord(typed)?.meant]) {
        if (meant === undefined) continue;
        expect(isSpfRecord(meant)).toBe(true);
        expect(readSpfTerms(meant).filter(({ kind }) => kind === "broken")).toEqual([]);
        expect(repairedSpf(meant)).toBeUndefined();
      }
    }),
    { numRuns: 2000 },
  );
});
