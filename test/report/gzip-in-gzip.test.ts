/** A gzip within a gzip, both of which lost their last member: each loss is a problem of a part of its own. */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { readAll } from "../support/read.ts";
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
