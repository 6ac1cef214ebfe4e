import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { UNCHECKED } from "../../shared/authentication/sender-state.ts";
import { Claims } from "../../shared/ledger/claims.ts";
import { commitBatch } from "../../shared/ledger/commit-batch.ts";
import { ask, change, OneCall, query } from "../../shared/ledger/database.ts";
import { figuresIn } from "../../shared/ledger/figure-sql.ts";
import { findObjects } from "../../shared/ledger/objects.ts";
import { detailsColumn, detailsText } from "../../shared/ledger/report-rows.ts";
import {
  addReports,
  assertReports,
  type Decision,
  findReports,
  type LedgerReport,
  type ReportWrite,
} from "../../shared/ledger/reports.ts";
import { stageFigures } from "../../shared/ledger/staged-figures.ts";
import { D1_LIMITS, FIGURE_LIMITS } from "../../shared/limits.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";
import { DAY, EMPTY, NOW, reference, share, write } from "./rows.ts";

async function daySums(ledger: SqliteLedger) {
  return ask(
    ledger,
    query(
      "SELECT day, reports, total FROM domain_days ORDER BY day",
      [],
      v.object({ day: v.number(), reports: v.number(), total: v.number() }),
    ),
  );
}

async function figureTotals(ledger: SqliteLedger, needles?: string[]) {
  const part = figuresIn("aggregate", { accounts: ["acme"] }, needles);
  return ask(
    ledger,
    query(
      `SELECT key, sum(value) AS total FROM ${part.sql} GROUP BY key ORDER BY key`,
      part.parameters,
      v.object({ key: v.string(), total: v.number() }),
    ),
  );
}

