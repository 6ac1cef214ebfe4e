/**
 * Client of Analytics Engine's SQL API. The statement's own fault is a value with the engine's text; a table that does
 * not exist yet is distinguished from it; anything else (no network, a refused token, an overloaded engine) throws. It
 * never builds SQL and never logs the token.
 */

import { cleanDetail } from "../report/problems.ts";
import { fail, ok, type Result } from "../result.ts";
import { DATASET_NAME, DATASET_PREFIX } from "./columns.ts";

/** Where the engine is and who asks. */
export interface SqlConnection {
  /** Without a slash at its end, e.g. https://api.cloudflare.com/client/v4 */
  baseUrl: string;
  accountId: string;
  /** API token with the permission Account Analytics, Read. */
  token: string;
  /** First part of the names of this deployment's datasets, for which statements say `dmarc`. */
  datasetPrefix?: string;
}

/**
 * Why a statement has no answer. `no_data`: its dataset was never written to, or no point of it has one of the columns
 * `blobN` and `doubleN` that the statement names; `invalid_statement`: the engine refuses it.
 */
export interface SqlProblem {
  code: "invalid_statement" | "no_data";
  /** The engine's own text. */
  message: string;
}

/** A column of an answer, with the engine's type, e.g. UInt64. */
export interface SqlColumn {
  name: string;
  type: string;
}

export type SqlValue = string | number | null;

/** An answer: numbers are numbers, also those the engine sends as text. */
export interface SqlAnswer {
  columns: SqlColumn[];
  rows: Record<string, SqlValue>[];
}

/** The part of `fetch` that is needed. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Thrown when the engine cannot be asked: `status` is its HTTP status, 0 when there was no answer at all. */
export class AnalyticsUnavailableError extends Error {
  override name = "AnalyticsUnavailableError";
  readonly status: number;
  /** When to ask again, as the engine says; undefined where it does not. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Statuses that blame the statement; 422 is what Analytics Engine uses. */
const STATEMENT_FAULTS = [400, 422];
/** Said of a dataset that nothing was ever written to. */
const NO_TABLE = /unknown table|unable to find (the )?table|no such table|table \S+ (doesn't|does not) exist/i;
/** Said of any name that the engine does not know, and also of a column of the dataset that no point has a value in. */
const NO_COLUMN = /unable to find type of column:?\s*["'`]?(\w+)["'`]?/i;
const DATASET_COLUMN = /^(blob|double)([1-9]|1[0-9]|20)$/;
const NUMERIC_TYPE = /^(Nullable\()?(U?Int|Float|Decimal)\d*/;

/**
 * Posts a statement and returns the engine's answer untouched, in the format the statement asks for (JSON by default).
 *
 * @throws AnalyticsUnavailableError when the engine cannot be reached or refuses for another reason than the statement
 */
export async function postSql(
  connection: SqlConnection,
  sql: string,
  fetch: Fetch,
): Promise<Result<Response, SqlProblem>> {
  const account = encodeURIComponent(connection.accountId);
  const response = await send(fetch, `${connection.baseUrl}/accounts/${account}/analytics_engine/sql`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${connection.token}`,
      "content-type": "text/plain; charset=utf-8",
    },
    body: withDatasets(sql, connection),
  });
  if (response.ok) return ok(response);
  const message = cleanDetail(await response.text(), 2000) || `HTTP status ${response.status}`;
  if (!STATEMENT_FAULTS.includes(response.status)) {
    const sentence = `Analytics Engine answered ${response.status}: ${message}`;
    throw new AnalyticsUnavailableError(response.status, sentence, readRetryAfter(response));
  }
  return fail({ code: isNoData(message) ? "no_data" : "invalid_statement", message });
}

/** A statement with the names that the datasets have here: one Cloudflare account may have those of several deployments. */
function withDatasets(sql: string, { datasetPrefix: prefix = DATASET_PREFIX }: SqlConnection): string {
  return prefix === DATASET_PREFIX ? sql : sql.replace(DATASET_NAME, (_, rest: string) => `${prefix}_${rest}`);
}

/**
 * Runs a statement whose answer is JSON (no FORMAT clause, or FORMAT JSON).
 *
 * @throws AnalyticsUnavailableError as postSql does, and when the answer is not the engine's JSON
 */
export async function querySql(
  connection: SqlConnection,
  sql: string,
  fetch: Fetch,
): Promise<Result<SqlAnswer, SqlProblem>> {
  const answer = await postSql(connection, sql, fetch);
  if (!answer.ok) return answer;
  const parsed = parseAnswer(await answer.value.text());
  if (parsed === undefined)
    throw new AnalyticsUnavailableError(502, "Analytics Engine's answer is not its JSON format.");
  return ok(parsed);
}

/** Reads the engine's JSON format; undefined when `text` is something else (another FORMAT, a proxy's page). */
export function parseAnswer(text: string): SqlAnswer | undefined {
  const answer = parseJson(text);
  if (typeof answer !== "object" || answer === null || !("meta" in answer) || !("data" in answer)) return undefined;
  const { meta, data } = answer;
  if (!Array.isArray(meta) || !Array.isArray(data)) return undefined;
  const columns = meta.map(({ name, type }) => ({ name: String(name), type: String(type) }));
  return { columns, rows: data.map((row) => coerceRow(columns, row)) };
}

// RFC 9110 section 10.2.3: seconds, or a date, which nobody here sends.
function readRetryAfter({ headers }: Response): number | undefined {
  const text = headers.get("retry-after") ?? "";
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

// A name that is not a column of a dataset is a mistake in the statement, whatever was written.
function isNoData(message: string): boolean {
  const column = NO_COLUMN.exec(message)?.[1];
  return column === undefined ? NO_TABLE.test(message) : DATASET_COLUMN.test(column);
}

async function send(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AnalyticsUnavailableError(0, `Analytics Engine cannot be reached: ${reason}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// UInt64 comes as text so that no reader loses digits; counts here stay far below 2^53.
function coerceRow(columns: SqlColumn[], row: Record<string, unknown>): Record<string, SqlValue> {
  return Object.fromEntries(columns.map(({ name, type }) => [name, coerceValue(type, row[name])]));
}

function coerceValue(type: string, value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return value;
  if (typeof value === "string") return NUMERIC_TYPE.test(type) && value !== "" ? Number(value) : value;
  return JSON.stringify(value);
}
