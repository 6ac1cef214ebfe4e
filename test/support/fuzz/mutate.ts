/** Support: hostile versions of fixtures, changed at one or several layers: bytes, values, XML, mail, archives. */
import { gzip, joinBytes, toBytes, zip } from "../archives.ts";
import { attached, binary, COVER_TEXT, fromBinary, multipartMail, part } from "../mails.ts";
import { record } from "../report-xml.ts";
import type { Random } from "./random.ts";

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** Largest input that is made. */
const MAX_BYTES = 300_000;

/** Things that break parsers. */
const TOKENS = [
  "<",
  ">",
  "&",
  "]]>",
  "<![CDATA[",
  "<!--",
  "-->",
  "<?",
  "?>",
  "<!DOCTYPE x [<!ENTITY a 'b'>]>",
  "<record>",
  "</record>",
  "<record/>",
  "<ns:record>",
  "</feedback>",
  "<feedback>",
  "<row>",
  "</row>",
  "<__proto__>x</__proto__>",
  "<constructor/>",
  "&#0;",
  "&#x1b;",
  "&#xd800;",
  "&#1114112;",
  "&lt;",
  "&unknown;",
  '"',
  "'",
  "=",
  "\0",
  "\x1b[2J",
  "\ufeff",
  "\u202e",
  "\u2028",
  "\x80",
  "--",
  "\r\n\r\n",
  "\r\n",
  "--=_boundary-0=",
  "--=_boundary-0=--",
  "Content-Transfer-Encoding: base64\r\n",
  "Content-Type: message/rfc822\r\n\r\n",
  "Content-Type: multipart/mixed; boundary=x\r\n\r\n",
  "PK\x03\x04",
  "PK\x05\x06",
  "\x1f\x8b\x08",
  "{",
  "[",
  "null",
];

const VALUES = [
  "",
  " ",
  "-1",
  "0",
  "1e9",
  "0x10",
  "NaN",
  "Infinity",
  "9007199254740993",
  "9".repeat(400),
  "1.5",
  "pass",
  "PASS",
  "passed",
  "hardfail",
  "__proto__",
  "constructor",
  "toString",
  "::ffff:1.2.3.4",
  "fe80::1%25",
  "2001:db8::/32",
  "<b>",
  "'; DROP TABLE",
  "a".repeat(10_000),
  "\ud83d",
  "é",
  "2023-11-14T00:00:00",
];

const bytesMutations: Mutation[] = [
  (bytes, random) => changeAt(bytes, random, (old) => old ^ (1 << random.below(8))),
  (bytes, random) => changeAt(bytes, random, () => random.below(256)),
  (bytes, random) => changeAt(bytes, random, () => random.pick([0, 0x0a, 0x1f, 0x3c, 0x3e, 0x80, 0xff])),
  (bytes, random) => bytes.subarray(0, random.below(bytes.byteLength + 1)),
  (bytes, random) => bytes.subarray(random.below(bytes.byteLength + 1)),
  (bytes, random) => cut(bytes, random, () => new Uint8Array(0)),
  (bytes, random) => cut(bytes, random, (piece) => joinBytes(piece, piece)),
  (bytes, random) => cut(bytes, random, (piece) => repeat(piece, 2 + random.below(500))),
  (bytes, random, others) => cut(bytes, random, () => slice(random.pick(others), random)),
  (bytes, random, others) => joinBytes(bytes, random.pick(others)),
  (bytes, random) => insert(bytes, random, random.pick(TOKENS)),
  (bytes, random) => insert(bytes, random, random.pick(TOKENS).repeat(1 + random.below(2000))),
];

const xmlMutations: Mutation[] = [
  (bytes, random) => replaceMatch(bytes, random, />[^<>]*</g, () => `>${random.pick(VALUES)}<`),
  (bytes, random) => replaceMatch(bytes, random, />[^<>]*</g, (old) => `${old.slice(0, -1)}${random.pick(TOKENS)}<`),
  (bytes, random) => replaceMatch(bytes, random, /<\/?[\w:]+[^<>]*>/g, () => ""),
  (bytes, random) => replaceMatch(bytes, random, /<\/?[\w:]+[^<>]*>/g, (old) => old + old),
  (bytes, random) => replaceMatch(bytes, random, /<\/?[\w:]+/g, (old) => `${old}x`),
  (bytes, random) => replaceMatch(bytes, random, /<[\w:]+/g, (old) => `${old} a="${random.pick(TOKENS)}"`),
  (bytes, random) => replaceMatch(bytes, random, /<(\w+)>[^<>]*<\/\1>/g, (old) => old.repeat(1 + random.below(300))),
  (bytes, random) => replaceMatch(bytes, random, /<record>/g, (old) => records(random) + old),
  (bytes, random) => replaceMatch(bytes, random, /<\/feedback>/g, (old) => records(random) + old),
  (bytes) => new Uint8Array(Buffer.from(Buffer.from(bytes).toString("utf8"), "utf16le")),
];

