/**
 * The mails of a soak run and what each must come to: made from a seed, so that a run can be repeated. What is expected
 * follows from how a mail was made, never from reading it with the code under test. It sends nothing.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { zipOf } from "../../local/zip.ts";
import { reportBytes, STYLES, seeded } from "../../test/support/seeded-reports.ts";

/** What one mail adds to the books. */
export interface Expected {
  /** Raw objects in R2. */
  raw: number;
  reports: number;
  records: number;
  messages: number;
  passed: number;
  duplicates: number;
  conflicts: number;
  deadLetters: number;
}

export interface SoakMail {
  kind: MailKind;
  to: string;
  raw: Buffer;
  /** Refused for good (550): nobody registered the address. */
  isRejected: boolean;
  expected: Expected;
}

/** Registered addresses and their accounts; the first two are one account's. */
export const ADDRESSES = [
  { rua: "rua@acme.example", account: "acme" },
  { rua: "second@acme.example", account: "acme" },
  { rua: "rua@provider.example", account: "provider" },
] as const;

const NOBODY = "nobody@elsewhere.example";

/** Share of each kind. Those that repeat an earlier report fall back to `report` while there is none. */
const SHARES = {
  report: 0.69,
  /** The same mail once more. */
  again: 0.06,
  /** The same document packed differently. */
  otherContainer: 0.05,
  /** The same file to another address of the account. */
  otherAddress: 0.03,
  /** The same file to another account, which counts it too. */
  otherAccount: 0.03,
  /** The same identity with other content. */
  conflict: 0.03,
  twoFiles: 0.03,
  notReport: 0.02,
  truncated: 0.02,
  hostile: 0.02,
  unknownRua: 0.02,
} as const;

export type MailKind = keyof typeof SHARES;

type Container = "gzip" | "zip" | "xml";

/** A report as sent first; repeats are made from it. */
interface Original {
  index: number;
  xml: string;
  container: Container;
  raw: Buffer;
}

/** What a mail that brings nothing leaves. */
export const NOTHING: Expected = {
  raw: 0,
  reports: 0,
  records: 0,
  messages: 0,
  passed: 0,
  duplicates: 0,
  conflicts: 0,
  deadLetters: 0,
};
const CONTAINERS: readonly Container[] = ["gzip", "zip", "xml"];
/** Originals kept to be repeated; each is repeated once. */
const MAX_ORIGINALS = 200;
/**
 * So many mails lie between a mail and its repeat. R2 refuses a file that is being stored at that moment (10058); ingest then stores it
 * under the address's own name, and it is one raw object and one duplicate more.
 */
const REPEATED_AFTER = 200;

/** Makes the mails one by one. @param count how many; @param seed the same seed gives the same mails */
export function* soakMails({ count, seed }: { count: number; seed: number }): Generator<SoakMail> {
  const random = seeded(seed);
  const originals: Original[] = [];
  for (let index = 0; index < count; index++) {
    const kind = isLarge(index) ? "report" : pickKind(random());
    const sentBefore = originals.filter((one) => one.index < index - REPEATED_AFTER).length;
    const original =
      REPEATS.includes(kind) && sentBefore > 0 ? originals.splice(Math.floor(random() * sentBefore), 1)[0] : undefined;
    if (original !== undefined) yield repeat(kind, original, index);
    else if (kind === "report" || REPEATS.includes(kind)) {
      const made = makeOriginal({ index, seed, random });
      if (originals.length < MAX_ORIGINALS && !isLarge(index)) originals.push(made);
      yield mailOf("report", { raw: made.raw, expected: { ...totalsOf(made.xml), raw: 1, reports: 1 } });
    } else yield makeOther(kind, { index, seed, random });
  }
}

const REPEATS: readonly MailKind[] = ["again", "otherContainer", "otherAddress", "otherAccount", "conflict"];

function pickKind(random: number): MailKind {
  let rest = random;
  for (const kind of Object.keys(SHARES) as MailKind[]) {
    rest -= SHARES[kind];
    if (rest < 0) return kind;
  }
  return "report";
}

