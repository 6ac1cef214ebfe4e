/**
 * The believable part of the sample reports: who reports, and who sends mail in the name of the sample domains. Data
 * only; all addresses and domains but the reporters' are reserved for documentation (RFC 2606, 3849, 5737).
 */
import type { AlignedResult, DkimResult, OverrideType, Policy, SpfResult } from "../../shared/report/vocabulary.ts";

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
  /** Share of the days it reports about: small receivers do not get mail every day. */
  diligence: number;
}

export const REPORTERS = {
  google: {
    orgName: "google.com",
    email: "noreply-dmarc-support@google.com",
    domain: "google.com",
    container: "zip",
    mimeType: "application/zip",
    weight: 10,
    diligence: 1,
  },
  outlook: {
    orgName: "Outlook.com",
    email: "dmarcreport@microsoft.com",
    domain: "outlook.com",
    container: "gzip",
    mimeType: "application/gzip",
    weight: 6,
    diligence: 0.95,
  },
  yahoo: {
    orgName: "Yahoo",
    email: "dmarchelp@yahooinc.com",
    domain: "yahoo.com",
    container: "gzip",
    mimeType: "application/gzip",
    weight: 4,
    diligence: 0.9,
  },
  comcast: {
    orgName: "comcast.net",
    email: "dmarc-reports@alerts.comcast.net",
    domain: "comcast.net",
    container: "gzip",
    mimeType: "application/x-gzip",
    weight: 2,
    diligence: 0.35,
  },
  fastmail: {
    orgName: "Fastmail Pty Ltd",
    email: "reports@fastmaildmarc.com",
    domain: "fastmail.com",
    rfc9990: true,
    container: "gzip",
    mimeType: "application/octet-stream",
    weight: 1,
    diligence: 0.25,
  },
  gmx: {
    orgName: "GMX",
    email: "noreply-dmarc@sicher.gmx.net",
    domain: "gmx.net",
    container: "xml",
    mimeType: "text/xml",
    weight: 1,
    diligence: 0.15,
  },
} as const satisfies Record<string, SampleReporter>;

/** One source of mail, and how receivers see it. */
export interface SampleSource {
  ips: readonly string[];
  headerFrom: string;
  envelopeFrom: string;
  dkim: AlignedResult;
  spf: AlignedResult;
  dkimResults: readonly { domain: string; selector: string; result: DkimResult }[];
  spfResult: { domain: string; result: SpfResult };
  /** Why receivers do not do what the policy asks. */
  reason?: { type: OverrideType; comment: string };
  /** Messages a day over all receivers, before variation and the day of the week. */
  perDay: number;
  /** Share of the reports it appears in. */
  presence: number;
  /** Factor of each day of the week, Sunday first; absent = every day alike. */
  week?: readonly [number, number, number, number, number, number, number];
  /** First and last day it sent, in days ago; absent = all along. */
  daysAgo?: { first: number; last: number };
}

/** A policy as it was published from a day on. */
export interface SamplePolicy {
  /** Days ago; the policy that holds on a day is the first one of the list that is old enough. */
  since: number;
  p: Policy;
  sp: Policy;
  np: Policy;
}

export interface SampleDomain {
  name: string;
  /** Newest first. */
  policies: readonly SamplePolicy[];
  sources: readonly SampleSource[];
}

const OFFICE_WEEK = [0.15, 1.15, 1.1, 1.05, 1, 0.85, 0.2] as const;
const NEWSLETTER_WEEK = [0, 0.02, 1, 0.08, 0.55, 0.03, 0] as const;

