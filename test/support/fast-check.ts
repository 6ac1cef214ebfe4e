/**
 * Support: fast-check with one seed for every run, and with more values where they are asked for. Tests take it from
 * properties.ts.
 */
import * as fastCheck from "fast-check";

export * from "fast-check";

/** The seed of an ordinary run. */
const ORDINARY_SEED = 20261128;
/** How many values fast-check tries where a test does not say. */
const DEFAULT_RUNS = 100;
/** How many times as many values as in an ordinary run. */
export const TIMES = Number(process.env.PROPERTY_TIMES ?? 1);

fastCheck.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? ORDINARY_SEED) });

/** fast-check's own, with `TIMES` the runs. */
export function assert<Values>(
  property: fastCheck.IAsyncProperty<Values>,
  parameters?: fastCheck.Parameters<Values>,
): Promise<void>;
export function assert<Values>(property: fastCheck.IProperty<Values>, parameters?: fastCheck.Parameters<Values>): void;
export function assert<Values>(
  property: fastCheck.IRawProperty<Values>,
  { numRuns = DEFAULT_RUNS, ...others }: fastCheck.Parameters<Values> = {},
): Promise<void> | void {
  return fastCheck.assert(property, { ...others, numRuns: numRuns * TIMES });
}
