/** A record as pages show it: results and reasons as texts, one a line, as the ledger's figures have them. Pure. */
import { textsOfRecord } from "../../../shared/ledger/figures.ts";
import type { PlacedRecord } from "../../../shared/operations.ts";

/** One record of a report. */
export interface RecordRow {
  /** Its place among the records, from 0. */
  ordinal: number;
  sourceIp: string;
  messages: number;
  disposition: string;
  dkim: string;
  spf: string;
  isPass: boolean;
  headerFrom: string;
  envelopeFrom: string;
  envelopeTo: string;
  /** `domain selector result`. */
  dkimResults: string;
  /** `domain scope result`. */
  spfResults: string;
  /** `type comment`. */
  reasons: string;
}

/** The row of a record that process read. */
export function recordRow(record: PlacedRecord): RecordRow {
  return {
    ordinal: record.ordinal,
    sourceIp: record.sourceIp,
    messages: record.count,
    disposition: record.disposition,
    dkim: record.dkim,
    spf: record.spf,
    isPass: record.dkim === "pass" || record.spf === "pass",
    headerFrom: record.headerFrom,
    envelopeFrom: record.envelopeFrom,
    envelopeTo: record.envelopeTo,
    ...textsOfRecord(record),
  };
}
