/** The record at another stage, made of the one that is published: nothing of the owner's is lost. */

import { describe, expect, it } from "vitest";
import { isDmarcRecord, readDmarcRecord } from "../../shared/guidance/dmarc-record.ts";
import { recordAtStage, STAGES, stageOf, withBelow } from "../../shared/guidance/next-record.ts";
import { dmarcTextOf, type StoredCheck } from "../../shared/guidance/stored-check.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import fc from "../support/properties.ts";
import { checkWith } from "../support/stored-check.ts";

const SAME = { before: "p=none", after: "p=none" };
const REJECT = { p: "reject", isTest: false } as const;

it.each([
  [
    "v=DMARC1; p=none; rua=mailto:a@b.example,mailto:c@other.example; ruf=mailto:f@b.example; fo=1; x=1",
    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@other.example; ruf=mailto:f@b.example; fo=1; x=1",
  ],
  ["v=DMARC1; rua=mailto:a@b.example; p=none; pct=50; t=y", "v=DMARC1; p=reject; rua=mailto:a@b.example"],
  ["v=DMARC1;p=none;p=reject;sp=;oops;adkim=s", "v=DMARC1; p=reject; adkim=s"],
  ["v=DMARC1; p=none rua=mailto:a@b.example", "v=DMARC1; p=reject; rua=mailto:a@b.example"],
  ["v=DMARC1; p=none; sp=none; np=reject", "v=DMARC1; p=reject; sp=none; np=reject"],
])("%s becomes %s", (published, text) => {
  expect(recordAtStage(published, REJECT, SAME)).toBe(text);
});

it("opens and closes subdomains as the verdict says", () => {
  const published = "v=DMARC1; p=reject; sp=reject; np=reject; rua=mailto:a@b.example";
  const before = "p=reject; sp=reject; np=reject";
  const at = (after: string) => recordAtStage(published, REJECT, { before, after });
  expect(at(withBelow(before, "none"))).toBe("v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example");
  expect(at(withBelow(before))).toBe("v=DMARC1; p=reject; rua=mailto:a@b.example");
  const open = "v=DMARC1; p=reject; rua=mailto:a@b.example";
  const policies = { before: "p=reject; sp=reject", after: withBelow("p=reject; sp=reject", "none") };
  expect(recordAtStage(open, REJECT, policies)).toBe("v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example");
});

describe("of any record", () => {
  const value = fc.stringMatching(/^[a-z0-9][a-z0-9:_.-]{0,30}$/);
  const tags = fc.uniqueArray(
    fc.tuple(fc.constantFrom("p", "t", "pct", "sp", "np", "adkim", "aspf", "fo", "ri", "ruf", "x", "note"), value),
    { selector: ([name]) => name },
  );

  it("changes p, t and pct alone, has the stage asked for, and stays as it is when asked again", () => {
    fc.assert(
      fc.property(tags, fc.constantFrom(...STAGES), (published, stage) => {
        const text = ["v=DMARC1", ...published.map(([name, one]) => `${name}=${one}`)].join(";");
        const next = recordAtStage(text, stage, SAME);
        expect(isDmarcRecord(next)).toBe(true);
        const others = (record: string) =>
          readDmarcRecord(record).tags.filter(({ name }) => name !== "p" && name !== "t" && name !== "pct");
        expect(others(next)).toEqual(others(text));
        expect(stageOf(next.replace("v=DMARC1; ", ""))).toEqual(stage);
        expect(recordAtStage(next, stage, SAME)).toBe(next);
      }),
      { numRuns: 500 },
    );
  });
});

it("is made only of a record that the check kept whole", () => {
  const check = (...records: string[]): StoredCheck =>
    checkWith("shop.example", { kind: "dmarc", name: "_dmarc.shop.example", records });
  expect(dmarcTextOf(check("other=1", "v=DMARC1; p=none"))).toBe("v=DMARC1; p=none");
  expect(dmarcTextOf(check("v=DMARC1; p=none", "v=DMARC1; p=reject"))).toBeUndefined();
  const cut = `v=DMARC1; p=none; x=${"x".repeat(GUIDANCE_LIMITS.maxShownRecordChars)}`;
  expect(dmarcTextOf(check(cut.slice(0, GUIDANCE_LIMITS.maxShownRecordChars)))).toBeUndefined();
  expect(dmarcTextOf(check())).toBeUndefined();
});
