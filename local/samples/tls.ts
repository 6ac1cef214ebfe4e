/** The SMTP TLS reports of the samples (RFC 8460): mail servers that delivered to example.com, and what failed. Pure. */
import { gzipSync } from "node:zlib";
import { seededRandom } from "../random.ts";
import { composeSample, DAY_SECONDS, type Sample } from "./mail.ts";

const DOMAIN = "example.com";
/** How many days the reports are about. */
const TLS_DAYS = 30;

interface TlsReporter {
  organizationName: string;
  email: string;
  domain: string;
  sendingMtaIp: string;
  /** Sessions on a day, before variation. */
  sessions: number;
  /** It reports about every n-th day. */
  everyDays: number;
}

const REPORTERS: readonly TlsReporter[] = [
  {
    organizationName: "Google Inc.",
    email: "noreply-smtp-tls-reporting@google.com",
    domain: "google.com",
    sendingMtaIp: "192.0.2.30",
    sessions: 340,
    everyDays: 1,
  },
  {
    organizationName: "Microsoft Corporation",
    email: "tlsrpt-noreply@microsoft.com",
    domain: "microsoft.com",
    sendingMtaIp: "2001:db8:30::1",
    sessions: 210,
    everyDays: 3,
  },
];

interface TlsFault {
  resultType: string;
  receivingMxHostname: string;
  failureReasonCode?: string;
  /** First and last day of it, in days ago. */
  daysAgo: { first: number; last: number };
  /** Share of the sessions that failed. */
  share: number;
}

const FAULTS: readonly TlsFault[] = [
  // The second server's certificate was renewed late.
  {
    resultType: "certificate-expired",
    receivingMxHostname: "mx2.example.com",
    daysAgo: { first: 19, last: 15 },
    share: 0.12,
  },
  // Then, for a day, the certificate lacked the name.
  {
    resultType: "certificate-host-mismatch",
    receivingMxHostname: "mx2.example.com",
    daysAgo: { first: 14, last: 14 },
    share: 0.09,
  },
  // The web server that holds the MTA-STS policy was down.
  {
    resultType: "sts-policy-fetch-error",
    receivingMxHostname: "",
    failureReasonCode: "HTTP 503",
    daysAgo: { first: 7, last: 6 },
    share: 0.06,
  },
  // An old third server, still named in DNS, that knows no encryption.
  {
    resultType: "starttls-not-supported",
    receivingMxHostname: "mx-old.example.com",
    daysAgo: { first: TLS_DAYS, last: 1 },
    share: 0.006,
  },
];

/** The mails about the days before `todaySeconds`, the newest day first. */
export function tlsMails(todaySeconds: number): Promise<Sample>[] {
  const mails: Promise<Sample>[] = [];
  for (let daysAgo = 1; daysAgo <= TLS_DAYS; daysAgo++) {
    REPORTERS.forEach((reporter, place) => {
      if (daysAgo % reporter.everyDays !== 0) return;
      const random = seededRandom(1_000_000 + 10 * daysAgo + place);
      mails.push(tlsMail(reporter, { daysAgo, beginSeconds: todaySeconds - daysAgo * DAY_SECONDS, random }));
    });
  }
  return mails;
}

interface TlsDay {
  daysAgo: number;
  beginSeconds: number;
  random: () => number;
}

function tlsMail(reporter: TlsReporter, day: TlsDay): Promise<Sample> {
  const endSeconds = day.beginSeconds + DAY_SECONDS - 1;
  const start = isoSecond(day.beginSeconds);
  const reportId = `${start.slice(0, 10)}_${DOMAIN}_${reporter.domain}`;
  const report = {
    "organization-name": reporter.organizationName,
    "date-range": { "start-datetime": start, "end-datetime": isoSecond(endSeconds) },
    "contact-info": reporter.email,
    "report-id": reportId,
    policies: [policyOfDay(reporter, day)],
  };
  return composeSample({
    from: reporter.email,
    subject: `Report Domain: ${DOMAIN} Submitter: ${reporter.domain} Report-ID: <${reportId}>`,
    text: `This is an aggregate TLS report from ${reporter.domain}.\n`,
    id: `tls.${reportId}`,
    dateSeconds: endSeconds + 7200,
    headers: { "TLS-Report-Domain": DOMAIN, "TLS-Report-Submitter": reporter.domain },
    attachment: {
      filename: `${reporter.domain}!${DOMAIN}!${day.beginSeconds}!${endSeconds}.json.gz`,
      content: gzipSync(JSON.stringify(report)),
      contentType: "application/tlsrpt+gzip",
    },
  });
}

function policyOfDay({ sessions, sendingMtaIp }: TlsReporter, { daysAgo, random }: TlsDay): unknown {
  const total = Math.round(sessions * (0.7 + 0.6 * random()));
  const failures = FAULTS.flatMap((fault) => {
    const { first, last } = fault.daysAgo;
    const failed = Math.round(total * fault.share * (0.5 + random()));
    if (daysAgo > first || daysAgo < last || failed === 0) return [];
    return {
      "result-type": fault.resultType,
      "sending-mta-ip": sendingMtaIp,
      ...(fault.receivingMxHostname === "" ? {} : { "receiving-mx-hostname": fault.receivingMxHostname }),
      "failed-session-count": failed,
      ...(fault.failureReasonCode === undefined ? {} : { "failure-reason-code": fault.failureReasonCode }),
    };
  });
  const failed = failures.reduce((sum, failure) => sum + failure["failed-session-count"], 0);
  return {
    policy: {
      "policy-type": "sts",
      "policy-string": ["version: STSv1", "mode: testing", "mx: *.example.com", "max_age: 604800"],
      "policy-domain": DOMAIN,
      "mx-host": ["*.example.com"],
    },
    summary: { "total-successful-session-count": total - failed, "total-failure-session-count": failed },
    ...(failures.length === 0 ? {} : { "failure-details": failures }),
  };
}

function isoSecond(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
