/** Spreads the figures of one report over its days while they are read (report-spread.ts). Pure. */
import { Spreader } from "../report-spread.ts";
import { lettersOfKey } from "./figures.ts";

type Counts = ReadonlyMap<string, readonly number[]>;

/** Spreads JSON objects of figures one by one. */
export class FigureSpreader {
  readonly #spreaders: ReadonlyMap<string, Spreader>;
  readonly #days: number;
  readonly #groupOf: (key: string) => string;

  private constructor(byDay: Counts, { days, groupOf }: { days: number; groupOf: (key: string) => string }) {
    this.#spreaders = new Map([...byDay].map(([group, targets]) => [group, new Spreader(targets)]));
    this.#days = days;
    this.#groupOf = groupOf;
  }

  /** For records. @param byDay messages by result letters and day: the sums that the figures of each day must have */
  static ofRecords(byDay: Counts, days: number): FigureSpreader {
    return new FigureSpreader(byDay, { days, groupOf: lettersOfKey });
  }

  /** For figures with a single sum. @param targets the sum that the figures of each day must have */
  static ofAll(targets: readonly number[]): FigureSpreader {
    return new FigureSpreader(new Map([["", targets]]), { days: targets.length, groupOf: () => "" });
  }

  /**
   * @param figures one JSON object, key → count
   * @returns one JSON object per day; a figure is only in those where its count is above 0
   */
  split(figures: string): string[] {
    const byDay = Array.from({ length: this.#days }, (): [string, number][] => []);
    const counts: Record<string, number> = JSON.parse(figures);
    for (const [key, count] of Object.entries(counts)) {
      const parts = this.#spreaders.get(this.#groupOf(key))?.take(count) ?? [count];
      for (const [i, part] of parts.entries()) if (part > 0) byDay[i]?.push([key, part]);
    }
    return byDay.map((entries) => JSON.stringify(Object.fromEntries(entries)));
  }
}
