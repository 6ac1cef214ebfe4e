/**
 * Input for the benchmarks: aggregate reports as reporters write them, made from a seed. The same arguments give the same
 * bytes on every machine. A report comes in pieces, so one of a million records is never held whole.
 */
import { createGzip, gzipSync } from "node:zlib";
import { mulberry32 } from "../../local/random.ts";

/** How a reporter's software writes: its white space, its root, and what it tells of each message. */
export interface Style {
  orgName: string;
  email: string;
  root: string;
  /** Before each element, by depth; "" writes everything in one line. */
  indent: string;
  /** Writes no more than RFC 7489 demands, or envelope addresses, override reasons and a second signature as well. */
  detail: "terse" | "usual" | "talkative";
}

/** Three ways to write that most reports on the Internet follow. */
export const STYLES: readonly Style[] = [
  {
    orgName: "search.example",
    email: "noreply-dmarc@search.example",
    root: "<feedback>",
    indent: "  ",
    detail: "terse",
  },
  {
    orgName: "Office Mail",
    email: "dmarcreport@office.example",
    root: '<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    indent: "  ",
    detail: "talkative",
  },
  { orgName: "Portal Inc.", email: "postmaster@portal.example", root: "<feedback>", indent: "", detail: "usual" },
];

export interface ReportPlan {
  records: number;
  seed: number;
  style: Style;
}

/** Records joined into one piece of text. */
const RECORDS_PER_PIECE = 100;

/** The text of a report, in pieces. */
export function* reportText(plan: ReportPlan): Generator<string> {
  const random = seeded(plan.seed);
  const { indent, root, orgName, email } = plan.style;
  const write = writer(indent);
  const begin = 1_700_000_000 + (plan.seed % 365) * 86_400;
  yield `<?xml version="1.0" encoding="UTF-8" ?>\n${root}${write(1, "version", "1.0")}${write(1, "report_metadata", [
    write(2, "org_name", orgName),
    write(2, "email", email),
    write(2, "report_id", `${begin}.${plan.seed}.${plan.records}`),
    write(2, "date_range", [write(3, "begin", String(begin)), write(3, "end", String(begin + 86_399))]),
  ])}${write(1, "policy_published", [
    write(2, "domain", "acme.example"),
    write(2, "adkim", "r"),
    write(2, "aspf", "r"),
    write(2, "p", "reject"),
    write(2, "sp", "quarantine"),
    write(2, "pct", "100"),
  ])}`;
  for (let written = 0; written < plan.records; written += RECORDS_PER_PIECE) {
    let piece = "";
    const last = Math.min(plan.records, written + RECORDS_PER_PIECE);
    for (let i = written; i < last; i++) piece += record(random, write, plan.style.detail);
    yield piece;
  }
  yield `${indent === "" ? "" : "\n"}</feedback>\n`;
}

type Random = () => number;
type Write = (depth: number, name: string, content: string | string[]) => string;

function writer(indent: string): Write {
  const breaks = Array.from({ length: 8 }, (_, depth) => (indent === "" ? "" : `\n${indent.repeat(depth)}`));
  return (depth, name, content) => {
    const start = `${breaks[depth]}<${name}>`;
    return typeof content === "string"
      ? `${start}${content}</${name}>`
      : `${start}${content.join("")}${breaks[depth]}</${name}>`;
  };
}

function record(random: Random, write: Write, detail: Style["detail"]): string {
  const dkim = random() < 0.9 ? "pass" : "fail";
  const spf = random() < 0.8 ? "pass" : "fail";
  const isForwarded = detail === "talkative" && dkim === "fail" && random() < 0.5;
  const sender = pick(random, SENDERS);
  const evaluated = [
    write(4, "disposition", dkim === "pass" || spf === "pass" ? "none" : "reject"),
    write(4, "dkim", dkim),
    write(4, "spf", spf),
  ];
  if (isForwarded) {
    evaluated.push(write(4, "reason", [write(5, "type", "forwarded"), write(5, "comment", "looks forwarded")]));
  }
  const identifiers = [write(3, "header_from", pick(random, FROM_DOMAINS))];
  if (detail !== "terse") identifiers.unshift(write(3, "envelope_from", sender));
  if (detail === "talkative") identifiers.unshift(write(3, "envelope_to", pick(random, RECEIVERS)));
  return write(1, "record", [
    write(2, "row", [
      write(3, "source_ip", sourceIp(random)),
      write(3, "count", String(1 + Math.floor(random() ** 4 * 5000))),
      write(3, "policy_evaluated", evaluated),
    ]),
    write(2, "identifiers", identifiers),
    write(2, "auth_results", authResults({ random, write, dkim, spf, sender, detail })),
  ]);
}

interface AuthPlan {
  random: Random;
  write: Write;
  dkim: string;
  spf: string;
  sender: string;
  detail: Style["detail"];
}

