/**
 * Hashes a report's content as read: the same for records, and results and reasons within one, in any order, and for
 * any white space, encoding and container; different if a record is added, missing or changed. Pure.
 *
 * A fast 64-bit hash of each record goes into two sums, so that a million records are hashed while streaming. The hash
 * is not cryptographic and need not be: it is only compared between reports of the same identity, and a sender who
 * constructs a collision merely has their own second report called a duplicate. The first report stays, and both raw
 * objects are kept.
 */
import { normalizeId, sha256Text } from "./identity.ts";
import { HashSum, ItemHash } from "./report/fast-hash.ts";
import type { AggregateRecord, AggregateReport, FailureReport, Report, TlsReport } from "./report/vocabulary.ts";
import type { ReportHeader } from "./report-header.ts";

/** Hashes the records of one aggregate report as they stream. */
export class RecordsHash {
  readonly #sum = new HashSum();
  readonly #item = new ItemHash();

  add(record: AggregateRecord): void {
    const item = this.#item;
    item.text(record.sourceIp);
    item.number(record.count);
    item.text(wordOf(record.rawDisposition, record.disposition));
    item.text(record.dkim);
    item.text(record.spf);
    item.text(record.headerFrom);
    item.text(record.envelopeFrom);
    item.text(record.envelopeTo);
    item.number(record.reasons.length);
    for (const { type, rawType, comment } of inOneOrder(record.reasons, lettersOfReason)) {
      item.text(wordOf(rawType, type));
      item.text(spaced(comment));
    }
    item.number(record.dkimResults.length);
    for (const { domain, selector, result, rawResult, humanResult } of inOneOrder(record.dkimResults, lettersOfDkim)) {
      item.text(domain);
      item.text(lowerCase(selector));
      item.text(wordOf(rawResult, result));
      item.text(spaced(humanResult));
    }
    item.number(record.spfResults.length);
    for (const { domain, scope, result, rawResult, humanResult } of inOneOrder(record.spfResults, lettersOfSpf)) {
      item.text(domain);
      item.text(scope);
      item.text(wordOf(rawResult, result));
      item.text(spaced(humanResult));
    }
    item.addTo(this.#sum);
  }

  get parts(): number[] {
    return this.#sum.parts;
  }
}

// Of what is hashed, these may be in other letters when all else is the same.
const lettersOfReason = ({ comment }: AggregateRecord["reasons"][number]): string => spaced(comment);
const lettersOfSpf = ({ humanResult }: AggregateRecord["spfResults"][number]): string => spaced(humanResult);
const lettersOfDkim = ({ selector, humanResult }: AggregateRecord["dkimResults"][number]): string =>
  `${lowerCase(selector)}\n${spaced(humanResult)}`;

/**
 * The entries in an order that does not depend on that of the document; nearly every list has one entry.
 *
 * @param lettersOf what is hashed in its own letters, for entries that are otherwise the same
 */
function inOneOrder<T extends object>(entries: readonly T[], lettersOf: (entry: T) => string): readonly T[] {
  if (entries.length < 2) return entries;
  return entries
    .map((entry) => ({
      entry,
      key: Object.values(entry)
        .map((value) => spaced(String(value)).toLowerCase())
        .join("\n"),
    }))
    .sort((a, b) => (a.key < b.key || (a.key === b.key && lettersOf(a.entry) < lettersOf(b.entry)) ? -1 : 1))
    .map(({ entry }) => entry);
}

/** A selector is part of a domain name (RFC 6376 section 3.6.2.1), in any letters. */
function lowerCase(text: string): string {
  return CAPITAL.test(text) ? text.toLowerCase() : text;
}

const CAPITAL = /[A-Z]/;

/** A word of a closed list, in any letters. */
function wordOf(raw: string, read: string): string {
  return raw === read ? raw : raw.toLowerCase();
}

/** A text for people, in which any white space is one space. */
function spaced(text: string): string {
  return OTHER_SPACE.test(text) ? text.replace(/\s+/g, " ") : text;
}

/** White space other than single spaces; hardly any text has it. */
const OTHER_SPACE = /[^\S ]| {2}/;

/**
 * The hash of a report's content.
 *
 * @param records hash of all records of an aggregate report; ignored for other kinds
 * @returns 32 hex digits
 */
export async function contentHashOf(report: Report, header: ReportHeader, records: RecordsHash): Promise<string> {
  const { kind, reporterKey, reportId, domains, beginSeconds, endSeconds } = header;
  const said = [
    kind,
    reporterKey.map(spaced),
    normalizeId(reportId),
    domains,
    beginSeconds,
    endSeconds,
    contentOf(report, records),
  ];
  return (await sha256Text(JSON.stringify(said))).slice(0, 32);
}

/** What is known of a report that came before: the hashes of its versions, and who it says sent it. */
export interface EarlierContent {
  hashes: readonly string[];
  reporter: string;
}

/**
 * The known hash of equivalent content: with its organization in other letters, with or without a policy tag that has its
 * default value, with the options of `fo` in another order, or with another last character of its hosts. Stored hashes stay
 * valid: each equivalent is hashed as a report that is written that way.
 *
 * @returns undefined if no equivalent has a known hash
 */
export async function knownHashOf(
  report: Report,
  header: ReportHeader,
  records: RecordsHash,
  { hashes, reporter }: EarlierContent,
): Promise<string | undefined> {
  const reporterKey = header.reporterKey.map((key) => (key === header.reporter ? reporter : key));
  for (const equivalent of equivalentsOf(report)) {
    for (const key of [header.reporterKey, reporterKey]) {
      const hash = await contentHashOf(equivalent, { ...header, reporterKey: key }, records);
      if (hashes.includes(hash)) return hash;
    }
  }
  return undefined;
}

function equivalentsOf(report: Report): Report[] {
  if (report.kind === "tls") return tlsEquivalents(report);
  return report.kind === "aggregate" ? aggregateEquivalents(report) : [report];
}

/**
 * RFC 7489 section 6.3: fo is 0 by default, and a list in any order. RFC 9990 section 3.1.1.3: how the policy was found may
 * be left out.
 */
function aggregateEquivalents(report: AggregateReport): AggregateReport[] {
  const { fo, discoveryMethod } = report.policy;
  const fos = fo === "" || fo === "0" ? ["", "0"] : ordersOf(fo.split(":")).map((options) => options.join(":"));
  const methods = discoveryMethod === "" ? ["", "psl", "treewalk"] : [discoveryMethod, ""];
  return fos.flatMap((fo) =>
    methods.map((discoveryMethod) => ({ ...report, policy: { ...report.policy, fo, discoveryMethod } })),
  );
}

/** All orders of a few options; of more than there are, only the given one. */
function ordersOf(options: readonly string[]): string[][] {
  if (options.length < 2 || options.length > FO_OPTIONS) return [[...options]];
  return options.flatMap((first, i) => ordersOf(options.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

/** RFC 7489 section 6.3: 0, 1, d and s. */
const FO_OPTIONS = 4;

/** The names of hosts may all end in the dot of the root (RFC 1034 section 3.1), or none of them. */
function tlsEquivalents(report: TlsReport): TlsReport[] {
  const ending = (end: string): TlsReport => {
    const spelt = (name: string): string => (name === "" ? "" : name.replace(/\.?$/, end));
    const policies = report.policies.map((policy) => ({
      ...policy,
      mxHosts: policy.mxHosts.map(spelt),
      failureDetails: policy.failureDetails.map((detail) => ({
        ...detail,
        receivingMxHostname: spelt(detail.receivingMxHostname),
        receivingMxHelo: spelt(detail.receivingMxHelo),
      })),
    }));
    return { ...report, policies };
  };
  return [report, ending(""), ending(".")];
}

function contentOf(report: Report, records: RecordsHash): unknown {
  switch (report.kind) {
    case "aggregate":
      return aggregateContent(report, records);
    case "tls":
      return tlsContent(report);
    case "failure":
      return failureContent(report);
  }
}

function aggregateContent({ policy, totals }: AggregateReport, records: RecordsHash): unknown {
  const { p, sp, np, adkim, aspf, pct, fo, testing, discoveryMethod } = policy;
  return [p, sp, np, adkim, aspf, pct, fo, testing, discoveryMethod, totals.skippedRecords, records.parts];
}

function tlsContent({ policies }: TlsReport): unknown {
  const sum = new HashSum();
  const item = new ItemHash();
  for (const policy of policies) {
    const details = new HashSum();
    for (const detail of policy.failureDetails) {
      item.text(detail.resultType);
      item.text(detail.sendingMtaIp);
      item.text(lowerCase(detail.receivingMxHostname));
      item.text(lowerCase(detail.receivingMxHelo));
      item.text(detail.receivingIp);
      item.number(detail.failedSessionCount);
      item.text(spaced(detail.additionalInformation));
      item.text(detail.failureReasonCode);
      item.addTo(details);
    }
    item.text(policy.policyType);
    item.text(policy.policyDomain);
    item.text(policy.policyStrings.map(spaced).sort().join("\n"));
    item.text(policy.mxHosts.map(lowerCase).sort().join("\n"));
    item.number(policy.successfulSessionCount);
    item.number(policy.failedSessionCount);
    for (const part of details.parts) item.number(part);
    item.addTo(sum);
  }
  return sum.parts;
}

/** Includes what is known of the headers: without it, two messages that failed in the same second would be one. */
function failureContent(report: FailureReport): unknown {
  return [
    report.sourceIp,
    report.authFailure,
    report.arrivalDate,
    report.deliveryResult,
    report.identityAlignment,
    report.dkimDomain,
    report.dkimSelector,
    report.spfDomain,
    report.mailFromDomain,
    report.incidents,
    report.originalHash,
  ];
}
