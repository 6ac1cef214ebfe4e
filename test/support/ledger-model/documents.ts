/** Support: the reports that the ledger's model knows, as files, and what each of them counts. */
import { zip } from "../archives.ts";
import { type SampleRecord, sampleReport } from "../sample-report.ts";
import { failureMail, gzip, mailOf, stamped } from "../simulation/scenario.ts";
import type { SimulatedMail } from "../simulation/simulation.ts";

/** 2026-11-10, days since 1970-01-01 UTC. */
export const FIRST_DAY = 20_767;
export const ACCOUNTS = ["acme", "other", "third"] as const;
export const DOMAINS = ["acme.example", "beta.example"] as const;
export const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::3", "198.51.100.4"] as const;
const IDENTITIES = 24;
/** One report in so many is the large one. */
const LARGE_SHARE = 40;
/** Records of its versions: more than an invocation writes points for, more than are held in memory, and few. */
const LARGE_RECORDS = [300, 1040, 20] as const;
const SECONDS_PER_DAY = 86_400;

/** One version of a report, or a file that is none. */
export interface Document {
  kind: "aggregate" | "tls" | "failure" | "broken";
  /** What it is about, by name; only a TLS report may be about several. */
  domains: readonly [string, ...string[]];
  /** Days since 1970-01-01 UTC; more than one, if its period is that long. */
  days: number[];
  /** Tells reports apart. */
  number: number;
  /** Tells versions of one report apart. */
  content: number;
}

/** What a document counts on one of its days. */
export interface Counted {
  domain: string;
  kind: Document["kind"];
  day: number;
  total: number;
  passed: number;
  /** Messages by address, of those in ADDRESSES; only of aggregate reports. */
  byAddress: Record<string, number>;
}

/** A document for any two numbers: few identities, so that the same ones come again. */
export function documentOf(number: number, content: number): Document {
  if (number % LARGE_SHARE === LARGE_SHARE - 1) return largeDocument(content);
  const place = number % IDENTITIES;
  const domain = DOMAINS[Math.floor(place / 6) % DOMAINS.length] ?? "";
  const isLong = place % 6 === 3 || place === 22;
  const first = FIRST_DAY + Math.floor(place / 12) * 2;
  const kind = (["aggregate", "aggregate", "aggregate", "aggregate", "tls", "failure"] as const)[place % 6] ?? "broken";
  return {
    kind,
    domains: kind === "tls" && place > 6 ? DOMAINS : [domain],
    days: isLong ? [first, first + 1] : [first],
    number: place,
    content: content % 3,
  };
}

/** The large report, of two days. */
export function largeDocument(content: number): Document {
  const days = [FIRST_DAY + 1, FIRST_DAY + 2];
  return { kind: "aggregate", domains: [DOMAINS[0]], days, number: IDENTITIES, content: content % 3 };
}

/** What identifies the report of a document in an account; a failure report by its content alone. */
export function identityOf({ kind, number, content }: Document): string {
  return kind === "failure" ? `${kind} ${number} ${content}` : `${kind} ${number}`;
}

/** The records of an aggregate report; counts are even, so that two days share them equally. */
function recordsOf({ number, content }: Document): SampleRecord[] {
  const isLarge = number === IDENTITIES;
  const length = isLarge ? (LARGE_RECORDS[content] ?? 0) : 1 + ((number + content) % 3);
  return Array.from({ length }, (_, i) => ({
    sourceIp:
      isLarge && i > 0 ? `2001:db8:1::${i.toString(16)}` : (ADDRESSES[(number + content + i) % ADDRESSES.length] ?? ""),
    count: 2 * (1 + (number % 5) + 100 * (content + 1) + 10 * i),
    pass: (number + i) % 2 === 0,
  }));
}

/** The sessions of a TLS report about one of its domains; even, too. */
function sessionsOf({ number, content, domains }: Document, domain: string): { successful: number; failed: number } {
  return { successful: 100 * (content + 1) + number + 20 * domains.indexOf(domain), failed: 2 * (content + 1) };
}

/** What a document counts, by domain and day. */
export function countedOf(document: Document): Counted[] {
  const { kind, domains, days } = document;
  if (kind === "broken") return [];
  return domains.flatMap((domain) => days.map((day) => ({ domain, kind, day, ...shareOf(document, domain) })));
}

/** What one of its days counts about one of its domains: every day the same. */
function shareOf(document: Document, domain: string): Pick<Counted, "total" | "passed" | "byAddress"> {
  const { kind, days } = document;
  if (kind === "failure") return { total: 1, passed: 0, byAddress: {} };
  if (kind === "tls") {
    const { successful, failed } = sessionsOf(document, domain);
    return { total: (successful + failed) / days.length, passed: successful / days.length, byAddress: {} };
  }
  const share: Pick<Counted, "total" | "passed" | "byAddress"> = { total: 0, passed: 0, byAddress: {} };
  for (const { sourceIp, count, pass } of recordsOf(document)) {
    const part = count / days.length;
    share.total += part;
    if (pass) share.passed += part;
    if (isAsked(sourceIp)) share.byAddress[sourceIp] = (share.byAddress[sourceIp] ?? 0) + part;
  }
  return share;
}