describe("commitBatch", () => {
  it("writes reports, sums of their days and outcomes of objects together", async () => {
    const ledger = new SqliteLedger();
    const [a, b] = [reference("a"), reference("b")];
    const object = { rua: "dmarc@example.com", rawKey: "raw/2026/11/18/x/r.xml", receivedSeconds: NOW };
    const outcome = {
      outcome: "accepted" as const,
      part: "",
      id: a.uid,
      account: "acme",
      kind: a.kind,
      domain: a.domain,
      day: DAY,
    };
    const committed = await commitBatch(
      ledger,
      {
        ...EMPTY,
        reports: [
          { reference: a, write: write(a, [share(DAY, { k1: 3, k2: 4 })]) },
          { reference: b, write: write(b, [share(DAY, { k2: 5 })]) },
        ],
        objects: [
          {
            ...object,
            account: "acme",
            version: 0,
            generation: 1,
            records: 3,
            reporter: 12,
            reports: 1,
            outcomes: [outcome],
            rawRemoved: false,
            found: 1,
            passedOver: {},
          },
        ],
      },
      NOW,
    );
    expect(committed.state).toBe("committed");
    expect(await daySums(ledger)).toEqual([{ day: DAY, reports: 2, total: 12 }]);
    expect(await figureTotals(ledger)).toEqual([
      { key: "k1", total: 3 },
      { key: "k2", total: 9 },
    ]);
    expect(await figureTotals(ledger, ["k1"])).toEqual([{ key: "k1", total: 3 }]);
    expect((await findObjects(ledger, [object])).get(object.rawKey)).toMatchObject({ version: 1, outcomes: [outcome] });
    expect((await findReports(ledger, [a, b])).reports.get(a.uid)).toMatchObject({ version: 1, state: "accepted" });
  });

  it("replaces a report's figures, also on days it no longer covers", async () => {
    const ledger = new SqliteLedger();
    const a = reference("a");
    const before = write(a, [share(DAY, { k1: 3 }), { ...share(DAY + 1, { k1: 2 }), place: 1 }]);
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: a, write: before }] }, NOW);
    expect(await daySums(ledger)).toEqual([
      { day: DAY, reports: 1, total: 3 },
      { day: DAY + 1, reports: 0, total: 2 },
    ]);
    const after = write(a, [share(DAY, { k9: 1 })], {
      version: 1,
      generation: 2,
      spreadBefore: [
        ["example.com", DAY],
        ["example.com", DAY + 1],
      ],
    });
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: a, write: after }] }, NOW);
    expect(await daySums(ledger)).toEqual([{ day: DAY, reports: 1, total: 1 }]);
    expect(await figureTotals(ledger)).toEqual([{ key: "k9", total: 1 }]);
  });

  it("removes a retracted report from the sums", async () => {
    const ledger = new SqliteLedger();
    const a = reference("a");
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: a, write: write(a, [share(DAY, { k1: 3 })]) }] }, NOW);
    const retracted = write(a, [], { version: 1, state: "retracted", spreadBefore: [["example.com", DAY]] });
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: a, write: retracted }] }, NOW);
    expect(await daySums(ledger)).toEqual([]);
    expect(await figureTotals(ledger)).toEqual([]);
    expect((await findReports(ledger, [a])).reports.get(a.uid)?.state).toBe("retracted");
  });

  it("takes neither policy nor last report from a report without a usable record", async () => {
    const ledger = new SqliteLedger();
    const [a, b] = [reference("a"), reference("b")];
    const useless = { ...share(DAY, {}), policy: "p=reject" };
    const details = { ...useless.details, skippedRecords: 3 };
    const last = async () =>
      ask(
        ledger,
        query(
          "SELECT last_end_seconds AS last, policy, reports FROM domain_days",
          [],
          v.object({ last: v.number(), policy: v.string(), reports: v.number() }),
        ),
      );
    await commitBatch(
      ledger,
      { ...EMPTY, reports: [{ reference: a, write: write(a, [{ ...useless, details }]) }] },
      NOW,
    );
    expect(await last()).toEqual([{ last: 0, policy: "", reports: 1 }]);
    const earlier = write(b, [share(DAY, { k1: 1 })], { endSeconds: DAY * 86_400 + 100 });
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: b, write: earlier }] }, NOW);
    expect(await last()).toEqual([{ last: DAY * 86_400 + 100, policy: "p=none", reports: 2 }]);
  });

  it("changes nothing if the ledger has changed since it was read", async () => {
    const ledger = new SqliteLedger();
    const a = reference("a");
    const batch = { ...EMPTY, reports: [{ reference: a, write: write(a, [share(DAY, { k1: 3 })]) }] };
    await commitBatch(ledger, batch, NOW);
    expect(await commitBatch(ledger, batch, NOW)).toEqual({ state: "changed" });
    expect(await daySums(ledger)).toEqual([{ day: DAY, reports: 1, total: 3 }]);
  });

  it("finds and refuses a final day among more rows than one parameter holds", async () => {
    const ledger = new SqliteLedger();
    const a = reference("a");
    const days = Array.from({ length: 2 * D1_LIMITS.maxReportRows + 1 }, (_, i) => DAY + i);
    const lastDay = DAY + days.length - 1;
    const longName = `${"d".repeat(240)}.example.com`;
    const rows = days.map((day) => ({ ...a, domain: longName, day }));
    const isFinal = async (): Promise<boolean> => {
      const call = new OneCall();
      const held = addReports(call, [a], rows);
      await call.send(ledger);
      return held().final.has(a.uid);
    };
    const shares = days.map((day) => ({ ...share(day, {}), domain: longName }));
    const assertion = assertReports([write(a, shares)], [a]);
    expect(await isFinal()).toBe(false);
    await change(ledger, assertion);
    const b = { ...reference("b"), domain: longName, day: lastDay };
    const other = write(b, [{ ...share(lastDay, { k1: 1 }), domain: longName }]);
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: b, write: other }] }, NOW);
    ledger.sqlite.exec("UPDATE domain_days SET is_final = 1");
    expect(await isFinal()).toBe(true);
    await expect(change(ledger, assertion)).rejects.toThrow();
  });

  it("writes, takes back and shortens reports that have more rows than one parameter holds", async () => {
    const ledger = new SqliteLedger();
    const domain = `${"d".repeat(240)}.example.com`;
    const days = Array.from({ length: 2 * D1_LIMITS.maxReportRows + 1 }, (_, i) => DAY + i);
    const spread = days.map((day): [string, number] => [domain, day]);
    const a = { ...reference("a"), domain };
    const shares = days.map((day) => ({ ...share(day, { k1: 2 }), domain }));
    const totals = () => ledger.sqlite.prepare("SELECT count(*) AS n, sum(total) AS total FROM domain_days").get();
    const commit = async (write: ReportWrite) =>
      (await commitBatch(ledger, { ...EMPTY, reports: [{ reference: a, write }] }, NOW)).state;
    expect(await commit(write(a, shares))).toBe("committed");
    expect(totals()).toEqual({ n: 8001, total: 16_002 });
    expect(await commit(write(a, [], { version: 1, state: "taken_back", spreadBefore: spread }))).toBe("committed");
    expect(totals()).toEqual({ n: 0, total: null });
    expect(await commit(write(a, shares.slice(0, 1), { version: 2, spreadBefore: spread }))).toBe("committed");
    expect(totals()).toEqual({ n: 1, total: 2 });
    expect(ledger.sqlite.prepare("SELECT count(*) AS n FROM reports").get()).toEqual({ n: 1 });
  });

  it("notes objects and slices of more reports than one parameter holds", async () => {
    const ledger = new SqliteLedger();
    const domain = `${"d".repeat(240)}.example.com`;
    const a = { ...reference("a"), domain };
    await commitBatch(
      ledger,
      { ...EMPTY, reports: [{ reference: a, write: write(a, [{ ...share(DAY, {}), domain }]) }] },
      NOW,
    );
    ledger.sqlite.exec("CREATE TEMP TABLE one AS SELECT * FROM reports");
    const uids = Array.from({ length: 5000 }, (_, i) => i.toString(16).padStart(32, "0"));
    for (const uid of uids) {
      ledger.sqlite.exec(`UPDATE one SET uid = x'${uid}'; INSERT INTO reports SELECT * FROM one`);
    }
    const { contentHash } = write(a, []);
    const other = {
      rawKey: `raw/2026/11/18/${"0".repeat(64)}/${"r".repeat(200)}.xml`,
      rua: "b@b.example",
      receivedSeconds: NOW,
    };
    const noted = uids.map((uid) => ({ reference: { ...a, uid }, state: "accepted" as const, contentHash, other }));
    const slices = uids.map((uid) => ({ ...other, uid, generation: 1, slices: 100 }));
    expect(await commitBatch(ledger, { ...EMPTY, noted, slices }, NOW)).toMatchObject({ state: "committed" });
    const counted = "SELECT count(*) AS n FROM";
    expect(ledger.sqlite.prepare(`${counted} reports WHERE details ->> '$.others' <> ''`).get()).toEqual({ n: 5000 });
    expect(ledger.sqlite.prepare(`${counted} slices`).get()).toEqual({ n: 5000 });
  });

  it("counts figures of a large report only with its row", async () => {
    const ledger = new SqliteLedger();
    const a = reference("a");
    const reading = "f".repeat(32);
    await stageFigures(ledger, { reading, firstChunk: 0, figures: ['{"k1":1}', '{"k1":2,"k2":5}'] }, NOW);
    expect(await figureTotals(ledger)).toEqual([]);
    const large = { ...share(DAY, { k1: 8 }), figures: undefined, reading };
    await commitBatch(ledger, { ...EMPTY, reports: [{ reference: a, write: write(a, [large]) }] }, NOW);
    expect(await figureTotals(ledger)).toEqual([
      { key: "k1", total: 3 },
      { key: "k2", total: 5 },
    ]);
  });
});

