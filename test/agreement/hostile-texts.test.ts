/** What strangers write goes through these functions: for 300,000 characters of anything each takes a moment. */
import { describe, expect, it } from "vitest";
import { domainName, domainOfAddress } from "../../shared/domain-name.ts";
import { readFailure } from "../../shared/report/failure.ts";
import { cleanDetail } from "../../shared/report/problems.ts";
import { canonicalIp, isDomainLike, parseDate, storedText } from "../../shared/report/values.ts";
import { WarningLog } from "../../shared/report/warnings.ts";
import { sniff } from "../../shared/sniff.ts";
import {
  buildRawMetadata,
  decodeMetadataText,
  fileNameForAddress,
  metadataText,
  rawKey,
} from "../../shared/storage.ts";
import { csvPieces, jsonPieces } from "../../workers/dashboard/data/export.ts";
import { cpuTimer } from "../support/cpu-time.ts";
import { readAll } from "../support/read.ts";

const CHARS = 300_000;
/** They take up to 200 ms on an idle machine; what takes the square of its size takes minutes. */
const MAX_MILLISECONDS = 5000;

const COLUMNS = [{ key: "text", label: "Text", value: ({ text }: { text: string }) => text }];

function failureContext() {
  return { bounds: { nowSeconds: 1_795_000_000, isLenient: false }, warnings: new WarningLog() };
}

const FUNCTIONS: Record<string, (text: string) => unknown> = {
  rawKey: (text) => rawKey(0, "0".repeat(64), text),
  fileNameForAddress: (text) => fileNameForAddress("0".repeat(64), text),
  domainName,
  domainOfAddress,
  metadataText,
  decodeMetadataText,
  buildRawMetadata: (text) =>
    buildRawMetadata({
      rua: text,
      sender: text,
      from: text,
      subject: text,
      messageId: text,
      receivedSeconds: 0,
      fileName: text,
      mimeType: text,
      tlsReportDomain: text,
      objectsOfMail: 1,
      passedOver: {},
      authentication: text,
      importedFrom: text,
    }),
  cleanDetail,
  canonicalIp,
  isDomainLike,
  parseDate,
  storedText: (text) => storedText(text, CHARS),
  readFailure: (text) => {
    const fields = ["Feedback-Type", "Source-IP", "SPF-DNS", "Arrival-Date", "Reported-Domain"];
    const feedback = { fields: fields.map((name) => `${name}: ${text}\r\n`).join(""), originalHeader: text };
    return readFailure(feedback, failureContext());
  },
  "readFailure of plain text": (text) =>
    readFailure({ text: `failed the published DMARC policy for your domain\n${text}` }, failureContext()),
  "readFailure of a quoted text": (text) =>
    readFailure({ text: `> failed the published DMARC policy for your domain\n> ${text}` }, failureContext()),
  sniff: (text) => sniff(new TextEncoder().encode(text)),
  csvPieces: (text) => [...csvPieces([{ text }], COLUMNS)],
  jsonPieces: (text) => [...jsonPieces([{ text }], COLUMNS)],
  "readReports of a document": (text) => readAll(`<feedback>${text}`),
  "readReports of a record": (text) => readAll(`<feedback><record>${text}</record></feedback>`),
  "readReports of an end tag": (text) => readAll(`<feedback></${text}`),
  "readReports of JSON": (text) => readAll(`{"policies":[${JSON.stringify(text)}]}`),
};

const TEXTS = [
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
  "[",
  "{",
  "<",
  "<a ",
  "&",
  "&#",
  "&amp",
  "=",
  "=\t",
  ";\t",
  "+",
  "-",
  ":",
  ",",
  "@",
  "0",
  "1.",
  "1:",
  "é",
  "\ud800",
  "\u202e",
  "ﷺ",
  "Mon, ",
  "<!--",
  "<![CDATA[",
  "<?xml",
  "</",
  "a.",
  "._",
  "-a",
];

describe.each(Object.entries(FUNCTIONS))("%s", (_, call) => {
  it.each(TEXTS)("of %j, time and again", async (text) => {
    const repeated = text.repeat(CHARS / text.length);
    for (const hostile of [repeated, `${repeated}!`, `a${repeated}a`]) {
      const took = cpuTimer();
      await call(hostile);
      expect(took()).toBeLessThan(MAX_MILLISECONDS);
    }
  });
});