function authResults({ random, write, dkim, spf, sender, detail }: AuthPlan): string[] {
  const signature = (domain: string, selector: string, result: string): string =>
    write(3, "dkim", [write(4, "domain", domain), write(4, "selector", selector), write(4, "result", result)]);
  const results = [signature("acme.example", pick(random, SELECTORS), dkim)];
  if (detail !== "terse" && random() < 0.3) results.push(signature(sender, `sel${Math.floor(random() * 500)}`, "pass"));
  const word = spf === "pass" ? "pass" : "softfail";
  const scope = detail === "terse" ? [] : [write(4, "scope", "mfrom")];
  results.push(write(3, "spf", [write(4, "domain", sender), ...scope, write(4, "result", word)]));
  return results;
}

const FROM_DOMAINS = ["acme.example", "mail.acme.example", "news.acme.example", "acme.example"];
const SELECTORS = ["s1", "s2", "google", "k1", "selector1", "20230601"];
const RECEIVERS = Array.from({ length: 40 }, (_, i) => `customer${i}.example`);
const SENDERS = Array.from({ length: 300 }, (_, i) => `bounce${i}.sender${i % 37}.example`);

function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

// One in ten is IPv6; networks repeat, hosts do not.
function sourceIp(random: Random): string {
  const number = (below: number): number => Math.floor(random() * below);
  if (random() < 0.9) return `${[192, 198, 203, 100][number(4)]}.${number(256)}.${number(256)}.${number(256)}`;
  const group = (): string => (1 + number(0xffff)).toString(16);
  return random() < 0.5
    ? `2001:db8::${group()}`
    : `2001:db8:${group()}:${group()}:${group()}:${group()}:${group()}:${group()}`;
}

/** Numbers from 0 to 1, exclusive: the same sequence for the same seed. */
export function seeded(seed: number): Random {
  return mulberry32(seed >>> 0);
}

/** A report whole, as bytes. */
export function reportBytes(plan: ReportPlan): Uint8Array {
  return new TextEncoder().encode([...reportText(plan)].join(""));
}

/** A report as reporters send it most, and the bytes it has unpacked. Packed while it is made. */
export async function gzipReport(plan: ReportPlan): Promise<{ bytes: Uint8Array; xmlBytes: number }> {
  const gzip = createGzip();
  const packed: Uint8Array[] = [];
  gzip.on("data", (chunk: Uint8Array) => packed.push(chunk));
  let xmlBytes = 0;
  for (const text of reportText(plan)) {
    xmlBytes += Buffer.byteLength(text);
    if (!gzip.write(text)) await new Promise((resolve) => gzip.once("drain", resolve));
  }
  await new Promise<void>((resolve) => {
    gzip.once("end", resolve);
    gzip.end();
  });
  return { bytes: new Uint8Array(Buffer.concat(packed)), xmlBytes };
}

/** A mail with one attachment, as reporters send it. */
export function mailOf(fileName: string, content: Uint8Array): Uint8Array {
  const base64 = Buffer.from(content).toString("base64").replace(/.{76}/g, "$&\r\n");
  return new TextEncoder().encode(
    [
      "Received: from mx.reporter.example (mx.reporter.example [192.0.2.25]) by mx.acme.example; Wed, 15 Nov 2023 06:00:00 +0000",
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=reporter.example; s=s1; h=from:to:subject; bh=AAAA; b=BBBB",
      "From: DMARC reports <noreply-dmarc@reporter.example>",
      "To: rua@acme.example",
      "Subject: Report domain: acme.example Submitter: reporter.example Report-ID: 1700000000.1",
      "Date: Wed, 15 Nov 2023 06:00:00 +0000",
      "Message-ID: <1700000000.1@reporter.example>",
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed; boundary="=_report"',
      "",
      "--=_report",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "This is a DMARC aggregate report for acme.example.",
      "--=_report",
      `Content-Type: application/gzip; name="${fileName}"`,
      `Content-Disposition: attachment; filename="${fileName}"`,
      "Content-Transfer-Encoding: base64",
      "",
      base64,
      "--=_report--",
      "",
    ].join("\r\n"),
  );
}

/** A file and how many records its report has. */
export interface SmallReport {
  bytes: Uint8Array;
  records: number;
  xmlBytes: number;
}

/** Small reports of all styles, gzip: most have one record, some up to ten. */
export function smallReports(count: number): SmallReport[] {
  return Array.from({ length: count }, (_, i) => {
    const style = STYLES[i % STYLES.length];
    if (style === undefined) throw new Error("no styles");
    const records = 1 + Math.floor(seeded(i)() ** 2 * 10);
    const xml = reportBytes({ records, seed: i, style });
    return { bytes: new Uint8Array(gzipSync(xml)), records, xmlBytes: xml.byteLength };
  });
}