describe("Claims", () => {
  const claimOf = (uid: string, changes: object = {}) => ({
    reference: reference(uid),
    contentHash: "c".repeat(32),
    rua: "dmarc@example.com",
    rawKey: "raw/1",
    part: "",
    receivedSeconds: NOW,
    generation: 1,
    points: 1,
    reporter: "Reporter",
    reportId: "1",
    beginSeconds: 0,
    endSeconds: 0,
    policy: "p=none",
    sender: UNCHECKED,
    counts: { records: 1, total: 1, passed: 1 },
    spread: [["example.com", DAY] as [string, number]],
    ...changes,
  });
  const none = () => new Claims({ reports: new Map(), decisions: new Map() });

  it("accept the first report and treat the same content from elsewhere as a duplicate, also within a batch", () => {
    const claims = none();
    expect(claims.claim(claimOf("a")).verdict).toBe("accepted");
    expect(claims.claim(claimOf("a", { rawKey: "raw/2" })).verdict).toBe("duplicate");
    expect(claims.claim(claimOf("a", { rawKey: "raw/3", contentHash: "d".repeat(32) })).verdict).toBe("conflict");
  });

  /** Claims of a later batch, when what was accepted is in the ledger. */
  const later = (claims: Claims) => {
    const held = claims.held(reference("a").uid);
    if (held === undefined) throw new Error("not held");
    return new Claims({ reports: new Map([[held.reference.uid, held]]), decisions: new Map() });
  };

  it("continue where they were when the same object claims again", () => {
    const claims = none();
    claims.claim(claimOf("a", { generation: 5 }));
    expect(later(claims).claim(claimOf("a"))).toMatchObject({ verdict: "accepted", generation: 5 });
    expect(later(claims).claim(claimOf("a", { generation: 7 }))).toMatchObject({ verdict: "accepted", generation: 7 });
  });

  it("treat a second document of the same object as a duplicate or a conflict", () => {
    const claims = none();
    claims.claim(claimOf("a", { part: "1.xml" }));
    expect(claims.claim(claimOf("a", { part: "2.xml" })).verdict).toBe("duplicate");
    expect(claims.claim(claimOf("a", { part: "3.xml", contentHash: "d".repeat(32) })).verdict).toBe("conflict");
  });

  it("cover older points when a newer reading has fewer", () => {
    const claims = none();
    claims.claim(claimOf("a", { points: 9 }));
    expect(later(claims).claim(claimOf("a", { points: 2 }))).toMatchObject({ generation: 2, highestPoints: 9 });
  });

  it.each([
    ["refused", "duplicate"],
    ["replaces", "accepted"],
    ["taken_back", "taken_back"],
  ] as const)("follow the decision '%s'", (decision, verdict) => {
    const held = none();
    held.claim(claimOf("a"));
    const report = held.held(reference("a").uid);
    if (report === undefined) throw new Error("not held");
    const claims = new Claims({
      reports: new Map([[report.reference.uid, report]]),
      decisions: new Map([[report.reference.uid, { ["d".repeat(32)]: decision }]]),
    });
    expect(claims.claim(claimOf("a", { rawKey: "raw/2", contentHash: "d".repeat(32) })).verdict).toBe(verdict);
  });

  const VERIFIED = { sender: { state: "verified" as const, domain: "reporter.example" } };
  const [SAME, OTHER] = ["c".repeat(32), "d".repeat(32)];
  const elsewhere = { rawKey: "raw/2" };
  const another = { rawKey: "raw/2", contentHash: OTHER };
  const [own, two, foreign, three] = [
    { spread: [["example.com", DAY]] as [string, number][] },
    { spread: [["example.com", DAY] as [string, number], ["example.net", DAY] as [string, number]] },
    { spread: [["example.net", DAY] as [string, number], ["example.org", DAY] as [string, number]] },
    { spread: ["example.info", "example.net", "example.org"].map((domain): [string, number] => [domain, DAY]) },
  ];

  it.each<[string, Partial<LedgerReport>, object, Decision | undefined, string]>([
    ["another version from a verified sender", {}, { ...another, ...VERIFIED }, undefined, "accepted 2 displaces"],
    ["the same from a verified sender", {}, { ...elsewhere, ...VERIFIED }, undefined, "accepted 2 displaces"],
    ["a verified version beside a verified one", VERIFIED, { ...another, ...VERIFIED }, undefined, "conflict"],
    ["an unproven version beside a verified one", VERIFIED, another, undefined, "conflict"],
    [
      "a verified version beside one that a person chose",
      { decisions: { [SAME]: "replaces" } },
      { ...another, ...VERIFIED },
      undefined,
      "conflict",
    ],
    ["the same about more domains", own, { ...elsewhere, ...two }, undefined, "accepted 2 displaces"],
    ["the same about as many domains", two, { ...elsewhere, ...foreign }, undefined, "duplicate"],
    ["the same about other domains, and more", own, { ...elsewhere, ...foreign }, undefined, "duplicate"],
    ["the same about more domains, one of them left out", two, { ...elsewhere, ...three }, undefined, "duplicate"],
    ["another version about more domains", own, { ...another, ...two }, undefined, "conflict"],
    ["any version while none counts", { state: "retracted" }, another, undefined, "accepted 2"],
    ["a refused version while none counts", { state: "retracted" }, another, "refused", "refused"],
    ["a refused version from a verified sender", {}, { ...another, ...VERIFIED }, "refused", "duplicate"],
    ["a version taken back while none counts", { state: "retracted" }, another, "taken_back", "taken_back"],
    ["a chosen version", {}, another, "replaces", "accepted 2 displaces"],
    ["the second of two chosen", { decisions: { [SAME]: "replaces" } }, another, "replaces", "conflict"],
    ["a chosen version beside a refused one", { decisions: { [SAME]: "refused" } }, another, "replaces", "accepted 2"],
    ["the same object, read otherwise", {}, { contentHash: OTHER }, undefined, "accepted 2"],
    ["the same object, with other points", {}, { points: 2 }, undefined, "accepted 2"],
    ["the same object, its file named otherwise", {}, { part: "2.xml" }, undefined, "accepted 1"],
    ["another file of the same object", {}, { part: "2.xml", contentHash: OTHER }, undefined, "conflict"],
    ["a newer reading of slices", { generation: 2.5 }, { contentHash: OTHER }, undefined, "accepted 3"],
    [
      "a rerun in a later generation",
      {},
      { ...another, ...VERIFIED, generation: 7 },
      undefined,
      "accepted 7 displaces",
    ],
  ])("decide about %s", (_, changes, claim, decision, said) => {
    const held: LedgerReport = {
      ...claimOf("a"),
      version: 1,
      state: "accepted",
      highestPoints: 1,
      decisions: {},
      ...changes,
    };
    const { uid } = held.reference;
    const decided = new Map(decision === undefined ? [] : [[uid, { [OTHER]: decision }]]);
    const verdict = new Claims({ reports: new Map([[uid, held]]), decisions: decided }).claim(claimOf("a", claim));
    const more =
      verdict.verdict === "accepted" ? [verdict.generation, ...(verdict.displaces ? ["displaces"] : [])] : [];
    expect([verdict.verdict, ...more].join(" ")).toBe(said);
  });
});

