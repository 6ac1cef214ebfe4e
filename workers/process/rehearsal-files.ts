/** Small report files for the rehearsal, as reporters send them. Pure. */
import { crc32 } from "../../shared/report/inflate-natively.ts";

/** What a report is about besides its number. */
export interface RehearsalReport {
  /** Seconds since 1970 UTC. */
  beginSeconds: number;
  /** Reports of different numbers are written in different ways. */
  number: number;
}

/** A report in gzip, or every fourth in a zip archive, with its file name. */
export function rehearsalFile(report: RehearsalReport): { name: string; content: Uint8Array<ArrayBuffer> } {
  const xml = new TextEncoder().encode(reportText(report));
  const name = `${report.number}.xml`;
  return report.number % 4 === 3
    ? { name: `${report.number}.zip`, content: zip(name, xml) }
    : { name: `${name}.gz`, content: gzip(xml) };
}

/**
 * As reporters write them: now in one line, now with line breaks and an indentation that no other number has, so that its records
 * are of no known shape; now briefly, now with all that RFC 7489 knows.
 */
function reportText({ beginSeconds, number }: RehearsalReport): string {
  const isDetailed = number % 3 === 0;
  const root = isDetailed ? '<feedback xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">' : "<feedback>";
  const text = `<?xml version="1.0" encoding="UTF-8"?>
${root}
  <version>1.0</version>
  <report_metadata><org_name>Rehearsal</org_name><email>dmarc@example.invalid</email><extra_contact_info>-</extra_contact_info>
    <report_id>rehearsal-${number}</report_id>
    <date_range><begin>${beginSeconds}</begin><end>${beginSeconds + 86_399}</end></date_range></report_metadata>
  <policy_published><domain>example.com</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>
  ${["192.0.2.1", "198.51.100.7", "2001:db8::1", "203.0.113.9"].map((address, i) => recordText(address, { i, isDetailed })).join("\n  ")}
</feedback>
`;
  return text.replaceAll(/\n */g, number % 2 === 0 ? `\n${" ".repeat(number)}` : "");
}

function recordText(address: string, { i, isDetailed }: { i: number; isDetailed: boolean }): string {
  const result = i % 2 === 0 ? "pass" : "fail";
  const signature = (domain: string): string =>
    `<dkim><domain>${domain}</domain><selector>s1</selector><result>${result}</result></dkim>`;
  const more = isDetailed
    ? {
        reason: "<reason><type>forwarded</type><comment>looks forwarded</comment></reason>",
        receiver: "<envelope_to>example.org</envelope_to>",
        signature: signature("bounce.example.com"),
      }
    : { reason: "", receiver: "", signature: "" };
  return `<record>
    <row><source_ip>${address}</source_ip><count>${i + 1}</count>
      <policy_evaluated><disposition>none</disposition><dkim>${result}</dkim><spf>${result}</spf>${more.reason}</policy_evaluated></row>
    <identifiers>${more.receiver}<envelope_from>bounce.example.com</envelope_from><header_from>example.com</header_from></identifiers>
    <auth_results>${signature("example.com")}${more.signature}
      <spf><domain>bounce.example.com</domain><scope>mfrom</scope><result>${result}</result></spf></auth_results>
  </record>`;
}

/** RFC 1952. */
function gzip(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
  return joined([header, storedBlock(content), uint32(crc32(content)), uint32(content.byteLength)]);
}

/** An archive of one file (PKWARE APPNOTE 4.3). */
function zip(name: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const nameBytes = [...new TextEncoder().encode(name)];
  const data = storedBlock(content);
  // Version 2.0, no flags, deflate, no time of day, 1 January 1980.
  const start = [20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
  const sizes = [...uint32(crc32(content)), ...uint32(data.length), ...uint32(content.byteLength)];
  const entry = [...start, ...sizes, nameBytes.length, 0, 0, 0];
  const local = [0x50, 0x4b, 3, 4, ...entry, ...nameBytes];
  const central = [0x50, 0x4b, 1, 2, 20, 0, ...entry, ...Array<number>(14).fill(0), ...nameBytes];
  const place = [...uint32(central.length), ...uint32(local.length + data.length)];
  const end = [0x50, 0x4b, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, ...place, 0, 0];
  return joined([local, data, central, end]);
}

/** Deflate data of one stored block (RFC 1951 section 3.2.4): nothing here compresses. */
function storedBlock(content: Uint8Array): Uint8Array {
  const { byteLength } = content;
  const header = [1, byteLength & 0xff, byteLength >> 8, ~byteLength & 0xff, (~byteLength >> 8) & 0xff];
  return joined([header, content]);
}

function uint32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function joined(pieces: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
