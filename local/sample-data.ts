/**
 * The believable part of the sample reports: who reports, and who sends mail in the name of example.com. Data only; all
 * addresses and domains are reserved for documentation (RFC 2606, 3849, 5737).
 */
import type { AlignedResult, DkimResult, OverrideType, SpfResult } from "../shared/report/vocabulary.ts";

/** How a reporter writes and wraps its reports. */
export interface SampleReporter {
  orgName: string;
  email: string;
  /** Domain in file names and report ids. */
  domain: string;
  container: "gzip" | "zip" | "xml";
  /** MIME type it labels its reports with; real ones are often wrong. */
  mimeType: string;
  /** Follows RFC 9990 instead of RFC 7489. */
  rfc9990?: boolean;
  /** Share of all mail that goes to this receiver. */
  weight: number;
}

export const REPORTERS = {
  google: {
    ...{ orgName: "google.com", email: "noreply-dmarc-support@google.com", domain: "google.com" },
    ...{ container: "zip", mimeType: "application/zip", weight: 10 },
  },
  yahoo: {
    ...{ orgName: "Yahoo", email: "dmarchelp@yahooinc.com", domain: "yahoo.com" },
    ...{ container: "gzip", mimeType: "application/gzip", weight: 4 },
  },
  outlook: {
    ...{ orgName: "Outlook.com", email: "dmarcreport@microsoft.com", domain: "outlook.com" },
    ...{ container: "gzip", mimeType: "application/gzip", weight: 6 },
  },
  fastmail: {
    ...{ orgName: "Fastmail Pty Ltd", email: "reports@fastmaildmarc.com", domain: "fastmail.com", rfc9990: true },
    ...{ container: "gzip", mimeType: "application/octet-stream", weight: 1 },
  },
  comcast: {
    ...{ orgName: "comcast.net", email: "dmarc-reports@alerts.comcast.net", domain: "comcast.net" },
    ...{ container: "gzip", mimeType: "application/x-gzip", weight: 2 },
  },
  gmx: {
    ...{ orgName: "GMX", email: "noreply-dmarc@sicher.gmx.net", domain: "gmx.net" },
    ...{ container: "xml", mimeType: "text/xml", weight: 1 },
  },
} as const satisfies Record<string, SampleReporter>;

export type ReporterName = keyof typeof REPORTERS;

/** Which reports there are: days ago and reporter. */
export const SCHEDULE: readonly { daysAgo: number; reporter: ReporterName }[] = [
  { daysAgo: 10, reporter: "google" },
  { daysAgo: 9, reporter: "outlook" },
  { daysAgo: 8, reporter: "yahoo" },
  { daysAgo: 7, reporter: "google" },
  { daysAgo: 6, reporter: "comcast" },
  { daysAgo: 5, reporter: "google" },
  { daysAgo: 5, reporter: "outlook" },
  { daysAgo: 4, reporter: "yahoo" },
  { daysAgo: 3, reporter: "google" },
  { daysAgo: 3, reporter: "fastmail" },
  { daysAgo: 2, reporter: "google" },
  { daysAgo: 2, reporter: "gmx" },
  { daysAgo: 1, reporter: "google" },
  { daysAgo: 1, reporter: "yahoo" },
];

/** One source of mail with header_from example.com, and how receivers see it. */
export interface SampleSource {
  ips: readonly string[];
  headerFrom: string;
  envelopeFrom: string;
  dkim: AlignedResult;
  spf: AlignedResult;
  dkimResults: readonly { domain: string; selector: string; result: DkimResult }[];
  spfResult: { domain: string; result: SpfResult };
  reason?: { type: OverrideType; comment: string };
  /** Messages a day over all receivers, before chance. */
  perDay: number;
  /** Share of the reports it appears in. */
  presence: number;
}

export const SOURCES: readonly SampleSource[] = [
  // The company's own mail servers: everything aligned.
  {
    ...{ ips: ["203.0.113.10", "203.0.113.11", "2001:db8:10::25"], headerFrom: "example.com" },
    ...{ envelopeFrom: "example.com", dkim: "pass", spf: "pass", perDay: 320, presence: 1 },
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "pass" }],
    spfResult: { domain: "example.com", result: "pass" },
  },
  // A newsletter service, set up well: signs as example.com, bounces to itself.
  {
    ...{ ips: ["198.51.100.25", "198.51.100.26"], headerFrom: "news.example.com" },
    ...{ envelopeFrom: "bounce.mailer.example", dkim: "pass", spf: "fail", perDay: 900, presence: 0.8 },
    dkimResults: [
      { domain: "news.example.com", selector: "s1", result: "pass" },
      { domain: "mailer.example", selector: "k2", result: "pass" },
    ],
    spfResult: { domain: "bounce.mailer.example", result: "pass" },
  },
  // A ticket system nobody told about DMARC: authentic, but as itself. What stands between this owner and p=reject.
  {
    ...{ ips: ["198.51.100.77"], headerFrom: "example.com" },
    ...{ envelopeFrom: "tickets.helpdesk.example", dkim: "fail", spf: "fail", perDay: 40, presence: 0.7 },
    dkimResults: [{ domain: "helpdesk.example", selector: "hd", result: "pass" }],
    spfResult: { domain: "tickets.helpdesk.example", result: "pass" },
  },
  // A forwarder: SPF breaks, the signature survives.
  {
    ...{ ips: ["192.0.2.44"], headerFrom: "example.com" },
    ...{ envelopeFrom: "example.com", dkim: "pass", spf: "fail", perDay: 12, presence: 0.6 },
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "pass" }],
    spfResult: { domain: "example.com", result: "softfail" },
    reason: { type: "forwarded", comment: "looks forwarded, downgrade to none" },
  },
  // A mailing list: it changes the mail, so the signature breaks, and sends as itself.
  {
    ...{ ips: ["192.0.2.99"], headerFrom: "example.com" },
    ...{ envelopeFrom: "lists.university.example", dkim: "fail", spf: "fail", perDay: 8, presence: 0.5 },
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "fail" }],
    spfResult: { domain: "lists.university.example", result: "pass" },
    reason: { type: "mailing_list", comment: "known mailing list, local policy override" },
  },
  // Somebody else: no signature, no right to send.
  {
    ...{ ips: ["203.0.113.200", "203.0.113.217", "2001:db8:bad::1"], headerFrom: "example.com" },
    ...{ envelopeFrom: "invoice-center.example", dkim: "fail", spf: "fail", perDay: 60, presence: 0.5 },
    dkimResults: [],
    spfResult: { domain: "invoice-center.example", result: "none" },
  },
];
