/** Every fixture reads as the file beside it says, and the facts each quirk is about are right. */
import { expect, test } from "vitest";
import type { Report } from "../../shared/report/vocabulary.ts";
import { listFixtures, readExpectation, readFixture, withoutEmpty } from "../support/fixtures.ts";
import { quirks } from "../support/quirks/all.ts";
import type { Wanted } from "../support/quirks/quirk.ts";
import { type Found, readAll } from "../support/read.ts";

test.each(listFixtures())("%s reads as expected", async (file) => {
  expect(withoutEmpty(await readAll(readFixture(file)))).toEqual(readExpectation(file));
});

test("every quirk has a fixture, and every fixture a quirk", () => {
  expect(quirks.map(({ file }) => file).sort()).toEqual(listFixtures());
});

test.each(quirks.map((quirk) => [quirk.file, quirk.want] as const))(
  "%s: has the fact it was made for",
  async (file, want) => {
    check(await readAll(readFixture(file)), want);
  },
);

test.each(listFixtures())("%s reads the same in pieces of any size", async (file) => {
  const whole = await readAll(readFixture(file));
  for (const cut of [[1], [7, 1, 64], [4096]]) {
    const pieces = await readAll(readFixture(file), cut);
    expect(withoutDetails(pieces)).toEqual(withoutDetails(whole));
  }
});

function check(found: Found, want: Wanted): void {
  const [first] = found.reports;
  expect(found.problems.map(({ code }) => code)).toEqual(want.problems ?? []);
  expect(found.reports.length).toBe(want.reports ?? (want.problems === undefined ? 1 : 0));
  if (want.report !== undefined) expect(first?.report).toMatchObject(want.report);
  if (want.records !== undefined) {
    expect(first?.records.slice(0, Math.max(1, want.records.length))).toMatchObject(want.records);
  }
  const warnings = (first?.report.warnings ?? []).map(({ code, path }) => `${code} ${path}`);
  if (want.warnings !== undefined) expect(warnings).toEqual(expect.arrayContaining(want.warnings));
  if (want.clean) expect(warnings).toEqual([]);
  if (want.passedOver !== undefined) expect(found.passedOver.map(({ kind }) => kind)).toEqual(want.passedOver);
  expectDistinct(found.reports.map(({ part }) => part));
}

function expectDistinct(parts: string[]): void {
  expect(new Set(parts).size).toBe(parts.length);
}

function withoutDetails({ reports, problems }: Found) {
  return {
    reports: reports.map(({ part, report, records }) => ({ part, records, ...sortWarnings(report) })),
    problems,
  };
}

function sortWarnings(report: Report) {
  return { ...report, warnings: report.warnings.map(({ code, path, detail }) => `${code} ${path} ${detail}`).sort() };
}
