/**
 * The local Analytics Engine's storage: ClickHouse embedded in this process (chdb), one table a dataset with exactly the
 * columns Cloudflare shows. The only importer of chdb. Queries run read-only; only points are ever written.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChdbResult, Session } from "chdb";
import * as v from "valibot";
import { ANALYTICS_LIMITS } from "../../shared/limits.ts";
import { fail, ok, type Result } from "../../shared/result.ts";
import type { CheckedPoint } from "../worker/point.ts";
import { checkStatement, type Format, type Statement } from "./dialect.ts";

/** The engine as the HTTP server uses it. */
export interface Engine {
  /** Writes points to a dataset, creating it first if need be; resolves when they are on disk and can be queried. */
  write(dataset: string, points: CheckedPoint[], nowSeconds: number): Promise<void>;
  /** Answers a statement of Cloudflare's dialect, or says why it is refused. */
  query(sql: string): Promise<Result<Answer, string>>;
  close(): void;
}

export interface Answer {
  format: Format;
  body: string;
}

const BLOBS = Array.from({ length: ANALYTICS_LIMITS.maxBlobs }, (_, place) => `blob${place + 1}`);
const DOUBLES = Array.from({ length: ANALYTICS_LIMITS.maxDoubles }, (_, place) => `double${place + 1}`);
const WRITTEN_COLUMNS = ["timestamp", "index1", ...BLOBS, ...DOUBLES];

/** Settings of every query; `readonly = 1` also keeps a statement from changing any of them. */
const QUERY_SETTINGS = [
  "output_format_json_quote_64bit_integers = 1",
  "max_execution_time = 60",
  "max_memory_usage = 4000000000",
  "readonly = 1",
].join(", ");

/** A dataset's name, as a Worker's configuration may give it. */
export const DATASET_NAME = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;

/** The state folder is in use by another local Analytics Engine. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
}

/** Ours: how long one that was killed with its parent may take to let go of the folder. */
const LOCK_TIMEOUT_MS = 5000;

/**
 * Opens the database under `folder`, made if it does not exist.
 *
 * @throws FolderInUseError when another process has it open; Error when it cannot be opened
 */
export async function openEngine(folder: string): Promise<Engine> {
  const session = await openSession(folder);
  const datasets = await readDatasets(session);
  return {
    write: async (dataset, points, nowSeconds) => {
      const written = datasets.get(dataset);
      if (written === undefined) await session.queryAsync(createTable(dataset));
      const widest = widen(written ?? { blobs: 0, doubles: 0 }, points);
      if (written?.blobs !== widest.blobs || written.doubles !== widest.doubles) {
        await session.queryAsync(`ALTER TABLE ${dataset} MODIFY COMMENT '${JSON.stringify(widest)}'`);
        datasets.set(dataset, widest);
      }
      const rows = points.map((point) => JSON.stringify(buildRow(point, nowSeconds)));
      const values = Buffer.from(rows.join("\n"));
      await session.insert({ table: dataset, columns: WRITTEN_COLUMNS, values, format: "JSONCompactEachRow" });
    },
    query: async (sql) => {
      const statement = checkStatement(sql);
      if (!statement.ok) return fail(statement.error.message);
      const missing = missingData(statement.value, datasets);
      return missing === undefined ? await answer(session, statement.value) : fail(missing);
    },
    close: () => session.close(),
  };
}

