/** Reports as the pipeline reads them: every domain name in them as A-labels, however it was written. */
import { type ReadEvent, type ReadOptions, readReports } from "./report/read.ts";
import type { ByteSource } from "./report/source.ts";
import { recordWithDomainNames, withDomainNames } from "./report-header.ts";

/** What `readReports` finds, with domain names as they are compared and kept (domain-name.ts). */
export async function* readNamedReports(source: ByteSource, options: ReadOptions): AsyncGenerator<ReadEvent> {
  for await (const event of readReports(source, options)) {
    if (event.type === "records") yield { ...event, records: event.records.map(recordWithDomainNames) };
    else if (event.type === "report") yield { ...event, report: withDomainNames(event.report) };
    else yield event;
  }
}
