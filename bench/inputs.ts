/** The files that the contestants read, written once for all their processes. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { zipOf } from "../local/zip.ts";
import { gzipReport, mailOf, reportBytes, STYLES, smallReports } from "../test/support/seeded-reports.ts";
import type { InputName } from "./contestants.ts";

/** How much one reading of an input is. */
export interface Amount {
  files: number;
  records: number;
  xmlBytes: number;
}

const SMALL_REPORTS = 300;

/** Writes the inputs, a folder each, and says what they hold. */
export async function writeInputs(folder: string, records: number): Promise<Record<InputName, Amount>> {
  const [terse, talkative] = STYLES;
  if (terse === undefined || talkative === undefined) throw new Error("no styles");
  const plan = { records, seed: 1, style: terse };
  const large = await gzipReport(plan);
  const other = await gzipReport({ ...plan, style: talkative });
  const small = smallReports(SMALL_REPORTS);
  const packed = small.map(({ bytes }) => bytes);
  const mails = packed.map((bytes, i) => mailOf(`reporter.example!acme.example!${i}.xml.gz`, bytes));
  await writeFiles(join(folder, "large"), [large.bytes]);
  await writeFiles(join(folder, "zip"), [zipOf("report.xml", reportBytes(plan))]);
  await writeFiles(join(folder, "talkative"), [other.bytes]);
  await writeFiles(join(folder, "small"), packed);
  await writeFiles(join(folder, "mail"), mails);
  const one = { files: 1, records, xmlBytes: large.xmlBytes };
  const many = {
    files: small.length,
    records: small.reduce((sum, report) => sum + report.records, 0),
    xmlBytes: small.reduce((sum, report) => sum + report.xmlBytes, 0),
  };
  return { large: one, zip: one, talkative: { ...one, xmlBytes: other.xmlBytes }, small: many, mail: many };
}

async function writeFiles(folder: string, files: Uint8Array[]): Promise<void> {
  await mkdir(folder);
  for (const [i, bytes] of files.entries()) await writeFile(join(folder, String(i).padStart(5, "0")), bytes);
}
