/**
 * Figures: the counts of a report's records, grouped by everything that pages distinguish, as one JSON object of key →
 * count. SQLite's `json_each` returns key and value without parsing either, so a key is a text that SQL can cut and
 * compare (figure-sql.ts) and code can parse. Pure.
 *
 *   aggregate   <disposition><dkim><spf><authenticated><reasons> dkim/spf | address | From | envelope from | reasons
 *   tls         result type | sending address | receiving host | receiving address | reason code
 *   failure     what failed | address | delivery result | DKIM domain | SPF domain | envelope domain | reporting server
 *
 * The first five parts of an aggregate key have one letter each. Texts contain no separators (they are
 * percent-encoded). The policy domain is written `=`, its subdomains `….=`; an envelope from equal to the domain of the
 * first SPF result is written `^`.
 */
import { FIGURE_LIMITS } from "../limits.ts";
import type {
  AggregateRecord,
  AlignedResult,
  Disposition,
  DkimResult,
  FailureReport,
  SpfResult,
  SpfScope,
  TlsFailureDetail,
} from "../report/vocabulary.ts";

/**
 * A record as pages group and show it. Results and reasons are texts as in Analytics Engine's columns, one per line.
 */
export interface RecordFigure {
  sourceIp: string;
  disposition: Disposition;
  dkim: AlignedResult;
  spf: AlignedResult;
  /** `domain selector result`. */
  dkimResults: string;
  /** `domain scope result`. */
  spfResults: string;
  headerFrom: string;
  envelopeFrom: string;
  /** `type comment`. */
  reasons: string;
}

const DISPOSITIONS: Record<Disposition, string> = { none: "n", quarantine: "q", reject: "r", pass: "p", unknown: "u" };
const ALIGNED: Record<AlignedResult, string> = { pass: "p", fail: "f", unknown: "u" };
const RESULTS: Record<DkimResult | SpfResult, string> = {
  pass: "p",
  fail: "f",
  softfail: "s",
  neutral: "n",
  none: "o",
  temperror: "t",
  permerror: "e",
  policy: "y",
  unknown: "u",
};
const SCOPES: Record<SpfScope, string> = { helo: "h", mfrom: "m", unknown: "u" };

/** The key of a record in a report about `policyDomain`. */
export function recordKey(record: AggregateRecord, policyDomain: string): string {
  const { maxResults, maxReasons, maxSelectorChars, maxCommentChars } = FIGURE_LIMITS;
  const dkim = firstOf(record.dkimResults, maxResults).map(
    ({ domain, selector, result }) =>
      `${domainToken(domain, policyDomain)},${token(selector, maxSelectorChars)},${RESULTS[result]}`,
  );
  const spf = firstOf(record.spfResults, maxResults).map(
    ({ domain, scope, result }) => `${domainToken(domain, policyDomain)},${SCOPES[scope]},${RESULTS[result]}`,
  );
  const reasons = record.reasons
    .slice(0, maxReasons)
    .map(({ type, comment }) => (comment === "" ? type : `${type},${token(comment, maxCommentChars)}`));
  const isAuthenticated = [...record.dkimResults, ...record.spfResults].some(
    ({ result, domain }) => result === "pass" && domain !== "",
  );
  return [
    resultLetters(record) +
      (isAuthenticated ? "1" : "0") +
      (reasons.length > 0 ? "1" : "0") +
      `${dkim.join(";")}/${spf.join(";")}`,
    addressToken(record.sourceIp),
    domainToken(record.headerFrom, policyDomain),
    isSpfDomain(record) ? "^" : domainToken(record.envelopeFrom, policyDomain),
    reasons.join(";"),
  ].join("|");
}

/** The first letters of a record's key, which decide which sums its count goes into. */
export function resultLetters({
  disposition,
  dkim,
  spf,
}: Pick<AggregateRecord, "disposition" | "dkim" | "spf">): string {
  return DISPOSITIONS[disposition] + ALIGNED[dkim] + ALIGNED[spf];
}

/** The same, taken from a key. */
export function lettersOfKey(key: string): string {
  return key.slice(0, RESULT_LETTERS);
}

/** Disposition, DKIM, SPF. */
const RESULT_LETTERS = 3;

/** The inverse of `resultLetters`. */
export function readResultLetters(letters: string): Pick<AggregateRecord, "disposition" | "dkim" | "spf"> {
  return {
    disposition: readDisposition(letters.slice(0, 1)),
    dkim: wordOf(ALIGNED, letters[1]),
    spf: wordOf(ALIGNED, letters[2]),
  };
}

/** Decodes the address in a key. */
export function readAddressToken(text: string): string {
  return readToken(text);
}

