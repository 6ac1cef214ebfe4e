/**
 * A gzip within a gzip, both of which lost their last member: each loss is a problem of a part of its own. And what comes after a
 * damaged report.
 */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { readReports } from "../../shared/report/read.ts";
import { type ByteSource, bytesSource } from "../../shared/report/source.ts";
import { NOW_SECONDS, readAll } from "../support/read.ts";
import { sampleReport } from "../support/sample-report.ts";

/** The header of a member, and nothing behind it (RFC 1952 section 2.3). */
const CUT_MEMBER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

it.each([
  [0, ["last gzip member"]],
  [1, ["last gzip member", "last gzip member (2)"]],
])("%i within another", async (within, parts) => {
  let bytes: Buffer = Buffer.from(sampleReport());
  for (let level = 0; level <= within; level++) bytes = Buffer.concat([gzipSync(bytes), CUT_MEMBER]);
  const { reports, problems } = await readAll(bytes);
  expect(reports.map(({ part }) => part)).toEqual([""]);
  expect(problems.map(({ part, code }) => [part, code])).toEqual(parts.map((part) => [part, "truncated"]));
});

it("a damaged report in a gzip that is cut off behind it is one problem", async () => {
  const damaged = sampleReport({ reportId: "id-2" }).replace("</report_metadata>", "</w>");
  const bytes = gzipSync(Buffer.from(sampleReport() + damaged + " ".repeat(1_000_000))).subarray(0, -8);
  const { reports, problems } = await readAll(bytes);
  expect(reports).toHaveLength(1);
  expect(problems.map(({ part, code }) => [part, code])).toEqual([["report 2", "malformed_xml"]]);
});

it("a fault of the platform behind a damaged report is thrown", async () => {
  const damaged = sampleReport({ reportId: "id-2" }).replace("</report_metadata>", "</w>");
  const bytes = Buffer.from(sampleReport() + damaged + " ".repeat(1_000_000));
  const fault = new Error("R2 is gone");
  const source: ByteSource = {
    ...bytesSource(bytes),
    async *stream() {
      yield bytes;
      throw fault;
    },
  };
  const reading = Array.fromAsync(readReports(source, { nowSeconds: NOW_SECONDS }));
  await expect(reading).rejects.toBe(fault);
});
