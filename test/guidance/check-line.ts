/** Support: a check of records in one line. */
import type { Check } from "../../shared/guidance/check.ts";

/** The state of the whole, with the codes of what was found that is not simply good. */
export function verdictOf({ state, findings }: Check): string {
  const codes = findings.filter((finding) => finding.state !== "good").map(({ code }) => code);
  return [state, ...new Set(codes)].join(" ");
}
