/**
 * What goes wrong with real reports, once each, so that every page of the dashboard has something to show: sent twice,
 * sent again with other figures, without records, damaged on the way, and a mail that is not a report. Pure.
 */
import { composeSample, DAY_SECONDS, type Sample } from "./mail.ts";
import { reportFile, reportMail } from "./reports.ts";
import type { SampleReport } from "./xml.ts";

/** Share of the damaged attachment that arrives. */
const ARRIVED = 0.6;

/** The mails; those that repeat a report have to be read after it. @param reports the newest day first */
export function troubleMails(reports: readonly SampleReport[], todaySeconds: number): Promise<Sample>[] {
  const pick = (name: string, place: number): SampleReport => {
    const found = reports.filter(({ reporter, domain }) => name === `${domain} by ${reporter.domain}`)[place];
    if (found === undefined) throw new Error(`The samples hold fewer reports about ${name} than needed.`);
    return found;
  };
  return [
    reportMail(pick("example.com by google.com", 2), "again"),
    reportMail(corrected(pick("example.com by outlook.com", 3)), "corrected"),
    reportMail(withoutRecords(pick("example.net by yahoo.com", 0), todaySeconds - DAY_SECONDS)),
    damaged(pick("example.com by comcast.net", 1)),
    autoReply(todaySeconds),
  ];
}

// The same report once more, with what its writer had forgotten to count.
function corrected(report: SampleReport): SampleReport {
  return { ...report, rows: report.rows.map((row) => ({ ...row, count: Math.ceil(row.count * 1.15) })) };
}

// Some report about days without mail too.
function withoutRecords(report: SampleReport, beginSeconds: number): SampleReport {
  const endSeconds = beginSeconds + DAY_SECONDS - 1;
  return { ...report, beginSeconds, endSeconds, reportId: `${beginSeconds}.0`, rows: [] };
}

// Another report of a reporter, whose attachment lost its end.
async function damaged(report: SampleReport): Promise<Sample> {
  const { reporter, domain, endSeconds } = report;
  const { filename, content } = reportFile({ ...report, reportId: `${report.reportId}.2` }, "2");
  return composeSample({
    from: reporter.email,
    subject: `Report Domain: ${domain} Submitter: ${reporter.domain}`,
    text: `This is a DMARC aggregate report for ${domain}.\n`,
    id: `${report.reportId}.2`,
    dateSeconds: endSeconds + 5400,
    attachment: {
      filename,
      content: content.subarray(0, Math.floor(content.length * ARRIVED)),
      contentType: reporter.mimeType,
    },
  });
}

// Published addresses get other mail too.
function autoReply(todaySeconds: number): Promise<Sample> {
  return composeSample({
    from: "support@hosting.example",
    subject: "Automatic reply: we have received your message",
    text: "Thank you for your message. We answer within two working days.\n",
    id: `auto.${todaySeconds}`,
    dateSeconds: todaySeconds - 4 * 3600,
  });
}
