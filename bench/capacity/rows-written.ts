/**
 * How many rows D1 says each kind of statement wrote (`meta.rows_written`, which is what it bills): asked of workerd's own D1, with
 * tables of ten rows. docs/capacity.md has the answers.
 *
 * usage: node bench/capacity/rows-written.ts
 */
import { renderTable } from "../../cli/terminal.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { withEmptyDatabase } from "./empty-database.ts";

const ROWS = 10;
const TEN = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})`;

/** Tables of a key `a`, a value `b`, indexed where there is an index, and another value `c`. */
const TABLES = {
  "row id, no index": ["CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER)"],
  "row id, an index": ["CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER)", "CREATE INDEX t_b ON t (b)"],
  "row id, a partial index without the row": [
    "CREATE TABLE t (a INTEGER, b INTEGER, c INTEGER)",
    "CREATE INDEX t_b ON t (b) WHERE b < 0",
  ],
  "chosen row id (INTEGER PRIMARY KEY)": ["CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER, c INTEGER)"],
  "TEXT PRIMARY KEY": ["CREATE TABLE t (a TEXT PRIMARY KEY, b INTEGER, c INTEGER)"],
  "WITHOUT ROWID": ["CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER, c INTEGER) WITHOUT ROWID"],
  "WITHOUT ROWID, an index": [
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER, c INTEGER) WITHOUT ROWID",
    "CREATE INDEX t_b ON t (b)",
  ],
} as const;

/** Each begins with the ten rows. */
const STATEMENTS = {
  "INSERT of a row": "INSERT INTO t VALUES (11, 11, 11)",
  "UPDATE of c": "UPDATE t SET c = 0 WHERE a = '5'",
  "UPDATE of a": "UPDATE t SET a = 11 WHERE a = '5'",
  "UPDATE of b": "UPDATE t SET b = 0 WHERE a = '5'",
  "INSERT OR REPLACE": "INSERT OR REPLACE INTO t VALUES (5, 0, 0)",
  "INSERT … ON CONFLICT DO UPDATE of c": "INSERT INTO t VALUES (5, 5, 5) ON CONFLICT DO UPDATE SET c = 0",
  "DELETE of a row": "DELETE FROM t WHERE a = '5'",
  "DELETE of all": "DELETE FROM t",
  "DROP TABLE": "DROP TABLE t",
} as const;

async function rowsWritten(database: LedgerDatabase, table: readonly string[], statement: string): Promise<number> {
  await database.batch(["DROP TABLE IF EXISTS t", ...table].map((sql) => database.prepare(sql)));
  await database.prepare(`${TEN} INSERT INTO t SELECT i, i, i FROM n`).all();
  const { meta } = await database.prepare(statement).all();
  return meta.rows_written ?? Number.NaN;
}

const rows = await withEmptyDatabase(async (database) => {
  const counted: string[][] = [];
  for (const [name, table] of Object.entries(TABLES)) {
    const counts: string[] = [];
    for (const statement of Object.values(STATEMENTS)) {
      counts.push(String(await rowsWritten(database, table, statement)));
    }
    counted.push([name, ...counts]);
  }
  return counted;
});
console.log(renderTable(["Table of ten rows", ...Object.keys(STATEMENTS)], rows));
