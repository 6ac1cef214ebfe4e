/** Support: a day's mail in which everything happens once, and what must be true of it in the end. */
import { gzipSync } from "node:zlib";
import { zipOf } from "../../../local/zip.ts";
import { type SampleRecord, sampleMail, sampleReport } from "../sample-report.ts";
import { type SimulatedMail, Simulation } from "./simulation.ts";

/** Records and messages of one report. */
export interface Figures {
  records: number;
  messages: number;
}

/** What must be in the data: `account/report id` → its figures; where two versions compete, either. */
export interface Expected {
  reports: Record<string, Figures[]>;
  deadLetters: number;
  conflicts: number;
}

const RUA = "dmarc@acme.example";
const SECOND_RUA = "reports@acme.example";
const OTHER_RUA = "rua@other.example";

/** Records with counts 1, 2, 3, … so that a lost or doubled one changes the sum. */
export function records(count: number, firstCount = 1): SampleRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    sourceIp: `192.0.${(i >> 8) & 255}.${i & 255}`,
    count: firstCount + i,
    pass: i % 2 === 0,
  }));
}

/** Figures of such records. */
export function figures(count: number, firstCount = 1): Figures {
  return { records: count, messages: records(count, firstCount).reduce((sum, record) => sum + record.count, 0) };
}

/** One report in a mail. */
export function reportMail(reportId: string, given: SampleRecord[], to = RUA): SimulatedMail {
  return mailOf([{ name: `${reportId}.xml.gz`, content: gzip(sampleReport({ reportId, records: given })) }], to);
}

export function mailOf(attachments: { name: string; content: Uint8Array }[], to = RUA): SimulatedMail {
  return { from: "dmarc@reporter.example", to, raw: sampleMail(attachments) };
}

/** A mail as its receiver hands it on: with its results on top. @param domain of From, which the result is about */
export function stamped(mail: SimulatedMail, domain: string, result = "pass"): SimulatedMail {
  const results = `Authentication-Results: mx.cloudflare.net; dmarc=${result} header.from=${domain}\r\n`;
  return { ...mail, raw: Buffer.concat([Buffer.from(results), mail.raw]) };
}

export function gzip(text: string): Uint8Array {
  return gzipSync(text);
}

/** A simulation with the three addresses registered. */
export function registeredSimulation(options?: ConstructorParameters<typeof Simulation>[0]): Simulation {
  const simulation = new Simulation(options);
  registerAll(simulation);
  return simulation;
}

export function registerAll(simulation: Simulation): void {
  simulation.register(RUA, { account: "acme" });
  simulation.register(SECOND_RUA, { account: "acme" });
  simulation.register(OTHER_RUA, { account: "other" });
}

/** Mails and what must be true of them in the end. */
export interface Scenario {
  mails: SimulatedMail[];
  expected: Expected;
}

/** Every kind of mail once, each report small enough for one invocation. */
export function smallMail(): Scenario {
  const first = reportMail("first", records(3));
  const mails: SimulatedMail[] = [
    first,
    // The same mail again: a sender that did not hear our answer.
    first,
    // The same report to a second address of the account, and to another account.
    reportMail("first", records(3), SECOND_RUA),
    reportMail("first", records(3), OTHER_RUA),
    // The same identity, other figures.
    reportMail("first", records(2, 10)),
    // One mail, two reports and a broken one.
    mailOf([
      { name: "second.xml", content: Buffer.from(sampleReport({ reportId: "second", records: records(2) })) },
      { name: "third.zip", content: zipOf("third.xml", Buffer.from(sampleReport({ reportId: "third" }))) },
      { name: "broken.xml", content: Buffer.from(sampleReport({ reportId: "broken" }).slice(0, 400)) },
    ]),
    { from: "someone@example.net", to: RUA, raw: Buffer.from(`${HEADERS}\r\nHello.\r\n`) },
    failureMail(),
  ];
  const reports: Expected["reports"] = {
    "acme/first": [figures(3), figures(2, 10)],
    "other/first": [figures(3)],
    "acme/second": [figures(2)],
    "acme/third": [{ records: 3, messages: 8 }],
  };
  return { mails, expected: { reports, deadLetters: 2, conflicts: 1 } };
}

/** Forged reports with the identities of others, before and after these come; their receiver tells which is which. */
export function forgedMail(): Scenario {
  const mails = [
    reportMail("stolen", records(4, 1000)),
    stamped(reportMail("stolen", records(3, 5)), "reporter.example"),
    reportMail("stolen", records(2, 2000)),
    // A copy that somebody passed on.
    reportMail("copied", records(2, 7)),
    stamped(reportMail("copied", records(2, 7)), "reporter.example"),
  ];
  const reports = { "acme/stolen": [figures(3, 5)], "acme/copied": [figures(2, 7)] };
  return { mails, expected: { reports, deadLetters: 0, conflicts: 2 } };
}

/** Reports that are cut into slices; the second has more records than are held, so it is read twice. */
export function largeMail(): Scenario {
  const reports = { "acme/sliced": [figures(300)], "acme/large": [figures(1100)] };
  const mails = [reportMail("sliced", records(300)), reportMail("large", records(1100))];
  return { mails, expected: { reports, deadLetters: 0, conflicts: 0 } };
}

/** Both. */
export function allMail(): Scenario {
  const [small, large] = [smallMail(), largeMail()];
  const reports = { ...small.expected.reports, ...large.expected.reports };
  return { mails: [...small.mails, ...large.mails], expected: { ...small.expected, reports } };
}

/** A failure report about one message. */
export function failureMail(to = RUA): SimulatedMail {
  return { from: "arf@reporter.example", to, raw: Buffer.from(FAILURE_MAIL) };
}

const HEADERS = "From: a@example.net\r\nTo: dmarc@acme.example\r\nSubject: Hello\r\nMessage-ID: <2@example.net>\r\n";

const FAILURE_MAIL = `From: arf@reporter.example\r
To: dmarc@acme.example\r
Subject: FW: Failure report\r
Message-ID: <3@reporter.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=feedback-report; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
A failure report.\r
--b\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: auth-failure\r
User-Agent: Reporter/1\r
Version: 1\r
Original-Mail-From: <someone@acme.example>\r
Arrival-Date: Fri, 20 Nov 2026 10:00:00 +0000\r
Source-IP: 192.0.2.7\r
Reported-Domain: acme.example\r
Auth-Failure: dmarc\r
Identity-Alignment: none\r
\r
--b\r
Content-Type: text/rfc822-headers\r
\r
From: someone@acme.example\r
Subject: personal\r
\r
--b--\r
`;
