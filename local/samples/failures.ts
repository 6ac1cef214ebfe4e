/**
 * The failure reports of the samples (RFC 6591, in the container of RFC 5965), with the people in them made up. Of such a
 * mail the pipeline keeps the facts about domains and removes the rest, unless an address is registered otherwise.
 */
import { DAY_SECONDS, SAMPLE_RUA, type Sample } from "./mail.ts";

interface SampleFailure {
  daysAgo: number;
  /** Host name of the reporting server. */
  reporter: string;
  sourceIp: string;
  mailFrom: string;
  authFailure: "dmarc" | "signature" | "bodyhash" | "spf";
  deliveryResult: "delivered" | "spam" | "policy" | "reject";
  /** Further fields of the feedback part. */
  fields?: readonly string[];
  subject: string;
  incidents?: number;
}

const DKIM_FIELDS = ["DKIM-Domain: example.com", "DKIM-Selector: mail2026", "DKIM-Identity: @example.com"] as const;
const SPF_FIELDS = ['SPF-DNS: txt : example.com : "v=spf1 ip4:203.0.113.0/28 -all"'] as const;

const FAILURES: readonly SampleFailure[] = [
  {
    daysAgo: 12,
    reporter: "mx.receiver.example",
    sourceIp: "203.0.113.135",
    mailFrom: "ceo@example.com",
    authFailure: "dmarc",
    deliveryResult: "reject",
    subject: "Urgent payment",
    incidents: 38,
    fields: SPF_FIELDS,
  },
  {
    daysAgo: 12,
    reporter: "mx.receiver.example",
    sourceIp: "203.0.113.142",
    mailFrom: "ceo@example.com",
    authFailure: "dmarc",
    deliveryResult: "reject",
    subject: "Urgent payment",
    incidents: 21,
    fields: SPF_FIELDS,
  },
  {
    daysAgo: 11,
    reporter: "mail.college.example",
    sourceIp: "203.0.113.156",
    mailFrom: "ceo@example.com",
    authFailure: "spf",
    deliveryResult: "spam",
    subject: "Urgent payment",
    incidents: 6,
    fields: SPF_FIELDS,
  },
  {
    daysAgo: 8,
    reporter: "mail.college.example",
    sourceIp: "198.51.100.77",
    mailFrom: "bounce@tickets.helpdesk.example",
    authFailure: "dmarc",
    deliveryResult: "spam",
    subject: "[#4711] Your request",
  },
  {
    daysAgo: 5,
    reporter: "mx.receiver.example",
    sourceIp: "198.51.100.77",
    mailFrom: "bounce@tickets.helpdesk.example",
    authFailure: "dmarc",
    deliveryResult: "spam",
    incidents: 4,
    subject: "[#4730] Your request",
  },
  {
    daysAgo: 4,
    reporter: "lists.university.example",
    sourceIp: "203.0.113.10",
    mailFrom: "ann@example.com",
    authFailure: "signature",
    deliveryResult: "delivered",
    subject: "Minutes",
    fields: DKIM_FIELDS,
  },
  {
    daysAgo: 3,
    reporter: "mail.college.example",
    sourceIp: "192.0.2.99",
    mailFrom: "bounces@lists.university.example",
    authFailure: "bodyhash",
    deliveryResult: "delivered",
    subject: "[announce] Minutes",
    fields: DKIM_FIELDS,
  },
  {
    daysAgo: 2,
    reporter: "mx.receiver.example",
    sourceIp: "2001:db8:bad::1",
    mailFrom: "no-reply@invoice-center.example",
    authFailure: "dmarc",
    deliveryResult: "reject",
    subject: "Invoice overdue",
    incidents: 3,
  },
];

/** The mails, about messages of the days before `todaySeconds`. */
export function failureMails(todaySeconds: number): Sample[] {
  return FAILURES.map((failure, place) => failureMail(failure, { todaySeconds, place }));
}

function failureMail(failure: SampleFailure, { todaySeconds, place }: { todaySeconds: number; place: number }): Sample {
  const { reporter, daysAgo, authFailure, subject, sourceIp } = failure;
  const from = `dmarc-noreply@${reporter}`;
  const arrival = new Date((todaySeconds - daysAgo * DAY_SECONDS + 37_000 + place * 1000) * 1000).toUTCString();
  const date = arrival.replace("GMT", "+0000");
  const boundary = `=_${daysAgo}.${place}.${reporter}`;
  const lines = [
    ...[`From: ${from}`, `To: ${SAMPLE_RUA}`, `Date: ${date}`, `Subject: FW: ${subject}`],
    ...[`Message-ID: <${todaySeconds}.${place}@${reporter}>`, "MIME-Version: 1.0"],
    `Content-Type: multipart/report; report-type=feedback-report; boundary="${boundary}"`,
    ...["", `--${boundary}`, "Content-Type: text/plain", ""],
    `A message from ${sourceIp} failed authentication (${authFailure}).`,
    ...[`--${boundary}`, "Content-Type: message/feedback-report", ""],
    ...feedbackFields(failure, date),
    ...["", `--${boundary}`, "Content-Type: text/rfc822-headers", ""],
    ...["From: Example Company <office@example.com>", "To: (redacted)", `Date: ${date}`, `Subject: ${subject}`],
    ...["", `--${boundary}--`, ""],
  ];
  return { from, to: SAMPLE_RUA, raw: Buffer.from(lines.join("\r\n")) };
}

function feedbackFields(failure: SampleFailure, date: string): string[] {
  const { reporter, sourceIp, mailFrom, authFailure, deliveryResult, fields = [], incidents } = failure;
  return [
    ...["Feedback-Type: auth-failure", "User-Agent: Reporter/1.0", "Version: 1"],
    ...[`Original-Mail-From: <${mailFrom}>`, `Arrival-Date: ${date}`, `Source-IP: ${sourceIp}`],
    ...["Reported-Domain: example.com", `Reporting-MTA: dns; ${reporter}`, `Auth-Failure: ${authFailure}`],
    ...["Identity-Alignment: none", `Delivery-Result: ${deliveryResult}`, ...fields],
    ...(incidents === undefined ? [] : [`Incidents: ${incidents}`]),
  ];
}
