/** Shared by the tests about samples: what the pipeline's own reader finds in them, so that no figure is written down. */
import { DEMO } from "../../local/samples/send.ts";
import { contentHashOf, RecordsHash } from "../../shared/content-hash.ts";
import { reportUid } from "../../shared/identity.ts";
import { readReports } from "../../shared/report/read.ts";
import { bytesSource } from "../../shared/report/source.ts";
import type { AggregateRecord, Report } from "../../shared/report/vocabulary.ts";
import { headerOf } from "../../shared/report-header.ts";

export interface ReadSample {
  report: Report;
  uid: string;
  contentHash: string;
  /** Empty but for aggregate reports. */
  records: AggregateRecord[];
}

export interface ReadSamples {
  /** Accepted: the first of each identity. */
  accepted: ReadSample[];
  /** Of the others, those with the content of the first one, and those with other content. */
  duplicates: ReadSample[];
  conflicts: ReadSample[];
  /** Problem codes of what cannot be read. */
  problems: string[];
}

/** Reads mails in the order they are sent in. */
export async function readSamples(samples: readonly { raw: Buffer }[]): Promise<ReadSamples> {
  const read: ReadSamples = { accepted: [], duplicates: [], conflicts: [], problems: [] };
  for (const { raw } of samples) {
    let records: AggregateRecord[] = [];
    for await (const event of readReports(bytesSource(new Uint8Array(raw)), {
      nowSeconds: Date.now() / 1000,
    })) {
      if (event.type === "problem" || event.type === "refused") read.problems.push(event.problem.code);
      else if (event.type === "records") records = [...records, ...event.records];
      else if (event.type === "report") addReport(read, await sampleOf(event.report, records));
    }
  }
  return read;
}

async function sampleOf(report: Report, records: AggregateRecord[]): Promise<ReadSample> {
  const hash = new RecordsHash();
  for (const record of records) hash.add(record);
  const header = headerOf(report);
  const contentHash = await contentHashOf(report, header, hash);
  return { report, uid: await reportUid(DEMO.account, header, contentHash), contentHash, records };
}

function addReport({ accepted, duplicates, conflicts }: ReadSamples, sample: ReadSample): void {
  const first = accepted.find(({ uid }) => uid === sample.uid);
  if (first === undefined) accepted.push(sample);
  else (first.contentHash === sample.contentHash ? duplicates : conflicts).push(sample);
}

/** Messages of the records that are wanted. */
export function countMessages(
  samples: readonly ReadSample[],
  wanted: (record: AggregateRecord) => boolean = () => true,
): number {
  const records = samples.flatMap((sample) => sample.records.filter(wanted));
  return records.reduce((sum, { count }) => sum + count, 0);
}
