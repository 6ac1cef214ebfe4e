/** A random report, written as XML in a random style and read back, is the same report, however the bytes are cut. */

import { expect, test } from "vitest";
import { joinBytes } from "../support/archives.ts";
import fc from "../support/properties.ts";
import { readAll } from "../support/read.ts";
import { reportModel, totalsOf } from "../support/report-model.ts";
import { Dice, writeReport } from "../support/report-writer.ts";

const dice = () => fc.noShrink(fc.array(fc.nat(), { minLength: 8, maxLength: 24 }));
const cuts = () => fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });
const encoding = () => fc.constantFrom("utf-8", "utf-8 bom", "utf-16le", "utf-16be");

test("a written report is read back unchanged", async () => {
  const property = fc.asyncProperty(reportModel(), dice(), cuts(), encoding(), async (model, numbers, cut, code) => {
    const { xml, format } = writeReport(model, new Dice(numbers));
    const found = await readAll(encode(xml, code), cut);
    expect(found.problems).toEqual([]);
    const [only] = found.reports;
    expect(found.reports.length).toBe(1);
    expect(only?.report).toMatchObject({
      kind: "aggregate",
      metadata: { ...model.metadata, format },
      policy: model.policy,
      totals: totalsOf(model.records),
    });
    expect(only?.records).toEqual(model.records);
    expect(only?.report.warnings.filter(({ code }) => code === "unknown_element")).toEqual([]);
  });
  await fc.assert(property, { numRuns: 400 });
});

function encode(xml: string, code: string): Uint8Array {
  if (code === "utf-8") return joinBytes(xml);
  if (code === "utf-8 bom") return joinBytes([0xef, 0xbb, 0xbf], xml);
  const wide = Buffer.from(`\ufeff${xml}`, "utf16le");
  return new Uint8Array(code === "utf-16be" ? wide.swap16() : wide);
}
