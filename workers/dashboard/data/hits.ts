/** The records that a policy step would have hit: the rows behind a number in the verdict's table. Pure. */
import { passes } from "../../../shared/guidance/evidence.ts";
import type { JudgedSource, Role } from "../../../shared/guidance/roles.ts";
import { HITS, type PolicyStep } from "../../../shared/guidance/what-if.ts";
import type { Evidence } from "../../../shared/ledger/sources.ts";

/** Equal records of a source. Reports' envelope sender is not distinguished. */
export interface HitRecord extends Evidence {
  domain: string;
  source: JudgedSource;
  isPass: boolean;
  envelopeFrom: string;
}

/** Whose records, and of which step. */
export interface HitsInput {
  domain: string;
  sources: readonly JudgedSource[];
  /** Only sources of this role; absent = all. */
  role?: Role | undefined;
  step: PolicyStep;
}

/** Records of sources that a step hits. */
export function hitRecords({ domain, sources, role, step }: HitsInput): HitRecord[] {
  return sources
    .filter((source) => role === undefined || source.role === role)
    .flatMap((source) =>
      source.evidence
        .filter((group) => HITS[step](group, domain))
        .map((group) => ({ ...group, domain, source, isPass: passes(group), envelopeFrom: "" })),
    );
}