/** The word for a key's first letter. */
export function readDisposition(letter: string): Disposition {
  return wordOf(DISPOSITIONS, letter);
}

/** Parses a key made by `recordKey`. Anything else gives empty texts and `unknown`. */
export function readRecordKey(key: string, policyDomain: string): RecordFigure {
  const [head = "", address = "", from = "", envelope = "", reasons = ""] = key.split("|");
  const auth = readAuthText(head.slice(FIGURE_LETTERS), policyDomain);
  return {
    sourceIp: readAddressToken(address),
    disposition: readDisposition(head.slice(0, 1)),
    dkim: wordOf(ALIGNED, head[1]),
    spf: wordOf(ALIGNED, head[2]),
    ...auth,
    headerFrom: readDomainToken(from, policyDomain),
    envelopeFrom: envelope === "^" ? firstSpfDomain(head, policyDomain) : readDomainToken(envelope, policyDomain),
    reasons: readReasons(reasons),
  };
}

// SPF checks the envelope from: the two are equal in nearly every record.
function isSpfDomain({ envelopeFrom, spfResults }: AggregateRecord): boolean {
  const [first] = firstOf(spfResults, FIGURE_LIMITS.maxResults);
  return envelopeFrom !== "" && first?.domain === envelopeFrom;
}

function firstSpfDomain(head: string, policyDomain: string): string {
  const [, spf = ""] = head.slice(FIGURE_LETTERS).split("/");
  const [domain = ""] = spf.split(/[,;]/, 1);
  return readDomainToken(domain, policyDomain);
}

/** The number of letters before the results of an aggregate key. */
export const FIGURE_LETTERS = 5;

/** Authentication results as texts, one per line, from the `dkim/spf` part of a key. */
export function readAuthText(text: string, policyDomain: string): { dkimResults: string; spfResults: string } {
  const [dkim = "", spf = ""] = text.split("/");
  const lines = (list: string, words: (fields: string[]) => string): string =>
    list === ""
      ? ""
      : list
          .split(";")
          .map((entry) => words(entry.split(",")))
          .join("\n");
  return {
    dkimResults: lines(dkim, ([domain = "", selector = "", result]) =>
      [readDomainToken(domain, policyDomain), readToken(selector) || "-", wordOf(RESULTS, result)].join(" "),
    ),
    spfResults: lines(spf, ([domain = "", scope, result]) =>
      [readDomainToken(domain, policyDomain) || "-", wordOf(SCOPES, scope), wordOf(RESULTS, result)].join(" "),
    ),
  };
}

/** Results and reasons of a record as texts, one per line, as parsed from its key, uncut. */
export function textsOfRecord(
  record: Pick<AggregateRecord, "dkimResults" | "spfResults" | "reasons">,
): Pick<RecordFigure, "dkimResults" | "spfResults" | "reasons"> {
  const { dkimResults, spfResults, reasons } = record;
  return {
    dkimResults: dkimResults
      .map(({ domain, selector, result }) => `${domain || "-"} ${selector || "-"} ${result}`)
      .join("\n"),
    spfResults: spfResults.map(({ domain, scope, result }) => `${domain || "-"} ${scope} ${result}`).join("\n"),
    reasons: reasons.map(({ type, comment }) => (comment === "" ? type : `${type} ${comment}`)).join("\n"),
  };
}

/** Override reasons as `type comment`, one per line. */
export function readReasons(text: string): string {
  return text
    .split(";")
    .map((reason) => {
      const [type = "", comment = ""] = reason.split(",");
      return comment === "" ? type : `${type} ${readToken(comment)}`;
    })
    .join("\n");
}

/** The texts by which a key about `policyDomain` that names `domain`, or a domain below it, can be found. */
export function domainNeedles(domain: string, policyDomain: string): string[] {
  const isAbove = policyDomain === domain || policyDomain.endsWith(`.${domain}`);
  return isAbove ? [domainToken(domain, policyDomain), "="] : [domainToken(domain, policyDomain)];
}

/** The text to search keys for an address; between two separators it is the address itself. */
export function addressNeedle(address: string): string {
  return `|${addressToken(address)}|`;
}

/** An address as encoded in keys. */
export function addressToken(address: string): string {
  return token(address, FIGURE_LIMITS.maxTextChars);
}

/** Failed sessions between two machines for one reason. */
export type TlsFigure = Pick<
  TlsFailureDetail,
  "resultType" | "sendingMtaIp" | "receivingMxHostname" | "receivingIp" | "failureReasonCode"
>;

