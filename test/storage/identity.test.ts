import { describe, expect, it } from "vitest";
import { conflictId, deadLetterId, eventId, reportUid, sliceEventId } from "../../shared/identity.ts";
import { readReports } from "../../shared/report/read.ts";
import { bytesSource } from "../../shared/report/source.ts";
import type { AggregateReport } from "../../shared/report/vocabulary.ts";
import { sampleReport } from "../cli/sample-report.ts";

async function report(given: Parameters<typeof sampleReport>[0] = {}): Promise<AggregateReport> {
  for await (const event of readReports(bytesSource(Buffer.from(sampleReport(given))), {
    nowSeconds: Date.now() / 1000,
  })) {
    if (event.type === "report" && event.report.kind === "aggregate") return event.report;
  }
  throw new Error("The sample is no report.");
}

describe("the uid of a report", () => {
  it("is pinned: a change would count every report again", async () => {
    expect(await reportUid("acme", await report())).toBe("418ad52533e8694d992d09615751469b");
  });

  it("ignores case, white space and one pair of angle brackets", async () => {
    const plain = await reportUid("acme", await report());
    expect(await reportUid("acme", await report({ orgName: "  REPORTER " }))).toBe(plain);
    expect(await reportUid("acme", await report({ reportId: "&lt;id-1&gt;" }))).toBe(plain);
  });

  it("differs by account, reporter, report id, domain and period", async () => {
    const changed = await report();
    changed.metadata.endSeconds++;
    const uids = await Promise.all([
      reportUid("acme", await report()),
      reportUid("other", await report()),
      reportUid("acme", await report({ orgName: "Reporter 2" })),
      reportUid("acme", await report({ reportId: "id-10" })),
      reportUid("acme", await report({ domain: "sub.acme.example" })),
      reportUid("acme", changed),
    ]);
    expect(new Set(uids).size).toBe(uids.length);
  });
});

describe("other ids", () => {
  it("are the same for the same, and tell everything else apart", async () => {
    const letter = { rawKey: "raw/1", part: "a", code: "empty" };
    const ids = [
      await deadLetterId("2026/11/20", letter),
      await deadLetterId("2026/11/20", { ...letter, part: "b" }),
      await deadLetterId("2026/11/20", { ...letter, code: "truncated" }),
      // Parts are never run together: ("raw/1", "a") is not ("raw/1a", "").
      await deadLetterId("2026/11/20", { ...letter, rawKey: "raw/1a", part: "" }),
      await conflictId(0, "uid", "hash"),
      await conflictId(0, "uid", "hash 2"),
      await eventId("raw/1", "a", "duplicate"),
      await sliceEventId({ reportUid: "uid", generation: 1, slice: 0 }),
      await sliceEventId({ reportUid: "uid", generation: 1, slice: 1 }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(await deadLetterId("2026-11-20", letter)).toBe(ids[0]);
  });
});
