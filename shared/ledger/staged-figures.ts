/**
 * Figures of a large report, written before the transaction that accepts it, under a reading: that of a report that is never
 * accepted is removed later (retention.ts).
 */
import { FIGURE_LIMITS } from "../limits.ts";
import { change, type LedgerDatabase } from "./database.ts";

/** Whether figures must be written before their report, under a reading. */
export function needsReading(figures: readonly string[]): boolean {
  return figures.length > 1 || (figures[0]?.length ?? 0) > FIGURE_LIMITS.maxInlineChars;
}

/**
 * Writes figures of a large report before it is accepted. Safe to repeat.
 *
 * @param reading identifies what they were read from: 32 hex digits
 * @param firstChunk index of the first chunk within the reading
 */
export async function stageFigures(
  database: LedgerDatabase,
  { reading, firstChunk, figures }: { reading: string; firstChunk: number; figures: readonly string[] },
  nowSeconds: number,
): Promise<void> {
  for (const [i, chunk] of figures.entries()) {
    await change(database, [
      {
        sql: `INSERT INTO report_figures (reading, chunk, figures, written_seconds) VALUES (unhex(?1), ?2, ?3, ?4)
          ON CONFLICT (reading, chunk) DO UPDATE SET figures = excluded.figures, written_seconds = excluded.written_seconds`,
        parameters: [reading, firstChunk + i, chunk, nowSeconds],
      },
    ]);
  }
}