/** The key of a failure detail. */
export function tlsKey(detail: TlsFigure): string {
  return keyOf([
    detail.resultType,
    detail.sendingMtaIp,
    detail.receivingMxHostname,
    detail.receivingIp,
    detail.failureReasonCode,
  ]);
}

/** Parses a key made by `tlsKey`. */
export function readTlsKey(key: string): TlsFigure {
  const [resultType = "", sendingMtaIp = "", receivingMxHostname = "", receivingIp = "", failureReasonCode = ""] =
    textsOf(key);
  return { resultType, sendingMtaIp, receivingMxHostname, receivingIp, failureReasonCode };
}

/** Failure reports with the same content. */
export type FailureFigure = Pick<
  FailureReport,
  "authFailure" | "sourceIp" | "deliveryResult" | "dkimDomain" | "spfDomain" | "mailFromDomain" | "reportingMta"
>;

/** The key of a failure report. */
export function failureKey(report: FailureFigure): string {
  return keyOf([
    report.authFailure,
    report.sourceIp,
    report.deliveryResult,
    report.dkimDomain,
    report.spfDomain,
    report.mailFromDomain,
    report.reportingMta,
  ]);
}

/** Parses a key made by `failureKey`. */
export function readFailureKey(key: string): FailureFigure {
  const texts = textsOf(key);
  const [authFailure = "", sourceIp = "", deliveryResult = "", dkimDomain = "", spfDomain = ""] = texts;
  const [mailFromDomain = "", reportingMta = ""] = texts.slice(5);
  return { authFailure, sourceIp, deliveryResult, dkimDomain, spfDomain, mailFromDomain, reportingMta };
}

/** Sums counts by key and returns them as JSON objects of bounded size. */
export class FigureChunks {
  #counts = new Map<string, number>();
  #chars = 0;

  /** Adds to a key. @returns false when `take` should be called before adding more */
  add(key: string, count: number): boolean {
    const before = this.#counts.get(key);
    if (before === undefined) this.#chars += key.length + ENTRY_CHARS;
    this.#counts.set(key, (before ?? 0) + count);
    return this.#chars < FIGURE_LIMITS.maxChunkChars;
  }

  get chars(): number {
    return this.#chars;
  }

  /** Everything added since the last call, as one JSON object. */
  take(): string {
    const text = JSON.stringify(Object.fromEntries(this.#counts));
    this.#counts = new Map();
    this.#chars = 0;
    return text;
  }
}

/** Ours: characters that JSON adds to a key: quotation marks, colon, comma, digits, and occasional escapes. */
const ENTRY_CHARS = 16;

/** If there are too many results, passing ones come first: they identify the sender. */
function firstOf<T extends { result: string }>(results: readonly T[], max: number): readonly T[] {
  if (results.length <= max) return results;
  const passing = results.filter(({ result }) => result === "pass");
  const others = results.filter(({ result }) => result !== "pass");
  return [...passing, ...others].slice(0, max);
}

function keyOf(texts: readonly string[]): string {
  return texts.map((text) => token(text, FIGURE_LIMITS.maxTextChars)).join("|");
}

function textsOf(key: string): string[] {
  return key.split("|").map(readToken);
}

function domainToken(domain: string, policyDomain: string): string {
  if (policyDomain === "" || !domain.endsWith(policyDomain)) return token(domain, FIGURE_LIMITS.maxTextChars);
  if (domain.length === policyDomain.length) return "=";
  const above = domain.slice(0, -policyDomain.length);
  return above.endsWith(".")
    ? `${token(above, FIGURE_LIMITS.maxTextChars)}=`
    : token(domain, FIGURE_LIMITS.maxTextChars);
}

function readDomainToken(text: string, policyDomain: string): string {
  return text.endsWith("=") ? readToken(text.slice(0, -1)) + policyDomain : readToken(text);
}

// Encodes separators, "=", "%", and whatever JSON would escape, so that a key has the same length in JSON.
const SPECIAL = /[%|;,/=^"\\\u0000-\u0020\u007f-\u009f\u2028\u2029]/g;
const HAS_SPECIAL = /[%|;,/=^"\\\u0000-\u0020\u007f-\u009f\u2028\u2029]/;

function token(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? text.slice(0, maxChars).toWellFormed() : text;
  return HAS_SPECIAL.test(cut) ? cut.replace(SPECIAL, (char) => encodeURIComponent(char)) : cut.toWellFormed();
}

function readToken(text: string): string {
  return text.includes("%") ? decodeURIComponent(text) : text;
}

function wordOf<Word extends string>(letters: Record<Word, string>, letter: string | undefined): Word | "unknown" {
  for (const word in letters) if (letters[word] === letter) return word;
  return "unknown";
}