const COMPANY: readonly SampleSource[] = [
  // The company's own mail servers: everything aligned.
  {
    ips: ["203.0.113.10", "203.0.113.11", "2001:db8:10::25"],
    headerFrom: "example.com",
    envelopeFrom: "example.com",
    dkim: "pass",
    spf: "pass",
    perDay: 420,
    presence: 1,
    week: OFFICE_WEEK,
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "pass" }],
    spfResult: { domain: "example.com", result: "pass" },
  },
  // Scanners and monitoring, by a relay that does not sign.
  {
    ips: ["203.0.113.12"],
    headerFrom: "example.com",
    envelopeFrom: "example.com",
    dkim: "fail",
    spf: "pass",
    perDay: 36,
    presence: 0.9,
    dkimResults: [],
    spfResult: { domain: "example.com", result: "pass" },
  },
  // A newsletter service, set up well: signs as example.com, bounces to itself.
  {
    ips: ["198.51.100.25", "198.51.100.26"],
    headerFrom: "news.example.com",
    week: NEWSLETTER_WEEK,
    envelopeFrom: "bounce.mailer.example",
    dkim: "pass",
    spf: "fail",
    perDay: 1500,
    presence: 1,
    dkimResults: [
      { domain: "news.example.com", selector: "s1", result: "pass" },
      { domain: "mailer.example", selector: "k2", result: "pass" },
    ],
    spfResult: { domain: "bounce.mailer.example", result: "pass" },
  },
  // A ticket system nobody told about DMARC: authentic, but as itself. It keeps this owner from p=reject.
  {
    ips: ["198.51.100.77"],
    headerFrom: "example.com",
    envelopeFrom: "tickets.helpdesk.example",
    dkim: "fail",
    spf: "fail",
    perDay: 42,
    presence: 0.8,
    week: OFFICE_WEEK,
    dkimResults: [{ domain: "helpdesk.example", selector: "hd", result: "pass" }],
    spfResult: { domain: "tickets.helpdesk.example", result: "pass" },
  },
  // A survey service that began to send this week, set up as it should be.
  {
    ips: ["198.51.100.160", "198.51.100.161"],
    headerFrom: "example.com",
    daysAgo: { first: 5, last: 1 },
    envelopeFrom: "return.surveys.example",
    dkim: "pass",
    spf: "fail",
    perDay: 130,
    presence: 1,
    dkimResults: [
      { domain: "example.com", selector: "survey1", result: "pass" },
      { domain: "surveys.example", selector: "d1", result: "pass" },
    ],
    spfResult: { domain: "return.surveys.example", result: "pass" },
  },
  // The web shop's server, moved to an address the SPF record does not list.
  {
    ips: ["198.51.100.140"],
    headerFrom: "example.com",
    envelopeFrom: "example.com",
    dkimResults: [],
    dkim: "fail",
    spf: "fail",
    perDay: 30,
    presence: 0.8,
    daysAgo: { first: 20, last: 1 },
    spfResult: { domain: "example.com", result: "softfail" },
  },
  // A forwarder: SPF breaks, the signature survives.
  {
    ips: ["192.0.2.44"],
    headerFrom: "example.com",
    envelopeFrom: "example.com",
    dkim: "pass",
    spf: "fail",
    perDay: 14,
    presence: 0.7,
    week: OFFICE_WEEK,
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "pass" }],
    spfResult: { domain: "example.com", result: "softfail" },
  },
  // A forwarder that adds a line to the text, so that the signature breaks too.
  {
    ips: ["192.0.2.45"],
    headerFrom: "example.com",
    envelopeFrom: "alumni.college.example",
    dkim: "fail",
    spf: "fail",
    perDay: 5,
    presence: 0.5,
    week: OFFICE_WEEK,
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "fail" }],
    spfResult: { domain: "alumni.college.example", result: "pass" },
    reason: { type: "forwarded", comment: "looks forwarded, downgrade to none" },
  },
  // A mailing list: it changes the mail, so the signature breaks, and sends as itself.
  {
    ips: ["192.0.2.99"],
    headerFrom: "example.com",
    envelopeFrom: "lists.university.example",
    dkim: "fail",
    spf: "fail",
    perDay: 9,
    presence: 0.6,
    week: OFFICE_WEEK,
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "fail" }],
    spfResult: { domain: "lists.university.example", result: "pass" },
    reason: { type: "mailing_list", comment: "known mailing list" },
  },
  // Another list, which seals what it changed (ARC).
  {
    ips: ["2001:db8:99::7"],
    headerFrom: "example.com",
    envelopeFrom: "announce.society.example",
    dkim: "fail",
    spf: "fail",
    perDay: 4,
    presence: 0.4,
    week: OFFICE_WEEK,
    dkimResults: [{ domain: "example.com", selector: "mail2026", result: "fail" }],
    spfResult: { domain: "announce.society.example", result: "pass" },
    reason: { type: "local_policy", comment: "arc=pass" },
  },
  // Somebody else, now and then: no signature, no right to send.
  {
    ips: ["203.0.113.200", "203.0.113.217", "2001:db8:bad::1"],
    headerFrom: "example.com",
    envelopeFrom: "invoice-center.example",
    dkim: "fail",
    spf: "fail",
    perDay: 16,
    presence: 0.35,
    dkimResults: [],
    spfResult: { domain: "invoice-center.example", result: "none" },
  },
  // Somebody else, all at once: a wave of three days.
  {
    ips: Array.from({ length: 6 }, (_, i) => `203.0.113.${135 + 7 * i}`),
    headerFrom: "example.com",
    envelopeFrom: "example.com",
    dkim: "fail",
    spf: "fail",
    perDay: 640,
    presence: 0.9,
    daysAgo: { first: 13, last: 11 },
    dkimResults: [],
    spfResult: { domain: "example.com", result: "softfail" },
  },
];

// Nobody sends mail from this domain; what is reported is somebody else's.
const PARKED: readonly SampleSource[] = [
  {
    ips: ["203.0.113.200", "203.0.113.230"],
    headerFrom: "example.net",
    envelopeFrom: "example.net",
    dkim: "fail",
    spf: "fail",
    perDay: 60,
    presence: 0.08,
    dkimResults: [],
    spfResult: { domain: "example.net", result: "fail" },
  },
  {
    ips: ["192.0.2.201"],
    headerFrom: "billing.example.net",
    envelopeFrom: "parcel-notice.example",
    dkim: "fail",
    spf: "fail",
    perDay: 24,
    presence: 0.03,
    dkimResults: [],
    spfResult: { domain: "parcel-notice.example", result: "none" },
  },
];

/** The domain nobody sends from. */
export const PARKED_DOMAIN = "example.net";

export const DOMAINS: readonly SampleDomain[] = [
  {
    name: "example.com",
    policies: [
      { since: 24, p: "quarantine", sp: "quarantine", np: "reject" },
      { since: Number.POSITIVE_INFINITY, p: "none", sp: "none", np: "none" },
    ],
    sources: COMPANY,
  },
  {
    name: PARKED_DOMAIN,
    policies: [{ since: Number.POSITIVE_INFINITY, p: "reject", sp: "reject", np: "reject" }],
    sources: PARKED,
  },
];
