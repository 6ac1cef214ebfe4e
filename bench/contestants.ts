/** What is measured: each contestant reads its input in a separate process (contestant-child.ts). */
import { attachmentPlainly, readFilePlainly, readMailPlainly } from "./baseline.ts";
import {
  buildPoints,
  holdReport,
  inflateOnly,
  ingestMail,
  readFrame,
  readGenerally,
  readHashed,
  readRecords,
  readToPoints,
} from "./work.ts";

/** The folders of input files (inputs.ts). */
export type InputName = "large" | "zip" | "talkative" | "small" | "mail";

export interface Contestant {
  name: string;
  input: InputName;
  /** Compared with the baseline of the same group. */
  group: string;
  role?: "baseline" | "inflating";
  /** Makes ready what is not to be timed. @returns one reading of all files */
  prepare(files: Uint8Array[]): Promise<() => unknown>;
}

type Read = (bytes: Uint8Array) => unknown;

export const CONTESTANTS: readonly Contestant[] = [
  { ...each(inflateOnly), name: "pako alone", input: "large", group: "large", role: "inflating" },
  { ...each(readRecords), name: "large gzip → records", input: "large", group: "large" },
  { ...each(readHashed), name: "large gzip → records, SHA-256", input: "large", group: "large" },
  { prepare: toPoints, name: "large gzip → records → points", input: "large", group: "large" },
  { ...each(readGenerally), name: "large gzip, general reader only", input: "large", group: "large" },
  { ...each(readFilePlainly), name: "large gzip, baseline", input: "large", group: "large", role: "baseline" },
  { ...each(readRecords), name: "large zip → records", input: "zip", group: "large" },
  { ...each(inflateOnly), name: "talkative, pako alone", input: "talkative", group: "talkative", role: "inflating" },
  { ...each(readRecords), name: "talkative gzip → records", input: "talkative", group: "talkative" },
  { ...each(readRecords), name: "small file → records", input: "small", group: "small" },
  { ...each(readFilePlainly), name: "small file, baseline", input: "small", group: "small", role: "baseline" },
  { ...each(readRecords), name: "small mail → records", input: "mail", group: "mail" },
  { ...each(readMailPlainly), name: "small mail, baseline", input: "mail", group: "mail", role: "baseline" },
  { ...each(ingestMail), name: "ingest of a mail (parts, SHA-256)", input: "mail", group: "ingest" },
  { ...each(attachmentPlainly), name: "parts of a mail, baseline", input: "mail", group: "ingest", role: "baseline" },
  { prepare: heldToPoints, name: "records → points", input: "small", group: "points" },
];

async function heldToPoints(files: Uint8Array[]): Promise<() => unknown> {
  const held = await Promise.all(files.map(holdReport));
  return () => held.reduce((points, report) => points + buildPoints(report), 0);
}

function each(read: Read): Pick<Contestant, "prepare"> {
  return {
    prepare: async (files) => async () => {
      for (const bytes of files) await read(bytes);
    },
  };
}

async function toPoints(files: Uint8Array[]): Promise<() => unknown> {
  const frames = await Promise.all(files.map(readFrame));
  return async () => {
    for (const [i, bytes] of files.entries()) {
      const frame = frames[i];
      if (frame !== undefined) await readToPoints(bytes, frame);
    }
  };
}
