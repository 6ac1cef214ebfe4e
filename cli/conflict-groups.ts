/** Groups conflicts for a list: those of one reporter about one domain, and single ones that came in one file. Pure. */
import type { Conflict } from "../shared/contract/incoming-shapes.ts";

/** Conflicts shown as one line. */
export interface ConflictGroup {
  conflicts: Conflict[];
  /** The file they came in, when they are grouped by it; its last path segment. */
  file: string | undefined;
}

/** Groups conflicts, the largest group first. Every conflict is in exactly one group. */
export function groupConflicts(conflicts: readonly Conflict[]): ConflictGroup[] {
  const byReporter = groupBy(conflicts, ({ account, kind, reporter, domain }) => [account, kind, reporter, domain]);
  const several = byReporter.filter((group) => group.length > 1);
  const single = byReporter.filter((group) => group.length === 1).flat();
  const byFile = groupBy(single, ({ account, other }) => [account, other.rawKey]);
  return [
    ...several.map((group): ConflictGroup => ({ conflicts: group, file: undefined })),
    ...byFile.map((group): ConflictGroup => ({ conflicts: group, file: group.length > 1 ? fileOf(group) : undefined })),
  ].sort((a, b) => b.conflicts.length - a.conflicts.length);
}

function fileOf([first]: readonly Conflict[]): string | undefined {
  return first?.other.rawKey.split("/").at(-1);
}

function groupBy(conflicts: readonly Conflict[], keyOf: (conflict: Conflict) => readonly string[]): Conflict[][] {
  const groups = new Map<string, Conflict[]>();
  for (const conflict of conflicts) {
    const key = JSON.stringify(keyOf(conflict));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [conflict]);
    else group.push(conflict);
  }
  return [...groups.values()];
}

/** A row per group: how many, whose, about what, when the first and the last were filed (ISO 8601), and the id of a single one. */
export function groupRow({ conflicts, file }: ConflictGroup): string[] {
  const times = conflicts.map(({ at }) => at.slice(0, 16).replace("T", " ")).sort();
  const [only] = conflicts;
  return [
    String(conflicts.length),
    oneOrCount(conflicts.map(({ reporter }) => reporter)),
    oneOrCount(conflicts.map(({ domain }) => domain)),
    only?.account ?? "",
    times[0] ?? "",
    times.at(-1) ?? "",
    conflicts.length === 1 ? (only?.id ?? "") : file === undefined ? "" : `in ${file}`,
  ];
}

/** The value they all have, or how many different ones there are. */
function oneOrCount(values: readonly string[]): string {
  const different = new Set(values);
  return different.size === 1 ? (values[0] ?? "") : `${different.size} different`;
}
