/** Support: mails around reports, as reporters and gateways build them. */
import { toBytes } from "./archives.ts";

export interface PartInput {
  /** Content-Type line's value; absent = no such header. */
  type?: string;
  disposition?: string;
  encoding?: "base64" | "quoted-printable" | "7bit" | "8bit" | "binary";
  /** Further header lines. */
  headers?: string[];
  content: string | Uint8Array;
}

const HEADERS = [
  "From: DMARC <dmarc@reporter.example>",
  "To: rua@acme.example",
  "Subject: Report Domain: acme.example Submitter: reporter.example Report-ID: <ordinary.1>",
  "Date: Wed, 15 Nov 2023 06:00:00 +0000",
  "Message-ID: <ordinary.1@reporter.example>",
  "MIME-Version: 1.0",
];

/** Bytes as text, one character a byte. */
export function binary(content: string | Uint8Array): string {
  return Buffer.from(toBytes(content)).toString("latin1");
}

/** A text whose characters are bytes, as bytes. */
export function fromBinary(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** One MIME part, header and body, one character a byte. */
export function part(input: PartInput): string {
  const headers = [
    ...(input.type === undefined ? [] : [`Content-Type: ${input.type}`]),
    ...(input.disposition === undefined ? [] : [`Content-Disposition: ${input.disposition}`]),
    ...(input.encoding === undefined ? [] : [`Content-Transfer-Encoding: ${input.encoding}`]),
    ...(input.headers ?? []),
  ];
  return `${headers.join("\r\n")}\r\n\r\n${encodeBody(input)}`;
}

function encodeBody({ encoding, content }: PartInput): string {
  const bytes = toBytes(content);
  if (encoding === "base64")
    return (
      Buffer.from(bytes)
        .toString("base64")
        .match(/.{1,76}/g) ?? []
    ).join("\r\n");
  if (encoding === "quoted-printable") return quotedPrintable(binary(bytes));
  return binary(bytes);
}

function quotedPrintable(text: string): string {
  const lines = text.split("\n").map((line) => {
    const tokens = line.match(/[^\r]/g) ?? [];
    const encoded = tokens.map((char) => (/[\t !-<>-~]/.test(char) ? char : `=${hex(char)}`));
    let out = "";
    let width = 0;
    for (const token of encoded) {
      if (width + token.length > 72) {
        out += "=\r\n";
        width = 0;
      }
      out += token;
      width += token.length;
    }
    return out;
  });
  return lines.join("\r\n");
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}

/** A mail that is one part: its body is the report. */
export function simpleMail(input: PartInput): Uint8Array {
  return fromBinary(`${HEADERS.join("\r\n")}\r\n${part(input)}\r\n`);
}

/** A mail of several parts. `kind` is what follows `multipart/`, parameters included. */
export function multipartMail(parts: string[], kind = "mixed"): Uint8Array {
  return fromBinary(`${HEADERS.join("\r\n")}\r\n${multipart(parts, kind)}`);
}

/** A multipart entity, for nesting. */
export function multipart(parts: string[], kind = "mixed"): string {
  const boundary = freeBoundary(parts);
  const body = parts.map((one) => `--${boundary}\r\n${one}\r\n`).join("");
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${body}--${boundary}--\r\n`;
}

// Multiparts in multiparts need boundaries of their own.
function freeBoundary(parts: string[]): string {
  for (let i = 0; ; i++) {
    const boundary = `=_boundary-${i}=`;
    if (!parts.some((one) => one.includes(boundary))) return boundary;
  }
}

/** The text that reporters put in front. */
export const COVER_TEXT = part({ type: "text/plain; charset=us-ascii", content: "This is a DMARC aggregate report." });

/** A report as reporters attach it. */
export function attached(content: string | Uint8Array, fileName: string, type = "application/gzip"): string {
  return part({ type, disposition: `attachment; filename="${fileName}"`, encoding: "base64", content });
}
