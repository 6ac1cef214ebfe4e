/** How `dmarc conflicts list` puts conflicts together. */
import { describe, expect, it } from "vitest";
import { groupConflicts, groupRow } from "../../cli/conflict-groups.ts";
import type { Conflict, ConflictVersion } from "../../shared/contract/incoming-shapes.ts";

const VERSION: ConflictVersion = {
  rawKey: "raw/2026/11/20/0/a.xml",
  rua: "dmarc@acme.example",
  part: "",
  contentHash: "",
  receivedSeconds: 1_763_640_000,
  generation: 1,
  records: 1,
  messages: 7,
  passed: 7,
  sender: { state: "unchecked", domain: "" },
};

function conflict(id: string, changes: Partial<Conflict> = {}): Conflict {
  return {
    id,
    at: `2026-11-2${id.length}T12:30:00.000Z`,
    account: "acme",
    rua: "dmarc@acme.example",
    kind: "aggregate",
    domain: "acme.example",
    day: "2026-11-20",
    reporter: "Big Mail",
    reportId: id,
    uid: id,
    accepted: VERSION,
    other: VERSION,
    ...changes,
  };
}

const inFile = (rawKey: string): Partial<Conflict> => ({ other: { ...VERSION, rawKey } });

describe("conflicts", () => {
  it("of one reporter about one domain share a line with the first and last time", () => {
    const groups = groupConflicts([conflict("aaa"), conflict("b"), conflict("cc")]);
    expect(groups.map(groupRow)).toEqual([
      ["3", "Big Mail", "acme.example", "acme", "2026-11-21 12:30", "2026-11-23 12:30", ""],
    ]);
  });

  it("of one file share a line if reporters and domains differ; a single conflict shows its id", () => {
    const groups = groupConflicts([
      conflict("a", { reporter: "One", ...inFile("raw/2026/11/20/0/many.zip") }),
      conflict("b", { reporter: "Two", domain: "b.example", ...inFile("raw/2026/11/20/0/many.zip") }),
      conflict("c", { reporter: "Three", ...inFile("raw/2026/11/20/1/other.xml") }),
    ]);
    expect(groups.map(groupRow)).toEqual([
      ["2", "2 different", "2 different", "acme", "2026-11-21 12:30", "2026-11-21 12:30", "in many.zip"],
      ["1", "Three", "acme.example", "acme", "2026-11-21 12:30", "2026-11-21 12:30", "c"],
    ]);
  });

  it("of different accounts or kinds are never grouped, and none is lost", () => {
    const conflicts = [
      ...Array.from({ length: 20 }, (_, i) => conflict(`a${i}`)),
      conflict("b", { account: "other" }),
      conflict("c", { kind: "tls" }),
    ];
    const groups = groupConflicts(conflicts);
    expect(groups.map((group) => group.conflicts.length)).toEqual([20, 1, 1]);
    expect(new Set(groups.flatMap((group) => group.conflicts.map(({ id }) => id))).size).toBe(22);
  });
});