async function openSession(folder: string): Promise<Session> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    try {
      return new Session(folder);
    } catch (error) {
      // chdb says why only on stderr; a lock is the one reason that goes away.
      if (!isLocked(folder)) throw error;
      if (Date.now() > deadline) throw new FolderInUseError(`${folder} is in use by another process.`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

// ClickHouse writes `PID: <n>` into `status` and holds a lock on it.
function isLocked(folder: string): boolean {
  try {
    const pid = Number(/^PID: (\d+)/m.exec(readFileSync(join(folder, "status"), "utf8"))?.[1]);
    return pid > 0 && pid !== process.pid && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** How many blobs and doubles the widest point of a dataset had: the service knows no type of a column beyond. */
interface WrittenSlots {
  blobs: number;
  doubles: number;
}

const writtenSlots = v.object({ blobs: v.number(), doubles: v.number() });

// The slots are in the comment of a table. A table without one was made before there were any.
async function readDatasets(session: Session): Promise<Map<string, WrittenSlots>> {
  const tables = await session.queryAsync(
    "SELECT name, comment FROM system.tables WHERE database = currentDatabase()",
    { format: "JSON" },
  );
  const rows = v.parse(v.object({ data: v.array(v.object({ name: v.string(), comment: v.string() })) }), tables.json());
  return new Map(
    rows.data.map(({ name, comment }) => {
      const slots = v.safeParse(v.pipe(v.string(), v.parseJson(), writtenSlots), comment);
      return [name, slots.success ? slots.output : { blobs: BLOBS.length, doubles: DOUBLES.length }];
    }),
  );
}

function widen(written: WrittenSlots, points: CheckedPoint[]): WrittenSlots {
  const widest = { ...written };
  for (const { blobs, doubles } of points) {
    widest.blobs = Math.max(widest.blobs, blobs.length);
    widest.doubles = Math.max(widest.doubles, doubles.length);
  }
  return widest;
}

// What the service says of a dataset that no point was written to, and of a column that no point has.
function missingData(statement: Statement, datasets: ReadonlyMap<string, WrittenSlots>): string | undefined {
  if (statement.kind === "show" || statement.table === undefined) return undefined;
  const written = datasets.get(statement.table);
  if (written === undefined) return `unknown table: ${statement.table}`;
  const known = [...BLOBS.slice(0, written.blobs), ...DOUBLES.slice(0, written.doubles)];
  const slots = [...statement.columns].filter((name) => BLOBS.includes(name) || DOUBLES.includes(name));
  const unknown = slots.find((name) => !known.includes(name));
  return unknown === undefined ? undefined : `unable to find type of column: ${unknown}`;
}

// Columns in the order Cloudflare shows them. Sorted by index, so that a domain's points lie together.
function createTable(dataset: string): string {
  const blobs = BLOBS.map((name) => `${name} String`);
  const doubles = DOUBLES.map((name) => `${name} Float64`);
  const columns = [
    `dataset String DEFAULT '${dataset}'`,
    "timestamp DateTime",
    "_sample_interval UInt32 DEFAULT 1",
    "index1 String",
    ...blobs,
    ...doubles,
  ];
  // Many small inserts are normal here; the server's defaults would refuse them at 300 parts.
  const settings = "parts_to_delay_insert = 2000, parts_to_throw_insert = 5000";
  return `CREATE TABLE IF NOT EXISTS ${dataset} (${columns.join(", ")}) ENGINE = MergeTree ORDER BY (index1, timestamp) SETTINGS ${settings}`;
}

function buildRow({ index, blobs, doubles }: CheckedPoint, nowSeconds: number): (string | number)[] {
  return [
    Math.floor(nowSeconds),
    index.toWellFormed(),
    ...BLOBS.map((_, place) => blobs[place]?.toWellFormed() ?? ""),
    ...DOUBLES.map((_, place) => doubles[place] ?? 0),
  ];
}

async function answer(session: Session, statement: Statement): Promise<Result<Answer, string>> {
  const { format } = statement;
  const sql = statement.kind === "select" ? statement.sql : showStatement(statement.what);
  try {
    const result = await session.queryAsync(`${sql}\nSETTINGS ${QUERY_SETTINGS}`, { format });
    return ok({ format, body: format === "JSON" ? asCloudflare(result) : result.text() });
  } catch (error) {
    return fail(engineReason(error));
  }
}

function showStatement(what: "TABLES" | "TIMEZONES" | "TIMEZONE"): string {
  if (what === "TABLES")
    return "SELECT name AS dataset FROM system.tables WHERE database = currentDatabase() ORDER BY name";
  if (what === "TIMEZONES") return "SELECT time_zone AS timezone FROM system.time_zones ORDER BY time_zone";
  return "SELECT 'Etc/UTC' AS timezone";
}

interface JsonAnswer {
  meta: { name: string; type: string }[];
  data: unknown[];
  rows: number;
  rows_before_limit_at_least?: number;
}

// ClickHouse adds statistics, and counts rows before a limit only where there is one.
function asCloudflare(result: ChdbResult): string {
  const { meta, data, rows, rows_before_limit_at_least } = result.json<JsonAnswer>();
  return JSON.stringify({ meta, data, rows, rows_before_limit_at_least: rows_before_limit_at_least ?? rows });
}

function engineReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Code: \d+\. DB::Exception: /, "").trim();
}