// One in a hundred has more records than one invocation may write; one in a thousand more than process holds.
function isLarge(index: number): boolean {
  return index % 100 === 7;
}

function recordsOf(index: number, random: () => number): number {
  if (index % 1000 === 107) return 5000;
  return isLarge(index) ? 300 : 1 + Math.floor(random() ** 2 * 10);
}

interface MailInput {
  index: number;
  seed: number;
  random: () => number;
}

function makeXml({ index, seed, random }: MailInput): string {
  const style = STYLES[index % STYLES.length] ?? STYLES[0];
  if (style === undefined) throw new Error("there are no styles");
  const bytes = reportBytes({ records: recordsOf(index, random), seed: seed * 1_000_003 + index, style });
  const domain = `domain${index % 7}.example`;
  return Buffer.from(bytes).toString("utf8").replaceAll("acme.example", domain);
}

function makeOriginal(input: MailInput): Original {
  const { index, random } = input;
  const xml = makeXml(input);
  const container = CONTAINERS[Math.floor(random() * CONTAINERS.length)] ?? "gzip";
  return { index, xml, container, raw: buildMail(`${index}`, [pack(container, `report-${index}`, xml)]) };
}

function repeat(kind: MailKind, { xml, container, raw }: Original, index: number): SoakMail {
  switch (kind) {
    case "otherContainer": {
      const other = CONTAINERS[(CONTAINERS.indexOf(container) + 1) % CONTAINERS.length] ?? "gzip";
      const mail = buildMail(`${index}`, [pack(other, `copy-${index}`, xml)]);
      return mailOf(kind, { raw: mail, expected: { raw: 1, duplicates: 1 } });
    }
    case "otherAddress":
      return mailOf(kind, { raw, to: ADDRESSES[1].rua, expected: { raw: 1, duplicates: 1 } });
    case "otherAccount":
      return mailOf(kind, { raw, to: ADDRESSES[2].rua, expected: { ...totalsOf(xml), raw: 1, reports: 1 } });
    case "conflict": {
      // The same totals, so that it does not matter which of the two is processed first.
      const changed = xml.replace("<pct>100</pct>", "<pct>50</pct>");
      const mail = buildMail(`${index}`, [pack(container, `corrected-${index}`, changed)]);
      return mailOf(kind, { raw: mail, expected: { raw: 1, conflicts: 1 } });
    }
    default:
      return mailOf("again", { raw, expected: {} });
  }
}

function makeOther(kind: MailKind, input: MailInput): SoakMail {
  const { index, random } = input;
  switch (kind) {
    case "twoFiles": {
      const xml = makeXml(input);
      const files = [pack("zip", `good-${index}`, xml), cut(pack("gzip", `broken-${index}`, `${xml}<!-- -->`))];
      const expected = { ...totalsOf(xml), raw: 2, reports: 1, deadLetters: 1 };
      return mailOf(kind, { raw: buildMail(`${index}`, files), expected });
    }
    case "truncated": {
      const container = random() < 0.5 ? "gzip" : "zip";
      const raw = buildMail(`${index}`, [cut(pack(container, `cut-${index}`, makeXml(input)))]);
      return mailOf(kind, { raw, expected: { raw: 1, deadLetters: 1 } });
    }
    case "hostile":
      return mailOf(kind, { raw: buildMail(`${index}`, [hostileFile(input)]), expected: { raw: 1, deadLetters: 1 } });
    case "unknownRua": {
      const raw = buildMail(`${index}`, [pack("gzip", `unknown-${index}`, makeXml(input))]);
      return { ...mailOf(kind, { raw, to: NOBODY, expected: {} }), isRejected: true };
    }
    default:
      return mailOf("notReport", { raw: buildMail(`${index}`, []), expected: { raw: 1, deadLetters: 1 } });
  }
}

