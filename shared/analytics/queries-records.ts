/** Statements about single records: those of one report, and their fields. Pure; see queries.ts for the rules they keep. */
import { newestRows, numberOf, type Query, type Scope, textOf } from "./collapse.ts";
import { type AnswerRow, quoteText } from "./queries.ts";

/** One record, as a report has it. */
export interface RecordRow {
  reportUid: string;
  account: string;
  domain: string;
  reporter: string;
  ordinal: number;
  day: number;
  beginSeconds: number;
  sourceIp: string;
  messages: number;
  disposition: string;
  dkim: string;
  spf: string;
  isPass: boolean;
  headerFrom: string;
  envelopeFrom: string;
  envelopeTo: string;
  dkimResults: string;
  spfResults: string;
  reasons: string;
  cut: string;
}

/** Columns of a record as pages show it. */
export const RECORD_COLUMNS_SHOWN = [
  ...["account", "domain", "reporter", "beginSeconds", "sourceIp", "count", "disposition", "dkim", "spf", "passed"],
  ...["headerFrom", "envelopeFrom", "envelopeTo", "dkimResults", "spfResults", "reasons", "cut", "authDomain"],
] as const;

/** The same as a statement selects them from `newestRows`. */
export const RECORD_FIELDS =
  "reportUid, account, domain, reporter, ordinal, day, beginSeconds, sourceIp, mails, disposition, dkim, spf, passed, " +
  "headerFrom, envelopeFrom, envelopeTo, dkimResults, spfResults, reasons, cut";

/** What the records of a report are sorted by. */
export type RecordOrder = keyof typeof ORDERS;

const ORDERS = {
  record: "ordinal",
  address: "sourceIp",
  messages: "mails",
  dmarc: "passed",
  disposition: "disposition",
  from: "headerFrom",
  dkim_results: "dkim",
  spf_results: "spf",
  reasons: "reasons",
} as const;

/** Whether a text names one of them. */
export function isRecordOrder(text: string): text is RecordOrder {
  return Object.hasOwn(ORDERS, text);
}

/** How the records of one report are asked for. */
export interface RecordPage {
  /** Only records whose address, From domain or results hold this text; "" = all. */
  text: string;
  /** Only records that passed (true) or failed (false). */
  isPass?: boolean | undefined;
  order: RecordOrder;
  descending?: boolean | undefined;
  limit: number;
  offset: number;
}

/** A page of one report's records; the scope names the report. */
export function reportRecordsQuery(scope: Scope, page: RecordPage): Query<RecordRow> {
  const direction = page.descending === true ? " DESC" : "";
  return {
    sql: [
      `SELECT ${RECORD_FIELDS}`,
      `FROM ${newestRows("records", RECORD_COLUMNS_SHOWN, scope)}`,
      `WHERE ${recordConditions(page)}`,
      `ORDER BY ${ORDERS[page.order]}${direction}, ordinal LIMIT ${page.limit} OFFSET ${page.offset}`,
    ].join("\n"),
    read: readRecord,
  };
}

/** How many records of one report a page's text and result leave. */
export function reportRecordCountQuery(scope: Scope, page: Pick<RecordPage, "text" | "isPass">): Query<number> {
  return {
    sql: [
      "SELECT count() AS records",
      `FROM ${newestRows("records", RECORD_COLUMNS_SHOWN, scope)}`,
      `WHERE ${recordConditions(page)}`,
    ].join("\n"),
    read: (row) => numberOf(row, "records"),
  };
}

function recordConditions({ text, isPass }: Pick<RecordPage, "text" | "isPass">): string {
  const found = ["weight > 0"];
  if (isPass !== undefined) found.push(`passed = ${isPass ? 1 : 0}`);
  if (text !== "") {
    const columns = ["sourceIp", "headerFrom", "envelopeFrom", "dkimResults", "spfResults", "reasons"];
    found.push(`(${columns.map((name) => `position(${name}, ${quoteText(text)}) > 0`).join(" OR ")})`);
  }
  return found.join(" AND ");
}

/** Reads a row of `RECORD_FIELDS`. */
export function readRecord(row: AnswerRow): RecordRow {
  const text = (name: string): string => textOf(row, name);
  return {
    ...{ reportUid: text("reportUid"), account: text("account"), domain: text("domain"), reporter: text("reporter") },
    ...{ ordinal: numberOf(row, "ordinal"), day: numberOf(row, "day"), beginSeconds: numberOf(row, "beginSeconds") },
    ...{ sourceIp: text("sourceIp"), messages: numberOf(row, "mails"), disposition: text("disposition") },
    ...{ dkim: text("dkim"), spf: text("spf"), isPass: numberOf(row, "passed") === 1 },
    ...{ headerFrom: text("headerFrom"), envelopeFrom: text("envelopeFrom"), envelopeTo: text("envelopeTo") },
    ...{ dkimResults: text("dkimResults"), spfResults: text("spfResults"), reasons: text("reasons"), cut: text("cut") },
  };
}
