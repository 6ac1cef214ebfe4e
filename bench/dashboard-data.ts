/** What bench/dashboard.ts writes: records of 20,000 reports, their events, TLS and failure reports. Repeatable. Pure. */
import type { RowInput } from "../shared/analytics/columns.ts";

export const DAYS = 90;
export const FIRST_DAY = 20_000;
export const LAST_DAY = FIRST_DAY + DAYS - 1;
export const RECORDS_PER_REPORT = 50;
/** The largest of ten domains has four records in ten. */
export const LARGEST = "big.example";
const SOURCES = 40;
/** Sources from this one on authenticate nothing. */
const FIRST_UNKNOWN_SOURCE = 30;
const TLS_REPORTERS = 10;

/** A repeatable number of a record, spread evenly enough. */
function spread(place: number, salt: number): number {
  let mixed = Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function domainOf(report: number): string {
  const share = spread(report, 1) % 15;
  return share < 6 ? LARGEST : `domain${share}.example`;
}

/** One of the records, by its place. */
export function recordAt(place: number): RowInput<"records"> {
  const report = Math.floor(place / RECORDS_PER_REPORT);
  const domain = domainOf(report);
  const source = spread(place, 2) % SOURCES;
  const isKnown = source < FIRST_UNKNOWN_SOURCE;
  const isDkim = isKnown && spread(place, 3) % 10 < 9;
  const isSpf = isKnown && spread(place, 4) % 10 < 7;
  const isPass = isDkim || isSpf;
  const begin = (FIRST_DAY + (spread(report, 5) % DAYS)) * 86_400;
  const failed = source % 2 === 0 ? "quarantine" : "reject";
  return {
    ...{ reportUid: spread(report, 6).toString(16).padStart(8, "0") + report.toString(16).padStart(24, "0") },
    ...{ account: "acme", domain, reporter: `reporter${report % 25}.example`, reportId: `${begin}.${report}` },
    ...{ sourceIp: `192.0.2.${source}`, disposition: isPass ? "none" : failed, headerFrom: domain, envelopeTo: "" },
    ...{ dkim: isDkim ? "pass" : "fail", spf: isSpf ? "pass" : "fail", envelopeFrom: `bounce.${domain}` },
    dkimResults: isKnown ? `service${source}.example s1 ${isDkim ? "pass" : "fail"}\n${domain} k1 fail` : "",
    spfResults: `bounce${source}.example mfrom ${isSpf ? "pass" : "fail"}`,
    reasons: !isPass && source % 5 === 0 ? "forwarded looks like a mailing list" : "",
    policy: "p=quarantine; sp=quarantine; np=quarantine; adkim=r; aspf=r; pct=100",
    ...{ authDomain: isPass ? `service${source}.example` : "", passed: isPass ? 1 : 0, live: 1, generation: 1 },
    ...{ ordinal: place % RECORDS_PER_REPORT, count: 1 + (spread(place, 7) % 20) },
    ...{ beginSeconds: begin, endSeconds: begin + 86_399, receivedSeconds: begin + 90_000 },
  };
}

/** The event of one report: one in a hundred is a dead letter. */
export function eventAt(report: number): RowInput<"events"> {
  const received = (FIRST_DAY + (spread(report, 5) % DAYS) + 1) * 86_400 + (spread(report, 8) % 3600);
  const isDead = report % 100 === 99;
  return {
    ...{ eventId: `event${report}`, account: "acme", rua: "", kind: "aggregate", domain: domainOf(report), part: "" },
    ...{ outcome: isDead ? "dead_letter" : "accepted", code: isDead ? "not_xml" : "", rawKey: `raw/${report}` },
    ...{ reporter: `reporter${report % 25}.example`, generation: 1, receivedSeconds: received, attempts: 1 },
    ...{ processedSeconds: received + 2, records: RECORDS_PER_REPORT, skippedRecords: 0, messages: 500 },
    latencySeconds: spread(report, 9) % 20,
  };
}

/** One point of a TLS report about the largest domain: a policy's summary or, every other one, a failure. */
export function tlsAt(place: number): RowInput<"tls"> {
  const report = Math.floor(place / 2);
  const isPolicy = place % 2 === 0;
  const begin = (FIRST_DAY + (Math.floor(report / TLS_REPORTERS) % DAYS)) * 86_400;
  return {
    ...{
      reportUid: `tls${report}`,
      account: "acme",
      domain: LARGEST,
      reporter: `sender${report % TLS_REPORTERS}.example`,
    },
    ...{
      reportId: String(report),
      scope: isPolicy ? "policy" : "failure",
      policyType: "sts",
      mxHosts: "*.big.example",
    },
    ...{ resultType: isPolicy ? "" : "certificate-expired", sendingMtaIp: isPolicy ? "" : `192.0.2.${report % 50}` },
    ...{ receivingMxHostname: isPolicy ? "" : "mx.big.example", receivingIp: "", failureReasonCode: "" },
    ...{ generation: 1, ordinal: place % 2, successfulSessions: isPolicy ? 500 : 0, failedSessions: isPolicy ? 2 : 0 },
    ...{ detailSessions: isPolicy ? 0 : 2, beginSeconds: begin, endSeconds: begin + 86_399 },
    ...{ receivedSeconds: begin + 90_000, live: 1 },
  };
}

/** One failure report about the largest domain. */
export function failureAt(place: number): RowInput<"failures"> {
  const arrival = FIRST_DAY * 86_400 + (spread(place, 1) % (DAYS * 86_400));
  return {
    ...{ reportUid: `failure${place}`, account: "acme", domain: LARGEST, sourceIp: `192.0.2.${place % 200}` },
    ...{ authFailure: "dmarc", deliveryResult: "reject", identityAlignment: "none", dkimDomain: "", dkimSelector: "" },
    ...{
      spfDomain: LARGEST,
      mailFromDomain: LARGEST,
      reportingMta: `mx${place % 9}.example`,
      generation: 1,
      ordinal: 0,
    },
    ...{ incidents: 1, arrivalSeconds: arrival, receivedSeconds: arrival + 60, live: 1 },
  };
}
