/** Figures of one report as they are read, spread over its days (report-spread.ts). Pure. */
import { Spreader } from "../report-spread.ts";
import { lettersOfKey } from "./figures.ts";

type Counts = ReadonlyMap<string, readonly number[]>;

/** Spreads JSON objects of figures, one after the other. */
export class FigureSpreader {
  readonly #spreaders: ReadonlyMap<string, Spreader>;
  readonly #days: number;
  readonly #groupOf: (key: string) => string;

  private constructor(byDay: Counts, { days, groupOf }: { days: number; groupOf: (key: string) => string }) {
    this.#spreaders = new Map([...byDay].map(([group, targets]) => [group, new Spreader(targets)]));
    this.#days = days;
    this.#groupOf = groupOf;
  }

  /** Of records. @param byDay messages by result letters and day, which the figures of each day add up to */
  static ofRecords(byDay: Counts, days: number): FigureSpreader {
    return new FigureSpreader(byDay, { days, groupOf: lettersOfKey });
  }

  /** Of figures that have one sum. @param targets what those of each day add up to */
  static ofAll(targets: readonly number[]): FigureSpreader {
    return new FigureSpreader(new Map([["", targets]]), { days: targets.length, groupOf: () => "" });
  }

  /**
   * @param figures one JSON object, key → count
   * @returns one JSON object a day; a figure is in those it has a count above 0 in
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
