/**
 * Support: what a release holds, as one JSON value: rows, raw objects, the registry, messages that wait, and points. A release
 * writes it with its own code (`snapshotOf`, run in its checkout by a test that prints it); later ones read it
 * (test/process/upgrade.test.ts).
 */
import type { Simulation } from "./simulation.ts";

type Value = string | number | null | { hex: string };

/** What was held. */
export interface Snapshot {
  /** The last migration. */
  migration: string;
  nowMilliseconds: number;
  /** Rows by table. */
  tables: Record<string, Record<string, Value>[]>;
  registry: [string, string][];
  raw: { key: string; metadata: Record<string, string>; base64: string }[];
  /** Bodies that wait in dmarc-reports and dmarc-points. */
  messages: { reports: string[]; points: string[] };
  /** Points by dataset, as they were written. */
  points: Record<string, unknown[]>;
}

/** Tables of a database by name. */
export function tablesOf(simulation: Simulation): string[] {
  const rows = simulation.ledger.sqlite
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  return rows.map(({ name }) => String(name));
}

/** Takes everything that a simulation with one database holds. */
export async function snapshotOf(simulation: Simulation, migration: string): Promise<Snapshot> {
  const tables = tablesOf(simulation).map((name): [string, Record<string, Value>[]] => [
    name,
    simulation.ledger.sqlite.prepare(`SELECT * FROM ${name}`).all().map(jsonRow),
  ]);
  const raw = await Promise.all(
    simulation.bucket.keys().map(async (key) => {
      const object = await simulation.bucket.get(key);
      if (object === null) throw new Error(`There is no ${key}.`);
      const base64 = Buffer.from(await object.arrayBuffer()).toString("base64");
      return { key, metadata: object.customMetadata, base64 };
    }),
  );
  const bodies = (name: "dmarc-reports" | "dmarc-points"): string[] =>
    simulation.queues[name].messages.map(({ body }) => body);
  return {
    migration,
    nowMilliseconds: simulation.clock.nowMilliseconds,
    tables: Object.fromEntries(tables.filter(([, rows]) => rows.length > 0)),
    registry: [...simulation.registry],
    raw,
    messages: { reports: bodies("dmarc-reports"), points: bodies("dmarc-points") },
    points: { ...simulation.points },
  };
}

function jsonRow(row: Record<string, unknown>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]): [string, Value] => {
      if (value instanceof Uint8Array) return [name, { hex: Buffer.from(value).toString("hex") }];
      return [name, typeof value === "number" || typeof value === "string" ? value : null];
    }),
  );
}

/** Puts rows into tables as they were. */
export async function restoreInto(
  simulation: Simulation,
  { tables, raw, registry, nowMilliseconds }: Snapshot,
): Promise<void> {
  simulation.clock.nowMilliseconds = nowMilliseconds;
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const names = Object.keys(row);
      const values = Object.values(row).map((value) =>
        typeof value === "object" && value !== null ? Buffer.from(value.hex, "hex") : value,
      );
      const places = names.map(() => "?").join(", ");
      simulation.ledger.sqlite.prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${places})`).run(...values);
    }
  }
  for (const [key, value] of registry) simulation.registry.set(key, value);
  for (const { key, metadata, base64 } of raw) {
    await simulation.bucket.put(key, Buffer.from(base64, "base64"), { customMetadata: metadata });
  }
}
