/** The benchmarks under Node: what is compared with what, and what comes out as figures. */
import { attachmentPlainly, readFilePlainly, readMailPlainly } from "./baseline.ts";
import { type Contestant, measure } from "./measure.ts";
import { gzipReport, mailOf, reportBytes, type SmallReport, STYLES, smallReports, zipOf } from "./reports.ts";
import {
  buildPoints,
  holdReport,
  inflateOnly,
  ingestMail,
  readGenerally,
  readHashed,
  readRecords,
  readToPoints,
} from "./work.ts";

/** One figure of the table. */
export interface Figure {
  name: string;
  /** How much of the unit one core does in a second of CPU time. */
  perSecond: number;
  unit: "MB of XML" | "records" | "reports" | "mails" | "points";
  /** Times the baseline of the same group; absent for the baseline and where there is none. */
  timesBaseline?: number;
  /** Time over that of inflating alone. */
  timesInflate?: number;
}

export interface Effort {
  largeRecords: number;
  rounds: number;
  roundMilliseconds: number;
}

const BASELINE = "baseline";
const INFLATE = "pako alone";

/** A large report: bytes to records, on to points, against pako alone and against the whole tree. */
export async function largeReports({ largeRecords: records, rounds, roundMilliseconds }: Effort): Promise<Figure[]> {
  const style = STYLES[0];
  if (style === undefined) throw new Error("no styles");
  const { bytes, xmlBytes } = await gzipReport({ records, seed: 1, style });
  const zip = zipOf("report.xml", reportBytes({ records, seed: 1, style }));
  const held = await holdReport(bytes);
  const contestants: Contestant[] = [
    { name: INFLATE, run: () => inflateOnly(bytes), roundMilliseconds },
    { name: "large gzip → records", run: () => readRecords(bytes), roundMilliseconds },
    { name: "large gzip → records, SHA-256", run: () => readHashed(bytes), roundMilliseconds },
    { name: "large gzip → records → points", run: () => readToPoints(bytes, held.report), roundMilliseconds },
    { name: "large zip → records", run: () => readRecords(zip), roundMilliseconds },
    { name: "large gzip, general reader only", run: () => readGenerally(bytes), roundMilliseconds },
    { name: "records → points", run: () => buildPoints(held), roundMilliseconds },
    { name: BASELINE, run: () => readFilePlainly(bytes), roundMilliseconds },
  ];
  const times = await measure(contestants, rounds);
  const perXml = figures(times, { amount: xmlBytes / 1e6, unit: "MB of XML" }).filter(
    ({ name }) => name !== "records → points",
  );
  const perRecord = figures(times, { amount: records, unit: "records" }).filter(({ name }) => name !== INFLATE);
  return [...perXml, ...perRecord].map((figure) => ({
    ...figure,
    name: figure.name.replace(/^baseline$/, "large gzip, baseline"),
  }));
}

/** Small reports, as file and as mail. */
export async function smallOnes({ rounds, roundMilliseconds }: Effort): Promise<Figure[]> {
  const files = smallReports(300);
  const mails = files.map(({ bytes }, i) => mailOf(`reporter.example!acme.example!${i}.xml.gz`, bytes));
  const each = (run: (bytes: Uint8Array) => unknown, list: Uint8Array[]) => async () => {
    for (const bytes of list) await run(bytes);
  };
  const packed = files.map(({ bytes }: SmallReport) => bytes);
  const groups: [
    string,
    (bytes: Uint8Array) => unknown,
    (bytes: Uint8Array) => unknown,
    Uint8Array[],
    Figure["unit"],
  ][] = [
    ["small file → records", readRecords, readFilePlainly, packed, "reports"],
    ["small mail → records", readRecords, readMailPlainly, mails, "reports"],
    ["ingest of a mail (parts, SHA-256)", ingestMail, attachmentPlainly, mails, "mails"],
  ];
  const found: Figure[] = [];
  for (const [name, ours, plain, list, unit] of groups) {
    const contestants = [
      { name, run: each(ours, list), roundMilliseconds },
      { name: BASELINE, run: each(plain, list), roundMilliseconds },
    ];
    const times = await measure(contestants, rounds);
    found.push(
      ...figures(times, { amount: list.length, unit }).map((f) => ({
        ...f,
        name: f.name === BASELINE ? `${name}, baseline` : f.name,
      })),
    );
  }
  return found;
}

function figures(times: Map<string, number>, { amount, unit }: { amount: number; unit: Figure["unit"] }): Figure[] {
  const baseline = times.get(BASELINE);
  const inflate = times.get(INFLATE);
  return [...times].map(([name, milliseconds]) => ({
    name,
    perSecond: (amount / milliseconds) * 1000,
    unit,
    ...(baseline === undefined || name === BASELINE ? {} : { timesBaseline: baseline / milliseconds }),
    ...(inflate === undefined || name === INFLATE ? {} : { timesInflate: milliseconds / inflate }),
  }));
}
