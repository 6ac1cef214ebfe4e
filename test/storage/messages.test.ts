import { describe, expect, it } from "vitest";
import { parseMessage } from "../../shared/messages.ts";

const REPORT = { v: 1, kind: "report", key: "raw/1", rua: "a@b", receivedSeconds: 1 };
const PACKED = { dataset: "records", count: 2, index: "d", blobs: ["a", ["b", "c"]], doubles: [1, [2, 3]] };
const POINTS = {
  v: 1,
  kind: "points",
  key: "raw/1",
  reportUid: "u",
  generation: 1,
  receivedSeconds: 1,
  slice: 0,
  points: [PACKED],
};

describe("a queue message", () => {
  it.each([
    ["a report", REPORT],
    ["a report run again", { ...REPORT, generation: 5, resent: true, coversPoints: 3, liftsBudget: true, alone: true }],
    [
      "a report run again above stray points of one report",
      { ...REPORT, generation: 5, coversPoints: 3, coversUids: ["a"] },
    ],
    ["a report run again by a job", { ...REPORT, generation: 5, jobId: "j" }],
    ["points", POINTS],
    ["points of an account in another database", { ...POINTS, shard: 2 }],
    ["points sent again", { ...POINTS, deadLetterId: "20261120-a" }],
    ["a job", { v: 1, kind: "job", jobId: "j", page: 0 }],
  ])("is %s", (_, body) => {
    expect(parseMessage(body)).toEqual({ ok: true, value: body });
  });

  it.each([
    ["nothing", undefined],
    ["a text", "report"],
    ["of another version", { ...REPORT, v: 2 }],
    ["of an unknown kind", { ...REPORT, kind: "reports" }],
    ["of a kind that is no more", { ...REPORT, kind: "finish", generation: 1, tries: 0 }],
    ["without its key", { ...REPORT, key: undefined }],
    ["with a number for a text", { ...REPORT, rua: 7 }],
    ["with a job that is no name", { ...REPORT, jobId: 7 }],
    ["of an unknown dataset", { ...POINTS, points: [{ ...PACKED, dataset: "other" }] }],
    ["with a column of too few values", { ...POINTS, points: [{ ...PACKED, count: 3 }] }],
    ["points of a database that cannot be", { ...POINTS, shard: -1 }],
    ["points of half a database", { ...POINTS, shard: 0.5 }],
    ["a job without a page", { v: 1, kind: "job", jobId: "j" }],
  ])("is refused, naming the field: %s", (_, body) => {
    const parsed = parseMessage(body);
    expect(parsed).toMatchObject({ ok: false, error: expect.stringMatching(/^[\w.]+: /) });
  });
});
