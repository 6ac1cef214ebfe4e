/** Which databases of the ledger have little room left, and what an operator does about it: a full one takes no report. Pure. */
import { D1_LIMITS } from "./limits.ts";

/** Ours: the share of a database from which new accounts should go elsewhere, and from which its own accounts are too large for it. */
const NEARLY_FULL = 0.8;
const FULL = 0.95;

/** The databases by number, and their sizes; 0 = not known. */
export type DatabaseSizes = readonly { database: number; bytes: number }[];

/** A database that is nearly full. */
export interface FilledDatabase {
  database: number;
  /** Whether it may be full any day. */
  isFull: boolean;
  /** How full it is, and what helps: sentences without their periods. */
  holds: string;
  advice: string;
  /** The command for it. */
  command: string;
}

/** Those that somebody has to do something about. @param maxBytes what one may hold, by the plan */
export function filledDatabases(
  databases: DatabaseSizes,
  maxBytes: number = D1_LIMITS.maxDatabaseBytes,
): FilledDatabase[] {
  const { maxDatabaseBytes, maxDatabases } = D1_LIMITS;
  const [unit, unitBytes] = maxBytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  const plan = maxBytes < maxDatabaseBytes ? `, or Workers Paid, where each may hold ${maxDatabaseBytes / 1e9} GB` : "";
  return databases.flatMap(({ database, bytes }): FilledDatabase[] => {
    const isFull = bytes >= FULL * maxBytes;
    const size = (bytes / unitBytes).toFixed(unitBytes === 1e6 ? 0 : 1);
    const holds = `Database ${database} holds ${size} of ${maxBytes / unitBytes} ${unit}`;
    const isLast = database === databases.length - 1 && databases.length < maxDatabases;
    if (isLast && bytes >= NEARLY_FULL * maxBytes) {
      const advice = `new accounts need another, its own fewer days of details (KEEP_DETAIL_DAYS)${plan}`;
      return [{ database, isFull, holds, advice, command: `npm run deploy -- --databases ${databases.length + 1}` }];
    }
    if (!isFull) return [];
    const advice = `keep details for fewer days (KEEP_DETAIL_DAYS)${plan}`;
    return [{ database, isFull, holds, advice, command: "npm run deploy -- --file options.json" }];
  });
}