const mailMutations: Mutation[] = [
  (bytes, random) => replaceMatch(bytes, random, /^[\w-]+:.*$/gm, () => `X-Filler: ${"x".repeat(random.below(5000))}`),
  (bytes, random) => replaceMatch(bytes, random, /^[\w-]+:/gm, (old) => old.repeat(1 + random.below(3000))),
  (bytes, random) =>
    replaceMatch(bytes, random, /base64|quoted-printable|7bit|8bit/g, () =>
      random.pick(["base64", "quoted-printable", "7bit", "binary", "x-uuencode"]),
    ),
  (bytes, random) =>
    replaceMatch(bytes, random, /boundary=.*/g, () => random.pick(['boundary=""', "boundary=", 'boundary="=_other"'])),
  (bytes, random) =>
    replaceMatch(bytes, random, /(multipart|text|application|message)\/[\w+-]+/g, () =>
      random.pick([
        "message/rfc822",
        "multipart/mixed",
        "text/plain",
        "text/html",
        "message/feedback-report",
        "application/gzip",
      ]),
    ),
  (bytes, random) =>
    replaceMatch(
      bytes,
      random,
      /filename="?[^"\r\n]*"?/g,
      () => `filename*=utf-8''${random.pick(["%00", "%0d%0aX:y", "..%2f..%2f", "__proto__", "%ff%fe"])}`,
    ),
];

const containerMutations: Mutation[] = [
  (bytes) => gzip(bytes),
  (bytes, random) => joinBytes(...split(bytes, random).map((piece) => gzip(piece))),
  (bytes, random) =>
    zip([
      {
        name: random.pick(["r.xml", "../r", "__MACOSX/._r", "", "a/"]),
        content: bytes,
        method: random.pick([0, 8, 8, 12]),
        descriptor: random.hits(3),
        encrypted: random.hits(6),
      },
    ]),
  (bytes, random, others) => zip([bytes, random.pick(others), bytes].map((content) => ({ name: "r.xml", content }))),
  (bytes, random) =>
    zip(
      [
        { name: "r.xml", content: bytes, says: { sizeBytes: random.below(5000) } },
        { name: "s.xml", content: bytes, offset: random.below(200) },
      ],
      random.pick(TOKENS),
    ),
  (bytes) => multipartMail([COVER_TEXT, attached(bytes, "r.gz")]),
  (bytes, random) =>
    multipartMail(
      [
        part({
          type: random.pick([
            "text/plain",
            "text/html",
            "message/rfc822",
            "message/feedback-report",
            "text/xml; charset=utf-16",
          ]),
          encoding: random.pick(["7bit", "base64", "quoted-printable"]),
          content: bytes,
        }),
      ],
      random.pick(["mixed", "report", "signed", "alternative"]),
    ),
  (bytes) => multipartMail([part({ type: "message/rfc822", content: bytes })]),
];

const LAYERS = [bytesMutations, bytesMutations, xmlMutations, xmlMutations, mailMutations, containerMutations];

/** A hostile input: some fixture, changed one to five times. */
export function mutate(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  let bytes = random.pick(seeds);
  for (let i = 0, changes = 1 + random.below(5); i < changes; i++) {
    bytes = random.pick(random.pick(LAYERS))(bytes, random, seeds).slice(0, MAX_BYTES);
  }
  return bytes;
}

function records(random: Random): string {
  const odd = record({ ip: random.pick(VALUES), count: random.pick(VALUES) });
  return (record({ count: "2" }).repeat(random.below(60)) + odd).repeat(1 + random.below(4));
}

function changeAt(bytes: Uint8Array, random: Random, change: (old: number) => number): Uint8Array {
  const copy = bytes.slice();
  for (let i = 0, times = 1 + random.below(4); i < times && copy.byteLength > 0; i++) {
    const at = random.below(copy.byteLength);
    copy[at] = change(copy[at] ?? 0);
  }
  return copy;
}

function cut(bytes: Uint8Array, random: Random, change: (piece: Uint8Array) => Uint8Array): Uint8Array {
  const from = random.below(bytes.byteLength + 1);
  const to = from + random.below(Math.min(2000, bytes.byteLength - from + 1));
  return joinBytes(bytes.subarray(0, from), change(bytes.subarray(from, to)), bytes.subarray(to));
}

function slice(bytes: Uint8Array, random: Random): Uint8Array {
  const from = random.below(bytes.byteLength + 1);
  return bytes.subarray(from, from + random.below(2000));
}

function split(bytes: Uint8Array, random: Random): Uint8Array[] {
  const at = random.below(bytes.byteLength + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

function repeat(piece: Uint8Array, times: number): Uint8Array {
  const fitting = Math.min(times, Math.floor(MAX_BYTES / Math.max(1, piece.byteLength)));
  return joinBytes(...Array<Uint8Array>(fitting).fill(piece));
}

function insert(bytes: Uint8Array, random: Random, token: string): Uint8Array {
  const at = random.below(bytes.byteLength + 1);
  return joinBytes(bytes.subarray(0, at), toBytes(token), bytes.subarray(at));
}

function replaceMatch(bytes: Uint8Array, random: Random, pattern: RegExp, change: (old: string) => string): Uint8Array {
  const text = binary(bytes.subarray(0, MAX_BYTES));
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return bytes;
  const { index, 0: old } = random.pick(matches);
  return fromBinary(text.slice(0, index) + binary(change(binaryToText(old))) + text.slice(index + old.length));
}

function binaryToText(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
