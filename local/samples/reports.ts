/** The aggregate reports of the samples: which there are, and the mail each one comes in. Pure. */
import { gzipSync } from "node:zlib";
import { seededRandom } from "../random.ts";
import { zipOf } from "../zip.ts";
import { DOMAINS, REPORTERS, type SampleDomain, type SampleReporter, type SampleSource } from "./data.ts";
import { composeSample, DAY_SECONDS, type Sample } from "./mail.ts";
import { type SampleReport, type SampleRow, sampleReportXml } from "./xml.ts";

/** Twice the dashboard's 30 days, so that they can be compared with the ones before. */
export const SAMPLE_DAYS = 60;

const TOTAL_WEIGHT = Object.values(REPORTERS).reduce((sum, { weight }) => sum + weight, 0);

/** The reports about the days before `todaySeconds`, the newest day first. */
export function planReports(todaySeconds: number): SampleReport[] {
  const reports: SampleReport[] = [];
  let seed = 0;
  for (let daysAgo = 1; daysAgo <= SAMPLE_DAYS; daysAgo++) {
    for (const domain of DOMAINS) {
      for (const reporter of Object.values<SampleReporter>(REPORTERS)) {
        const report = planReport({ domain, reporter, daysAgo, todaySeconds, random: seededRandom(++seed) });
        if (report !== undefined) reports.push(report);
      }
    }
  }
  return reports;
}

interface ReportPlan {
  domain: SampleDomain;
  reporter: SampleReporter;
  daysAgo: number;
  todaySeconds: number;
  random: () => number;
}

function planReport(plan: ReportPlan): SampleReport | undefined {
  const { domain, reporter, daysAgo, todaySeconds, random } = plan;
  const policy = domain.policies.find(({ since }) => daysAgo <= since);
  if (policy === undefined || random() >= reporter.diligence) return undefined;
  const rows = domain.sources.flatMap((source) => planRows(source, plan));
  // Who got no mail in the name of a domain reports nothing about it.
  if (rows.length === 0) return undefined;
  const beginSeconds = todaySeconds - daysAgo * DAY_SECONDS;
  return {
    domain: domain.name,
    policy,
    reporter,
    rows,
    beginSeconds,
    endSeconds: beginSeconds + DAY_SECONDS - 1,
    reportId: `${beginSeconds}.${Math.floor(random() * 1e12)}`,
  };
}

// A source's mail of a day, spread over receivers by weight and over its addresses.
function planRows(source: SampleSource, { reporter, daysAgo, todaySeconds, random }: ReportPlan): SampleRow[] {
  const { first, last } = source.daysAgo ?? { first: SAMPLE_DAYS, last: 1 };
  if (random() >= source.presence || daysAgo > first || daysAgo < last) return [];
  const weekday = new Date((todaySeconds - daysAgo * DAY_SECONDS) * 1000).getUTCDay();
  const expected = source.perDay * (source.week?.[weekday] ?? 1) * (reporter.weight / TOTAL_WEIGHT);
  return source.ips.flatMap((ip) => {
    const count = Math.round((expected / source.ips.length) * (0.6 + 0.8 * random()));
    return count === 0 ? [] : [{ source, ip, count }];
  });
}

/** The mail a report comes in. @param uniqueId the part of the file name that tells a second file from the first */
export async function reportMail(report: SampleReport, uniqueId = ""): Promise<Sample> {
  const { reporter, domain, reportId, endSeconds } = report;
  return composeSample({
    from: reporter.email,
    subject: `Report Domain: ${domain} Submitter: ${reporter.domain} Report-ID: <${reportId}>`,
    text: `This is a DMARC aggregate report for ${domain}.\n`,
    id: uniqueId === "" ? reportId : `${reportId}.${uniqueId}`,
    dateSeconds: endSeconds + 3600,
    attachment: { ...reportFile(report, uniqueId), contentType: reporter.mimeType },
  });
}

/** The report as the file its reporter attaches, named after RFC 7489 section 7.2.1.1. */
export function reportFile(report: SampleReport, uniqueId: string): { filename: string; content: Buffer } {
  const { reporter, domain, beginSeconds, endSeconds } = report;
  const base = [reporter.domain, domain, beginSeconds, endSeconds, ...(uniqueId === "" ? [] : [uniqueId])].join("!");
  const document = Buffer.from(sampleReportXml(report));
  if (reporter.container === "gzip") return { filename: `${base}.xml.gz`, content: gzipSync(document) };
  if (reporter.container === "zip") return { filename: `${base}.zip`, content: zipOf(`${base}.xml`, document) };
  return { filename: `${base}.xml`, content: document };
}
