import { describe, expect, it } from "vitest";
import { conflictId, deadLetterId, eventId, reportUid, sliceEventId, versionUid } from "../../shared/identity.ts";
import { readReports } from "../../shared/report/read.ts";
import { bytesSource } from "../../shared/report/source.ts";
import type { AggregateReport } from "../../shared/report/vocabulary.ts";
import { headerOf, type ReportHeader } from "../../shared/report-header.ts";
import { sampleReport } from "../support/sample-report.ts";

async function report(given: Parameters<typeof sampleReport>[0] = {}): Promise<AggregateReport> {
  for await (const event of readReports(bytesSource(Buffer.from(sampleReport(given))), {
    nowSeconds: Date.now() / 1000,
  })) {
    if (event.type === "report" && event.report.kind === "aggregate") return event.report;
  }
  throw new Error("The sample is no report.");
}

async function uid(account: string, given: Parameters<typeof sampleReport>[0] = {}): Promise<string> {
  return reportUid(account, headerOf(await report(given)), "");
}

describe("the uid of a report", () => {
  it("is pinned, because a change would count every report again", async () => {
    expect(await uid("acme")).toBe("3720468f7264bfdd45890adfca30cda4");
  });

  it("ignores case, white space, one pair of angle brackets, and how a domain name is written", async () => {
    const plain = await uid("acme");
    expect(await uid("acme", { orgName: "  REPORTER " })).toBe(plain);
    expect(await uid("acme", { reportId: "&lt;id-1&gt;" })).toBe(plain);
    expect(await uid("acme", { domain: "ACME.example." })).toBe(plain);
    expect(await uid("acme", { domain: "b\u00fccher.example" })).toBe(
      await uid("acme", { domain: "xn--bcher-kva.example" }),
    );
  });

  it("differs by account, reporter, report id, domain and period", async () => {
    const changed = await report();
    changed.metadata.endSeconds++;
    const elsewhere = await report();
    elsewhere.metadata.email = "dmarc@elsewhere.example";
    const uids = await Promise.all([
      uid("acme"),
      uid("other"),
      uid("acme", { orgName: "Reporter 2" }),
      uid("acme", { reportId: "id-10" }),
      uid("acme", { domain: "sub.acme.example" }),
      reportUid("acme", headerOf(changed), ""),
      // The same organization by another domain is another reporter.
      reportUid("acme", headerOf(elsewhere), ""),
    ]);
    expect(new Set(uids).size).toBe(uids.length);
  });

  it("includes the domains of a TLS report in any order, and the content of a failure report", async () => {
    const tls: ReportHeader = {
      kind: "tls",
      reporter: "Reporter",
      reporterKey: ["reporter.example"],
      reportId: "1",
      domains: ["a.example", "b.example"],
      beginSeconds: 1,
      endSeconds: 2,
    };
    const one = await reportUid("acme", tls, "x");
    expect(await reportUid("acme", tls, "y")).toBe(one);
    expect(await reportUid("acme", { ...tls, domains: ["a.example"] }, "x")).not.toBe(one);
    const failure: ReportHeader = { ...tls, kind: "failure", reportId: "" };
    expect(await reportUid("acme", failure, "x")).not.toBe(await reportUid("acme", failure, "y"));
  });
});

describe("the other ids", () => {
  it("are equal for equal input and different otherwise", async () => {
    const letter = { rawKey: "raw/1", part: "a", code: "empty" };
    const ids = [
      await deadLetterId("2026/11/20", letter),
      await deadLetterId("2026/11/20", { ...letter, part: "b" }),
      await deadLetterId("2026/11/20", { ...letter, code: "truncated" }),
      // Parts are never run together: ("raw/1", "a") is not ("raw/1a", "").
      await deadLetterId("2026/11/20", { ...letter, rawKey: "raw/1a", part: "" }),
      await conflictId(0, "uid", "hash"),
      await conflictId(0, "uid", "hash 2"),
      await versionUid("uid", "hash"),
      await eventId("raw/1", "a", "duplicate"),
      await sliceEventId({ reportUid: "uid", generation: 1, slice: 0 }),
      await sliceEventId({ reportUid: "uid", generation: 1, slice: 1 }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(await deadLetterId("2026-11-20", letter)).toBe(ids[0]);
  });
});
