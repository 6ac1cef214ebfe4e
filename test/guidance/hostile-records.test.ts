/**
 * Records as long as DNS carries them, of pieces that readers of records look for, time and again: nothing throws, and each is read
 * in linear time, which is measured in time of the processor.
 */
import { describe, expect, it } from "vitest";
import { receiverResults } from "../../shared/authentication/authentication-results.ts";
import { readKey, readSignature } from "../../shared/authentication/dkim-signature.ts";
import type { Answer, RecordType, Resolver } from "../../shared/dns/resolver.ts";
import { readDomainList } from "../../shared/domain-name.ts";
import { mergedDmarc } from "../../shared/guidance/dmarc-merge.ts";
import { mailtoUri, mistakenRecord, readDmarcRecord } from "../../shared/guidance/dmarc-record.ts";
import { repairedDmarc } from "../../shared/guidance/dmarc-repair.ts";
import { checkDomain } from "../../shared/guidance/domain-check.ts";
import { readPolicy } from "../../shared/guidance/mta-sts-check.ts";
import { readTypedPolicy } from "../../shared/guidance/mta-sts-policy.ts";
import { recordText, stageOf, withBelow } from "../../shared/guidance/next-record.ts";
import { recordsToPublish, stricterHint } from "../../shared/guidance/records-to-publish.ts";
import { mistakenSpfRecord, repairedSpf } from "../../shared/guidance/spf-repair.ts";
import { readSubject } from "../../shared/guidance/subject.ts";
import { quotedTxt } from "../../shared/guidance/txt-strings.ts";
import { cpuTimer } from "../support/cpu-time.ts";
import fc from "../support/properties.ts";

/** RFC 1035 section 3.2.1: the length of a record's data has 16 bits. */
const CHARS = 65_535;
/** Each takes up to some 50 ms; what takes the square of its length takes minutes. */
const MAX_MILLISECONDS = 3000;
const DOMAIN = "shop.example";
const RUA = "reports@shop.example";

const PIECES = [
  ...[
    "a",
    ".",
    "_",
    "/",
    "\\",
    '"',
    "'",
    " ",
    "\t",
    "\r",
    "\n",
    "\0",
    "%",
    "%41",
    "(",
    ")",
    "=",
    "==",
    ";",
    "; ",
    ",",
    ":",
  ],
  ...[
    "@",
    "-",
    "+",
    "~",
    "?",
    "0",
    "1.",
    "\u00e9",
    "\ud800",
    "\u202e",
    "a.",
    "-a",
    "p=",
    "p=none;",
    "v=DMARC1",
    "v=DMARC1; ",
  ],
  ...[
    "v=spf1 ",
    "ip4:",
    "ip4:1.2.3.4",
    "ip6:1:",
    "include:",
    "mailto:",
    "mailto:a@b.example,",
    "<mailto:a@b>",
    "@b ",
    "!10m",
  ],
  ...[
    "%{i}",
    "%{",
    "redirect=",
    "all",
    " -all",
    "1:2:",
    "::",
    "&nbsp;",
    "\u00a0",
    "\u201c",
    "\uff0d",
    "\uff1d",
    "rua=",
    "rua:",
  ],
  ...[
    "; #",
    "policy=",
    "*.",
    "mx:",
    "mx: a.example\r\n",
    "id=",
    "xn--a.",
    "https://",
    "[",
    "a,",
    "/24",
    "h=from:",
    "(\\",
  ],
];

function zoneOf(text: string): Resolver {
  const lookup = async (_: string, type: RecordType): Promise<Answer> => {
    if (type === "TXT") return { status: "answers", records: [text] };
    return type === "MX" ? { status: "answers", records: ["10 mail.shop.example"] } : { status: "nodata" };
  };
  return { lookup };
}

const check = (text: string, file = text): Promise<unknown> =>
  checkDomain(DOMAIN, {
    resolver: zoneOf(text),
    fetchPolicy: async () => ({ text: file }),
    selectors: [{ selector: "s1", domain: DOMAIN }],
    ruaAddress: RUA,
  });

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const READERS: Record<string, (text: string) => unknown> = {
  "the check of a domain: any record": check,
  "the check of a domain: DMARC": (text) => check(`v=DMARC1; p=none; rua=mailto:${text}`),
  "the check of a domain: SPF": (text) => check(`v=spf1 ${text} -all`),
  "the check of a domain: MTA-STS": (text) =>
    check("v=STSv1; id=1;", `version: STSv1\r\nmode: enforce\r\nmax_age: 86400\r\nmx: ${text}`),
  "the check of a domain: DKIM": (text) => check(`v=DKIM1; p=${text}`),
  "the check of a domain: TLS reports": (text) => check(`v=TLSRPTv1; rua=mailto:${text}`),
  "the check of a domain: BIMI": (text) => check(`v=BIMI1; l=https://${text}`),
  readDmarcRecord,
  repairedDmarc,
  mistakenRecord: (text) => [mistakenRecord(text), mistakenRecord(`dmarc1 ${text}`)],
  mergedDmarc: (text) => mergedDmarc([text, `v=DMARC1; p=none; rua=mailto:${text}`]),
  mailtoUri: (text) => mailtoUri(`${text}@shop.example`),
  repairedSpf: (text) => [repairedSpf(text), repairedSpf(`v=spf1 ${text} -all`)],
  mistakenSpfRecord: (text) => [mistakenSpfRecord(text), mistakenSpfRecord(`spf1 ${text}`)],
  readPolicy,
  readTypedPolicy: (text) => readTypedPolicy({ mode: "enforce", mx: [text, `*.${text}`], maxAgeSeconds: 86_400 }),
  "a next record": (text) => [recordText(stageOf(text), text, [RUA]), withBelow(text)],
  recordsToPublish: (text) => recordsToPublish(DOMAIN, RUA, { dmarc: [text], tls: [text] }),
  stricterHint: (text) => stricterHint(text, "v=DMARC1; p=none"),
  quotedTxt,
  readSubject: (text) => [readSubject(text), readSubject(`${text}/24`)],
  readSignature: (text) => readSignature(`v=1; a=rsa-sha256; d=a; s=b; bh=x; b=x; h=from:${text}`),
  readKey: (text) => readKey(`v=DKIM1; p=${text}`, "rsa-sha256"),
  receiverResults: (text) => receiverResults(bytesOf(`Authentication-Results: mx.a; ${text}\r\n\r\n`), "mx.a"),
  readDomainList,
};

const repeated = fc
  .tuple(fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 }), fc.constantFrom("", "!", "p=none"))
  .map(([pieces, end]) => {
    const piece = pieces.join("");
    return piece.repeat(Math.floor(CHARS / piece.length)) + end;
  });
const mixed = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join(""));

describe.each(Object.entries(READERS))("%s", (_, read) => {
  it("reads any record, however long, in linear time", { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(repeated, async (text) => {
        const took = cpuTimer();
        await read(text);
        expect(took()).toBeLessThan(MAX_MILLISECONDS);
      }),
      { numRuns: 10 },
    );
    await fc.assert(
      fc.asyncProperty(mixed, async (text) => {
        await read(text);
      }),
      { numRuns: 50 },
    );
  });
});
