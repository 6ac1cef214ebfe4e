/** Which reporters a page offers to choose from. Pure. */
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";

/**
 * The names in order, each once, and the chosen one whatever it is; "" = none. A select with thousands of names would be
 * of no use, and any stranger can write reports under any name.
 */
export function reportersToChoose(names: readonly string[], chosen: string): string[] {
  const first = [...new Set(names)].sort().slice(0, DASHBOARD_LIMITS.maxReporters);
  return chosen === "" || first.includes(chosen) ? first : [chosen, ...first];
}
