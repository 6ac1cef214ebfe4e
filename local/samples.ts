/**
 * Sample reports for a first look: the same mails for the same day. Pure: time is an argument, chance is seeded, and
 * nothing is sent from here.
 */
import { gzipSync } from "node:zlib";
import MailComposer from "nodemailer/lib/mail-composer";
import { REPORTERS, type ReporterName, type SampleReporter, SCHEDULE, SOURCES } from "./sample-data.ts";
import { SAMPLE_DOMAIN, sampleReportXml } from "./sample-xml.ts";
import { zipOf } from "./zip.ts";

/** One mail, ready for SMTP. */
export interface Sample {
  from: string;
  to: string;
  raw: Buffer;
}

/** The address samples go to. */
export const SAMPLE_RUA = `dmarc@${SAMPLE_DOMAIN}`;

const DAY_SECONDS = 86_400;

/**
 * Builds the sample mails: one report each, about the days before `nowSeconds`.
 *
 * @param nowSeconds seconds since 1970 UTC; only the day counts
 */
export async function buildSamples(nowSeconds: number): Promise<Sample[]> {
  const today = Math.floor(nowSeconds / DAY_SECONDS) * DAY_SECONDS;
  const mails = SCHEDULE.map(({ daysAgo, reporter }, place) =>
    buildMail({ reporter, beginSeconds: today - daysAgo * DAY_SECONDS, chance: seededChance(place + 1) }),
  );
  return await Promise.all(mails);
}

interface MailPlan {
  reporter: ReporterName;
  beginSeconds: number;
  chance: () => number;
}

async function buildMail({ reporter: name, beginSeconds, chance }: MailPlan): Promise<Sample> {
  const reporter: SampleReporter = REPORTERS[name];
  const endSeconds = beginSeconds + DAY_SECONDS - 1;
  const reportId = `${beginSeconds}.${Math.floor(chance() * 1e12)}`;
  const rows = planRows(reporter, chance);
  const xml = sampleReportXml({ reporter, reportId, beginSeconds, endSeconds, rows });
  const base = `${reporter.domain}!${SAMPLE_DOMAIN}!${beginSeconds}!${endSeconds}`;
  const { fileName, content } = wrap(reporter, base, xml);
  const raw = await new MailComposer({
    from: reporter.email,
    to: SAMPLE_RUA,
    subject: `Report Domain: ${SAMPLE_DOMAIN} Submitter: ${reporter.domain} Report-ID: <${reportId}>`,
    date: new Date((endSeconds + 3600) * 1000),
    messageId: `<${reportId}@${reporter.domain}>`,
    baseBoundary: reportId,
    text: `This is a DMARC aggregate report for ${SAMPLE_DOMAIN}.\n`,
    attachments: [{ filename: fileName, content, contentType: reporter.mimeType }],
  })
    .compile()
    .build();
  return { from: reporter.email, to: SAMPLE_RUA, raw };
}

function wrap(reporter: SampleReporter, base: string, xml: string): { fileName: string; content: Buffer } {
  const document = Buffer.from(xml);
  if (reporter.container === "gzip") return { fileName: `${base}.xml.gz`, content: gzipSync(document) };
  if (reporter.container === "zip") return { fileName: `${base}.zip`, content: zipOf(`${base}.xml`, document) };
  return { fileName: `${base}.xml`, content: document };
}

// Each source's mail of a day, spread over receivers by weight and over its addresses.
function planRows(reporter: SampleReporter, chance: () => number): Parameters<typeof sampleReportXml>[0]["rows"] {
  const total = Object.values(REPORTERS).reduce((sum, { weight }) => sum + weight, 0);
  return SOURCES.flatMap((source) => {
    if (chance() >= source.presence) return [];
    return source.ips.flatMap((ip) => {
      const expected = (source.perDay * reporter.weight) / total / source.ips.length;
      const count = Math.round(expected * (0.5 + chance()));
      return count === 0 ? [] : [{ source, ip, count }];
    });
  });
}

/** mulberry32: small, and the same everywhere. @returns numbers from 0 up to 1 */
function seededChance(seed: number): () => number {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
