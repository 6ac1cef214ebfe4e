/** Generated reports for the benchmarks of pages, written as process settles them. Repeatable. */
import type { LedgerDatabase } from "../shared/ledger/database.ts";
import type { AggregateRecord, FailureReport, TlsReport } from "../shared/report/vocabulary.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "../test/support/ledger-fill.ts";
import { seeded } from "../test/support/seeded-reports.ts";

export const FIRST_DAY = 20_000;
const SETTLED_AT_ONCE = 25;

/** How the records are spread. */
export interface Spread {
  domains: readonly string[];
  days: number;
  reports: number;
  recordsPerReport: number;
  sources: number;
}

/** Sums of what was written, for comparison. */
export interface Written {
  records: number;
  messages: number;
  passed: number;
}

function recordOf(domain: string, sources: number, random: () => number): AggregateRecord {
  const source = Math.floor(random() ** 2 * sources);
  const isKnown = source < sources * 0.75;
  const dkim = isKnown && random() < 0.9 ? "pass" : "fail";
  const spf = isKnown && random() < 0.7 ? "pass" : "fail";
  const isPass = dkim === "pass" || spf === "pass";
  const service = `service${source % 40}.example`;
  const raw = { rawResult: "", humanResult: "" };
  return sampleRecord(domain, {
    sourceIp: `192.0.${source >> 8}.${source & 255}`,
    count: 1 + Math.floor(random() * 20),
    disposition: isPass ? "none" : source % 2 === 0 ? "quarantine" : "reject",
    dkim,
    spf,
    reasons: isPass || source % 5 > 0 ? [] : [{ type: "forwarded", rawType: "", comment: "by a list" }],
    envelopeFrom: `bounce.${domain}`,
    dkimResults: [
      { domain: service, selector: "s1", result: dkim, ...raw },
      { domain, selector: "k1", result: "fail", ...raw },
    ],
    spfResults: [{ domain: `bounce.${service}`, scope: "mfrom", result: spf, ...raw }],
  });
}

function reportAt(place: number, { domains, days, reports, recordsPerReport, sources }: Spread): Sample {
  const random = seeded(place);
  const day = FIRST_DAY + Math.floor((place * days) / reports);
  // The first domain has four reports in ten.
  const others = domains.length - 1;
  const isFirst = others === 0 || random() < 0.4;
  const domain = (isFirst ? domains[0] : domains[1 + Math.floor(random() * others)]) ?? "";
  const records = Array.from({ length: recordsPerReport }, () => recordOf(domain, sources, random));
  const isLarge = recordsPerReport > 200;
  return {
    account: "acme",
    uid: (place + 1).toString(16).padStart(32, "0"),
    report: aggregateReport(domain, { day, records, reporter: `reporter${place % 25}.example`, p: "quarantine" }),
    records,
    receivedSeconds: (day + 1) * 86_400 + (place % 3600),
    ...(isLarge ? { chunkRecords: 2000 } : {}),
  };
}

/** Writes aggregate reports. @returns the sums of what was written */
export async function writeReports(ledger: LedgerDatabase, spread: Spread): Promise<Written> {
  const written = { records: 0, messages: 0, passed: 0 };
  for (let first = 0; first < spread.reports; first += SETTLED_AT_ONCE) {
    const count = Math.min(SETTLED_AT_ONCE, spread.reports - first);
    const samples = Array.from({ length: count }, (_, i) => reportAt(first + i, spread));
    await commitSamples(ledger, samples, { nowSeconds: (samples[0]?.receivedSeconds ?? 0) + 20 });
    for (const { report } of samples) {
      if (report.kind !== "aggregate") continue;
      written.records += report.totals.records;
      written.messages += report.totals.messages;
      written.passed += report.totals.passed;
    }
  }
  return written;
}

function tlsAt(place: number, domain: string, days: number): TlsReport {
  const begin = (FIRST_DAY + (place % days)) * 86_400;
  return {
    kind: "tls",
    orgName: `sender${place % 10}.example`,
    contactInfo: "",
    reportId: String(place),
    beginSeconds: begin,
    endSeconds: begin + 86_399,
    warnings: [],
    omittedWarnings: 0,
    contentHash: "",
    policies: [
      {
        policyType: "sts",
        policyDomain: domain,
        policyStrings: ["version: STSv1", "mode: enforce"],
        mxHosts: [`*.${domain}`],
        successfulSessionCount: 500,
        failedSessionCount: 2,
        failureDetails: [
          {
            resultType: "certificate-expired",
            sendingMtaIp: `192.0.2.${place % 50}`,
            receivingMxHostname: `mx.${domain}`,
            receivingMxHelo: "",
            receivingIp: "",
            failedSessionCount: 2,
            additionalInformation: "",
            failureReasonCode: "",
          },
        ],
      },
    ],
  };
}

function failureAt(place: number, domain: string, days: number): FailureReport {
  return {
    kind: "failure",
    originalHash: "",
    reportedDomain: domain,
    sourceIp: `192.0.2.${place % 200}`,
    authFailure: "dmarc",
    arrivalSeconds: FIRST_DAY * 86_400 + ((place * 7919) % (days * 86_400)),
    arrivalDate: "",
    deliveryResult: "reject",
    identityAlignment: "none",
    dkimDomain: "",
    dkimSelector: "",
    spfDomain: domain,
    mailFromDomain: domain,
    reportingMta: `mx${place % 9}.example`,
    incidents: 1,
    warnings: [],
    omittedWarnings: 0,
    contentHash: "",
  };
}

/** Writes TLS and failure reports about one domain. */
export async function writeOthers(
  ledger: LedgerDatabase,
  { domain, days, tls, failures }: { domain: string; days: number; tls: number; failures: number },
): Promise<void> {
  const sample = (kind: string, place: number, report: Sample["report"]): Sample => ({
    account: "acme",
    uid: kind + (place + 1).toString(16).padStart(32 - kind.length, "0"),
    report,
    records: [],
    receivedSeconds: (FIRST_DAY + days) * 86_400,
  });
  const samples = [
    ...Array.from({ length: tls }, (_, place) => sample("a", place, tlsAt(place, domain, days))),
    ...Array.from({ length: failures }, (_, place) => sample("b", place, failureAt(place, domain, days))),
  ];
  for (let first = 0; first < samples.length; first += SETTLED_AT_ONCE) {
    await commitSamples(ledger, samples.slice(first, first + SETTLED_AT_ONCE), { nowSeconds: 1_800_000_000 });
  }
}