/** Shapes that attack a reader; each must end as exactly one dead letter. */
function hostileFile({ index, seed, random }: MailInput): Attachment {
  const xml = makeXml({ index, seed, random });
  const shapes: (() => Attachment)[] = [
    () => pack("xml", `entities-${index}`, xml.replace("?>", '?><!DOCTYPE feedback [<!ENTITY a "&a;&a;">]>')),
    () => pack("gzip", `deep-${index}`, xml.replace("</feedback>", "<a>".repeat(5000))),
    () => pack("zip", `endless-${index}`, xml.slice(0, xml.lastIndexOf("</record>"))),
    () => {
      const noise = createHash("sha512").update(`${seed} ${index}`).digest();
      return { name: `noise-${index}.xml.gz`, content: Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), noise]) };
    },
    () =>
      pack("gzip", `wide-${index}`, xml.replace("</report_metadata>", `${"<b/>".repeat(50_000)}</report_metadata>`)),
  ];
  const shape = shapes[Math.floor(random() * shapes.length)];
  if (shape === undefined) throw new Error("there are no shapes");
  return shape();
}

function mailOf(
  kind: MailKind,
  { raw, to = ADDRESSES[0].rua, expected }: { raw: Buffer; to?: string; expected: Partial<Expected> },
): SoakMail {
  return { kind, to, raw, isRejected: false, expected: { ...NOTHING, ...expected } };
}

/** A mail with reports that nobody has sent before. */
export function plainMail(to: string, reports: readonly string[]): SoakMail {
  const totals = reports.map(totalsOf);
  const sum = (name: "records" | "messages" | "passed"): number => totals.reduce((all, one) => all + one[name], 0);
  const files = reports.map((xml, i) => pack("gzip", `report-${i}`, xml));
  const { length } = reports;
  const counts = { records: sum("records"), messages: sum("messages"), passed: sum("passed") };
  const subject = createHash("sha256").update(reports.join("")).digest("hex").slice(0, 16);
  return mailOf("report", {
    raw: buildMail(subject, files),
    to,
    expected: { ...counts, raw: length, reports: length },
  });
}

// Counted in the text itself, so that a mistake of the parser shows.
function totalsOf(xml: string): Pick<Expected, "records" | "messages" | "passed"> {
  const rows = xml.match(/<row>[\s\S]*?<\/row>/g) ?? [];
  const counts = rows.map((row) => Number(/<count>(\d+)<\/count>/.exec(row)?.[1]));
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  const passing = counts.filter((_, place) => /<(dkim|spf)>pass<\/\1>/.test(rows[place] ?? ""));
  return { records: rows.length, messages: sum(counts), passed: sum(passing) };
}

interface Attachment {
  name: string;
  content: Uint8Array;
}

function pack(container: Container, name: string, xml: string): Attachment {
  const document = Buffer.from(xml);
  if (container === "gzip") return { name: `${name}.xml.gz`, content: gzipSync(document) };
  if (container === "zip") return { name: `${name}.zip`, content: zipOf(`${name}.xml`, document) };
  return { name: `${name}.xml`, content: document };
}

function cut({ name, content }: Attachment): Attachment {
  return { name, content: content.subarray(0, Math.floor(content.byteLength * 0.6)) };
}

function buildMail(id: string, attachments: Attachment[]): Buffer {
  const parts = attachments.flatMap(({ name, content }) => [
    "--=_soak",
    `Content-Type: application/octet-stream; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    "Content-Transfer-Encoding: base64",
    "",
    Buffer.from(content).toString("base64").replace(/.{76}/g, "$&\r\n"),
  ]);
  const lines = [
    "From: DMARC reports <noreply@reporter.example>",
    "To: rua@acme.example",
    `Subject: Report domain: acme.example Report-ID: <soak-${id}>`,
    "Date: Wed, 15 Nov 2023 06:00:00 +0000",
    `Message-ID: <soak-${id}@reporter.example>`,
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="=_soak"',
    ...["", "--=_soak", "Content-Type: text/plain", "", `This is mail ${id} of a soak run.`],
    ...[...parts, "--=_soak--", ""],
  ];
  return Buffer.from(lines.join("\r\n"));
}
