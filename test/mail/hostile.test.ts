/** Mails made to be dear: each is read in little time, for what is repeated in it three hundred thousand times too. */
import { describe, expect, it } from "vitest";
import { extractMail } from "../../shared/mail/extract.ts";
import { concatBytes } from "../../shared/report/source.ts";
import { cpuTimer } from "../support/cpu-time.ts";
import { readFixture } from "../support/fixtures.ts";
import { hostileMails } from "../support/hostile-mails.ts";
import { readAll } from "../support/read.ts";

const CHARS = 300_000;
/** They take some milliseconds; what takes the square of its size would take minutes. */
const MAX_MILLISECONDS = 2000;

const xml = Buffer.from(readFixture("xml/no-declaration.xml")).toString();
const mails = hostileMails(CHARS, { xml, records: 2 });

describe("a hostile mail", () => {
  it.each(mails)("$kind", async ({ bytes, records }) => {
    const took = cpuTimer();
    const extracted = await extractMail(bytes);
    expect(took()).toBeLessThan(MAX_MILLISECONDS);
    const found = await readAll(bytes);
    const streamed = await readAll(bytes, undefined, { maxParsedMessageBytes: 0 });
    expect(took()).toBeLessThan(3 * MAX_MILLISECONDS);
    for (const { reports, problems } of [found, streamed]) {
      expect(reports.flatMap((report) => report.records)).toHaveLength(records);
      expect(problems.length > 0).toBe(records === 0);
    }
    if (extracted.ok)
      expect(concatBytes(extracted.value.candidates.map((part) => part.bytes)).byteLength).toBeLessThan(
        bytes.byteLength + 1,
      );
  });
});