function isAsked(address: string): boolean {
  return ADDRESSES.some((one) => one === address);
}

/** The number of records of a document. */
export function recordCountOf(document: Document): number {
  return document.kind === "aggregate" ? recordsOf(document).length : 0;
}

/** The bytes of a document that is a file. */
function fileOf(document: Document): Buffer {
  const { kind, domains, days, number } = document;
  const [first = 0] = days;
  const begin = first * SECONDS_PER_DAY;
  // The end of a period over 36 hours is exclusive.
  const end = begin + days.length * SECONDS_PER_DAY - (days.length === 1 ? 1 : 0);
  if (kind === "tls") {
    return Buffer.from(
      JSON.stringify({
        "organization-name": "Sender",
        "date-range": { "start-datetime": timeOf(begin), "end-datetime": timeOf(end) },
        "contact-info": "tls@reporter.example",
        "report-id": `t-${number}`,
        policies: domains.map((domain) => {
          const { successful, failed } = sessionsOf(document, domain);
          return {
            policy: { "policy-type": "sts", "policy-domain": domain },
            summary: { "total-successful-session-count": successful, "total-failure-session-count": failed },
          };
        }),
      }),
    );
  }
  const [domain] = domains;
  const text = sampleReport({ reportId: `r-${number}`, domain, period: [begin, end], records: recordsOf(document) });
  return Buffer.from(kind === "broken" ? `${text.slice(0, 300)} ${number}` : text);
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** How documents are packed: each as it is, each compressed, all in one archive, or all in a mail that is one file. */
export type Packing = "plain" | "gzip" | "zip" | "mail";

/** A file of a mail, and the documents in it. */
export interface MailFile {
  name: string;
  documents: Document[];
}

/** A file with its bytes. */
export type FileWithContent = MailFile & { content: Uint8Array };

/** A mail to an address, and its files by name. */
export interface ModelMail {
  mail: SimulatedMail;
  files: MailFile[];
}

/** Writes a mail. @param given.name begins the names of its files, which no other mail has */
export function mailWith(given: {
  name: string;
  rua: string;
  documents: Document[];
  packing: Packing;
  isVerified: boolean;
}): ModelMail {
  const { rua, documents, isVerified } = given;
  const files = filesWith(given);
  const [first] = documents;
  if (first?.kind === "failure") return { mail: { ...failureMail(rua), raw: files[0]?.content ?? Buffer.of() }, files };
  const mail = mailOf(files, rua);
  return { mail: isVerified ? stamped(mail, "reporter.example") : mail, files };
}

/** Writes the files of documents; a failure report is a mail, and alone. */
export function filesWith({
  name,
  documents,
  packing,
}: Pick<Parameters<typeof mailWith>[0], "name" | "documents" | "packing">): FileWithContent[] {
  const [first] = documents;
  if (first?.kind !== "failure") return packed(name, documents, packing);
  const text = Buffer.from(failureMail().raw)
    .toString()
    .replace("Source-IP: 192.0.2.7", `Source-IP: 192.0.2.${30 * first.content + 100 + first.number}`)
    .replace("Reported-Domain: acme.example", `Reported-Domain: ${first.domains[0]}`)
    .replace(
      /Arrival-Date: .*/,
      `Arrival-Date: ${new Date(((first.days[0] ?? 0) * 86_400 + 36_000) * 1000).toUTCString()}`,
    );
  return [{ name: "message.eml", documents: [first], content: Buffer.from(text) }];
}

function packed(name: string, documents: Document[], packing: Packing): FileWithContent[] {
  if (packing === "mail")
    return [{ name: "message.eml", documents, content: mailOf(packed(name, documents, "plain")).raw }];
  if (packing === "zip") {
    const entries = documents.map((document, i) => ({
      name: `${i}.${extensionOf(document)}`,
      content: fileOf(document),
    }));
    return [{ name: `${name}.zip`, documents, content: zip(entries) }];
  }
  return documents.map((document, i) => {
    const extension = extensionOf(document);
    const isGzip = packing === "gzip" && document.kind !== "broken";
    const content = isGzip ? gzip(fileOf(document).toString()) : fileOf(document);
    return { name: `${name}-${i}.${extension}${isGzip ? ".gz" : ""}`, documents: [document], content };
  });
}

function extensionOf({ kind }: Document): string {
  return kind === "tls" ? "json" : "xml";
}
