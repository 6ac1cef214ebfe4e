/** Support: what must hold for whatever the reader makes of any bytes. */

import { createHash } from "node:crypto";
import { READ_LIMITS } from "../../../shared/limits.ts";
import { isPass } from "../../../shared/report/aggregate.ts";
import { PROBLEM_MEANINGS } from "../../../shared/report/problems.ts";
import type { ContentHash } from "../../../shared/report/read.ts";
import type { AggregateRecord, AggregateReport, Report } from "../../../shared/report/vocabulary.ts";
import { type Found, readAll } from "../read.ts";

/** Milliseconds of CPU time one case may take, and more for each megabyte that an archive unfolds to. */
const CASE_LIMIT_MS = 3000;
const LIMIT_MS_PER_MEGABYTE = 400;

/** Reads hostile bytes and checks everything about the outcome. @throws Error saying what does not hold */
export async function checkInput(bytes: Uint8Array, cut: number[] | undefined): Promise<Found> {
  const started = process.cpuUsage();
  const meter = { documentBytes: 0 };
  const found = await readAll(bytes, undefined, { createHash: () => meteredHash(meter) });
  // CPU time, not time of day: the machine may be busy with other tests.
  const { user } = process.cpuUsage(started);
  const took = user / 1000;
  const limit = CASE_LIMIT_MS + (LIMIT_MS_PER_MEGABYTE * meter.documentBytes) / 1e6;
  if (took > limit) throw new Error(`took ${Math.round(took)} ms for ${meter.documentBytes} bytes of documents`);
  checkFound(found);
  if (cut !== undefined) compare(found, await readAll(bytes, cut));
  return found;
}

/** A hash that tells how many bytes of documents there were, once decompressed. */
function meteredHash(meter: { documentBytes: number }): ContentHash {
  const hash = createHash("sha256");
  return {
    update(bytes) {
      meter.documentBytes += bytes.byteLength;
      hash.update(bytes);
    },
    digest: (encoding) => hash.digest(encoding),
  };
}

function checkFound({ reports, problems }: Found): void {
  assert(reports.length + problems.length > 0, "neither a report nor a problem");
  for (const { code, message, part } of problems) {
    assert(Object.hasOwn(PROBLEM_MEANINGS, code), `problem code ${code}`);
    assert(message.length > 0 && message.length < 600 && isShowable(message), `message of ${code}`);
    assert(isShowable(part), "a part's name");
  }
  const parts = [...reports, ...problems].map(({ part }) => part);
  assert(new Set(parts).size === parts.length, "two outcomes for one part");
  for (const { report, records, part } of reports) {
    assert(isShowable(part), "a part's name");
    checkStrings(report);
    checkStrings(records);
    assert(report.warnings.length <= READ_LIMITS.maxWarnings, "too many warnings kept");
    assert(
      report.warnings.every(({ detail }) => isShowable(detail)),
      "a warning's detail",
    );
    // Reports that follow one another in a file have none.
    assert(
      /^[0-9a-f]{64}$/.test(report.contentHash) || (report.contentHash === "" && parts.length > 1),
      "content hash",
    );
    checkReport(report, records);
  }
}

function checkReport(report: Report, records: AggregateRecord[]): void {
  if (report.kind === "aggregate") checkAggregate(report, records);
  else assert(records.length === 0, "records of another kind of report");
  if (report.kind === "tls") {
    assert(Number.isSafeInteger(report.beginSeconds) && Number.isSafeInteger(report.endSeconds), "dates");
    for (const { successfulSessionCount, failedSessionCount } of report.policies) {
      assert(isCount(successfulSessionCount) && isCount(failedSessionCount), "session counts");
    }
  }
}

function checkAggregate({ metadata, policy, totals }: AggregateReport, records: AggregateRecord[]): void {
  assert(policy.domain.length > 0 && policy.domain.length <= 253, "policy domain");
  assert(isCount(metadata.beginSeconds) && isCount(metadata.endSeconds), "dates");
  assert(totals.records === records.length, `${totals.records} records told, ${records.length} given`);
  assert(
    records.every(({ count }) => isCount(count)),
    "a count",
  );
  const messages = records.reduce((sum, { count }) => sum + count, 0);
  const passed = records.filter(isPass).reduce((sum, { count }) => sum + count, 0);
  assert(totals.messages === messages && totals.passed === passed, "sums");
  const words = ["pass", "fail", "unknown"];
  assert(
    records.every(({ dkim, spf }) => words.includes(dkim) && words.includes(spf)),
    "an aligned result",
  );
}

function compare(whole: Found, pieces: Found): void {
  assert(outline(whole) === outline(pieces), `another result in pieces: ${outline(whole)} / ${outline(pieces)}`);
}

function outline({ reports, problems }: Found): string {
  const told = reports.map(({ part, report, records }) => {
    const { warnings, omittedWarnings, ...rest } = report;
    return { part, rest, records, warnings: warnings.length + omittedWarnings };
  });
  return JSON.stringify([told, problems.map(({ part, code }) => ({ part, code }))]);
}

function checkStrings(value: unknown): void {
  if (typeof value === "string") {
    assert(value.isWellFormed(), "a lone surrogate");
    assert(!/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(value), "a control character");
    assert(value.length <= READ_LIMITS.maxValueChars, "a value beyond the limit");
  } else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) checkStrings(inner);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isShowable(text: string): boolean {
  return !/[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(text) && text.isWellFormed();
}

function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
