/** The runner of hostile mails: what it finds of a mail in workerd, and what it says is out of bound. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { boundsOf, findBreaches } from "../../bench/attacks/bounds.ts";
import { type AttackResult, runAttack } from "../../bench/attacks/measure.ts";
import { readOutcomes } from "../../bench/attacks/outcome.ts";
import type { WrittenPoint } from "../../bench/large-mail/chain.ts";
import { bundleWorker } from "../../bench/large-mail/workerd.ts";
import { buildPoint, type RowInput } from "../../shared/analytics/columns.ts";
import { gzipReport, mailOf, STYLES } from "../support/seeded-reports.ts";

const RECORDS = 600;
const OWN_DOMAIN = "acme.example";
const ADDRESS = { rua: `dmarc@${OWN_DOMAIN}`, entry: { account: "acme" } };
const LIMITS = { maxPoints: 10_000, maxCpuSeconds: 20 };

describe("a mail through both Workers", { timeout: 60_000 }, () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dmarc-attacks-"));
    for (const worker of ["ingest", "process"] as const) bundleWorker(worker, folder);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  async function run(bytes: Uint8Array, limits = LIMITS): Promise<AttackResult> {
    const place = { folder, v8Flags: ["--max-heap-size=128"], quiet: true };
    return await runAttack({ bytes, address: ADDRESS, ...limits }, place);
  }

  async function report(): Promise<Uint8Array> {
    const [style] = STYLES;
    if (style === undefined) throw new Error("no styles");
    const { bytes } = await gzipReport({ records: RECORDS, seed: 1, style });
    return mailOf("report.xml.gz", bytes);
  }

  it("counts the reports, the points of every slice, and the resources used", async () => {
    const bytes = await report();
    const result = await run(bytes);
    expect(result.outcomes).toMatchObject({ accepted: 1, records: RECORDS, deadLetters: {}, domains: [OWN_DOMAIN] });
    expect(result.outcomes.points.records).toBe(RECORDS);
    expect(result.process.invocations).toBeGreaterThan(RECORDS / 240);
    expect(result.process.megabytes).toBeGreaterThan(0);
    expect(findBreaches(result, boundsOf("any.eml", bytes.byteLength), OWN_DOMAIN)).toEqual([]);
  });

  it("names the code of a dead letter", async () => {
    const { outcomes } = await run(mailOf("report.xml", new TextEncoder().encode("<feedback><x")));
    expect(outcomes).toMatchObject({ accepted: 0, deadLetters: { truncated: 1 } });
  });

  it("gives up on a mail with too many points and says so", async () => {
    const result = await run(await report(), { ...LIMITS, maxPoints: 300 });
    expect(result.process.failures.join()).toMatch(/^Given up after \d+ points/);
  });

  it("ends an invocation that takes too long, and says so", async () => {
    const { ingest } = await run(await report(), { ...LIMITS, maxCpuSeconds: -1 });
    expect(ingest.failures).toEqual(["Ended after -1 s of CPU."]);
  });
});

const RECORD: RowInput<"records"> = {
  reportUid: "uid",
  account: "acme",
  domain: OWN_DOMAIN,
  reporter: "search.example",
  reportId: "1",
  sourceIp: "192.0.2.1",
  disposition: "none",
  dkim: "pass",
  spf: "pass",
  headerFrom: OWN_DOMAIN,
  envelopeFrom: "",
  envelopeTo: "",
  dkimResults: "",
  spfResults: "",
  reasons: "",
  policy: "",
  authDomain: "",
  generation: 1,
  ordinal: 0,
  count: 1,
  beginSeconds: 0,
  endSeconds: 1,
  receivedSeconds: 2,
  passed: 1,
  live: 1,
};

function recordPoint(changes: Partial<RowInput<"records">>): WrittenPoint {
  return { dataset: "records", ...buildPoint("records", { ...RECORD, ...changes }) };
}

describe("bounds", () => {
  const fine: AttackResult = {
    ingest: { rejected: "", objects: 1, cpuSeconds: 0.1, megabytes: 1, failures: [] },
    process: { cpuSeconds: 0.1, totalCpuSeconds: 0.1, invocations: 1, megabytes: 1, failures: [] },
    outcomes: { ...readOutcomes([recordPoint({})]), accepted: 1 },
    csvSeconds: 0.01,
  };
  const breaches = (changes: Partial<AttackResult>, name = "any.eml"): string[] =>
    findBreaches({ ...fine, ...changes }, boundsOf(name, 1000), OWN_DOMAIN);

  it("accept a mail within them", () => {
    expect(breaches({})).toEqual([]);
  });

  it.each([
    ["memory of ingest, MB", { ingest: { ...fine.ingest, megabytes: 65 } }],
    ["memory of process, MB", { process: { ...fine.process, megabytes: 101 } }],
    ["CPU of an invocation of process, s", { process: { ...fine.process, cpuSeconds: 21 } }],
    ["dead letters", { outcomes: { ...fine.outcomes, deadLetters: { truncated: 20, empty: 1 } } }],
    ["points", { outcomes: { ...fine.outcomes, points: { ...fine.outcomes.points, tls: 20_371 } } }],
    ["counted by one point", { outcomes: { ...fine.outcomes, highestCount: 1_000_000_001 } }],
    ["ingest: ingest has ended.", { ingest: { ...fine.ingest, failures: ["ingest has ended."] } }],
    ["outcomes", { outcomes: { ...fine.outcomes, accepted: 0 } }],
  ])("report what exceeds them: %s", (expected, changes) => {
    const [first, ...others] = breaches(changes);
    expect(first?.startsWith(expected)).toBe(true);
    expect(others).toEqual([]);
  });

  it("report points about a domain the address does not accept, but not about a subdomain", () => {
    const points = [recordPoint({ domain: "bank.example" }), recordPoint({ domain: `mail.${OWN_DOMAIN}` })];
    const outcomes = { ...readOutcomes(points), accepted: 1 };
    expect(breaches({ outcomes })).toEqual(["points about bank.example, which the address does not accept"]);
  });

  it("are tighter for known attacks", () => {
    expect(breaches({}, "01-bare-records-gz-gz.eml")).toEqual(["points: 1, at most 0"]);
    expect(breaches({}, "99-empty-lines.eml")).toContain("dead letters: 0, at least 1");
    expect(breaches({ csvSeconds: 0.6 }, "12-tabs.eml")).toEqual(["CSV, s: 0.6, at most 0.5"]);
  });

  it("count a repeated outcome once", () => {
    const base = { account: "acme", rua: "", kind: "", domain: "", reporter: "", rawKey: "", part: "", generation: 1 };
    const numbers = { receivedSeconds: 0, processedSeconds: 0, records: 0, skippedRecords: 0, messages: 0 };
    const row = { ...base, ...numbers, attempts: 1, latencySeconds: 0, outcome: "dead_letter", code: "empty" };
    const points = ["a", "a", "b"].map(
      (eventId): WrittenPoint => ({ dataset: "events", ...buildPoint("events", { ...row, eventId }) }),
    );
    expect(readOutcomes(points).deadLetters).toEqual({ empty: 2 });
  });
});