describe("details", () => {
  it("are read back unchanged, even with parts left out of their text", () => {
    const { details } = share(DAY, {});
    if (details.kind !== "aggregate") throw new Error("not aggregate");
    const text = detailsText(details);
    expect(v.parse(detailsColumn, text)).toEqual(details);
    expect(text).toBe('{"kind":"aggregate","email":"a@reporter.example","policy":{"p":"none"}}');
    const other = {
      ...details,
      format: "rfc9990" as const,
      errors: ["one"],
      skippedRecords: 2,
      dispositions: { none: 0, reject: 3 },
      warnings: [{ code: "unknown_value", path: "", detail: "" }],
      policy: { ...details.policy, sp: "reject", pct: 0, adkim: "s", testing: true, fo: "1" },
    };
    expect(v.parse(detailsColumn, detailsText(other))).toEqual(other);
  });

  it("have long texts cut, between characters", () => {
    const { details } = share(DAY, {});
    const { maxDetailChars } = FIGURE_LIMITS;
    const fits = "x".repeat(maxDetailChars);
    const odd = `${"x".repeat(maxDetailChars - 2)}😀😀`;
    const read = v.parse(detailsColumn, detailsText({ ...details, errors: [fits, `${fits}x`, odd] } as typeof details));
    expect(read).toMatchObject({
      errors: [fits, `${"x".repeat(maxDetailChars - 1)}…`, `${"x".repeat(maxDetailChars - 2)}\uFFFD…`],
    });
  });
});
