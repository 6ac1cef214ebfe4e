/** Files that an operator imports, on the simulated platform: taken once, however often and wherever it was interrupted. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ask } from "../../shared/ledger/database.ts";
import { importOfObjectQuery, knownImportsQuery } from "../../shared/ledger/imports.ts";
import { IMPORT_LIMITS } from "../../shared/limits.ts";
import { OPERATOR } from "../../shared/people.ts";
import type { Invocation } from "../../workers/process/env.ts";
import { startForgetting } from "../../workers/process/jobs/start-job.ts";
import { importFiles } from "../../workers/process/operations/import-files.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { eventsByOutcome, ledgerFigures } from "../support/simulation/balance.ts";
import { gzip, mailOf, records, registeredSimulation, reportMail } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";
const CALLER = { name: "operator@acme.example", authority: OPERATOR };
const DAY = 86_400_000;

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function file(name: string, bytes: Uint8Array, more = {}) {
  return {
    sha256: hashOf(bytes),
    name,
    origin: `archive/${name}`,
    content: Buffer.from(bytes).toString("base64"),
    ...more,
  };
}

function reports(count: number) {
  return Array.from({ length: count }, (_, i) =>
    file(`${i}.xml.gz`, gzip(sampleReport({ reportId: `r${i}`, records: records(3, i + 1) }))),
  );
}

async function take(
  simulation: Simulation,
  files: ReturnType<typeof file>[],
  rua = RUA,
  invocation = simulation.invocation(),
) {
  const answer = await importFiles({ rua, files }, CALLER, invocation);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value.items;
}

function counts(simulation: Simulation): Record<string, number> {
  return Object.fromEntries([...eventsByOutcome(simulation)].map(([outcome, ids]) => [outcome, ids.length]));
}

describe("imported files", () => {
  it("are taken anew once the account is forgotten that had them, also at an address that has left it", async () => {
    const simulation = registeredSimulation();
    const files = reports(2);
    await take(simulation, files);
    await simulation.drain();
    simulation.register(RUA, { account: "other" });
    simulation.clock.nowMilliseconds += 60_000;
    await startForgetting("acme", 0.5, simulation.invocation());
    await simulation.drain();
    expect(simulation.bucket.keys("raw/")).toEqual([]);
    expect((await take(simulation, files)).map(({ isNew }) => isNew)).toEqual([true, true]);
    await simulation.drain();
    expect(Object.keys(ledgerFigures(simulation))).toHaveLength(2);
  });

  it("end as figures and are recognised by content on any later day", async () => {
    const simulation = registeredSimulation({ shards: 2 });
    const files = reports(10);
    expect((await take(simulation, files)).every(({ isNew }) => isNew)).toBe(true);
    await simulation.drain();
    const figures = ledgerFigures(simulation);
    expect(Object.keys(figures)).toHaveLength(10);
    simulation.clock.nowMilliseconds += 3 * DAY;
    const again = await take(simulation, files);
    expect(again.map(({ isNew }) => isNew)).toEqual(files.map(() => false));
    // What has its outcome is not read again.
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
    expect(simulation.bucket.keys("raw/")).toHaveLength(10);
    expect(ledgerFigures(simulation)).toEqual(figures);
    expect(counts(simulation)).toEqual({ accepted: 10 });
  });

  it("are duplicates of reports that came by mail, and vice versa", async () => {
    const simulation = registeredSimulation();
    await simulation.deliver(reportMail("r0", records(3, 1)));
    await simulation.drain();
    await take(simulation, reports(2));
    await simulation.drain();
    await simulation.deliver(reportMail("r1", records(3, 2)));
    await simulation.drain();
    expect(counts(simulation)).toEqual({ accepted: 2, duplicate: 2 });
  });

  it("record who imported them and from where", async () => {
    const simulation = registeredSimulation({ shards: 2 });
    const bytes = sampleMail([{ name: "r.xml", content: Buffer.from(sampleReport()) }]);
    const mail = file("1.eml", bytes, { isMail: true, from: "a@reporter.example", subject: "Report" });
    const [taken] = await take(simulation, [mail]);
    expect(taken?.key).toMatch(/-message\.eml$/);
    await simulation.drain();
    const [report] = simulation.rows<{ rua: string; rawKey: string }>("SELECT rua, raw_key AS rawKey FROM reports");
    if (report === undefined) throw new Error("There is no report.");
    const found = await Promise.all(
      simulation.invocation().shards.all.map((database) => ask(database, importOfObjectQuery(report))),
    );
    expect(found.flat()).toEqual([
      { importedSeconds: expect.any(Number), importedBy: CALLER.name, origin: "archive/1.eml" },
    ]);
    const stored = await simulation.bucket.head(report.rawKey);
    expect(stored?.customMetadata).toMatchObject({ imported: "archive%2F1.eml", from: "a@reporter.example" });
    await simulation.deliver(reportMail("by-mail", records(1)));
    await simulation.drain();
    const [byMail] = simulation.rows<{ rua: string; rawKey: string }>(
      "SELECT rua, raw_key AS rawKey FROM reports WHERE report_id = 'by-mail'",
    );
    const none = simulation
      .invocation()
      .shards.all.map((one) => ask(one, importOfObjectQuery(byMail ?? { rua: "", rawKey: "" })));
    expect((await Promise.all(none)).flat()).toEqual([]);
  });

  it("neither use nor obey the daily budgets", async () => {
    const simulation = registeredSimulation();
    simulation.recordsPerDay.address = 5;
    await take(simulation, reports(4));
    await simulation.drain();
    await simulation.deliver(reportMail("by-mail", records(5)));
    await simulation.drain();
    expect(counts(simulation)).toEqual({ accepted: 5 });
    await simulation.deliver(reportMail("one-too-many", records(1)));
    await simulation.drain();
    expect(counts(simulation)).toMatchObject({ accepted: 5, dead_letter: 1 });
  });

  it("can be imported for several addresses, each with its own outcome", async () => {
    const simulation = registeredSimulation();
    await take(simulation, reports(1));
    await take(simulation, reports(1), "rua@other.example");
    await simulation.drain();
    expect(Object.keys(ledgerFigures(simulation)).sort()).toEqual(["acme/r0", "other/r0"]);
    const [one] = reports(1);
    const known = await ask(simulation.invocation().ledger, knownImportsQuery([one?.sha256 ?? ""]));
    expect(known.map(({ rua }) => rua).sort()).toEqual([RUA, "rua@other.example"]);
  });

  it("are forgotten with everything else of that day", async () => {
    const simulation = registeredSimulation();
    await take(simulation, reports(2));
    await simulation.drain();
    await runUpkeep(simulation.invocation(), 0.5);
    expect(simulation.rows("SELECT rua FROM imports")).toHaveLength(2);
    simulation.clock.nowMilliseconds += 10_400 * DAY;
    await runUpkeep(simulation.invocation(), 0.5);
    expect(simulation.rows("SELECT rua FROM imports")).toEqual([]);
  });
});

/** An invocation in which one binding fails from the given call on. */
function failing(simulation: Simulation, binding: "put" | "send" | "ledger", from: number): Invocation {
  const invocation = simulation.invocation();
  const { env, shards, ledger } = invocation;
  let calls = 0;
  const count = <T>(run: () => T): T => {
    if (++calls >= from) throw new Error("The platform failed.");
    return run();
  };
  const { R2_DMARC_REPORTS: bucket, QUEUE_REPORTS: queue } = env;
  const put = (...given: Parameters<typeof bucket.put>) => count(() => bucket.put(...given));
  const sendBatch = (...given: Parameters<typeof queue.sendBatch>) => count(() => queue.sendBatch(...given));
  const batch = (...given: Parameters<typeof ledger.batch>) => count(() => ledger.batch(...given));
  const database = binding === "ledger" ? { prepare: ledger.prepare.bind(ledger), batch } : ledger;
  return {
    ...invocation,
    ledger: database,
    shards: { ...shards, of: () => database },
    env: {
      ...env,
      R2_DMARC_REPORTS: Object.assign(Object.create(bucket), binding === "put" ? { put } : {}),
      QUEUE_REPORTS: Object.assign(Object.create(queue), binding === "send" ? { sendBatch } : {}),
    },
  };
}

describe("an import that is interrupted", () => {
  it.each([
    ["put", 1],
    ["put", 6],
    ["send", 1],
    ["ledger", 1],
  ] as const)("by a fault of %s, call %d, is exact after running again on any day", async (binding, from) => {
    for (const later of [60_000, 2 * DAY]) {
      const expected = registeredSimulation();
      await take(expected, reports(10));
      await expected.drain();
      const simulation = registeredSimulation();
      await expect(take(simulation, reports(10), RUA, failing(simulation, binding, from))).rejects.toThrow(
        "The platform failed.",
      );
      await simulation.drain();
      simulation.clock.nowMilliseconds += later;
      await take(simulation, reports(10));
      await simulation.drain();
      expect(ledgerFigures(simulation)).toEqual(ledgerFigures(expected));
    }
  });

  it("enqueues files with lost messages when it is repeated", async () => {
    const simulation = registeredSimulation();
    await take(simulation, reports(3));
    simulation.queues["dmarc-reports"].messages.splice(0);
    expect((await take(simulation, reports(3))).every(({ isNew }) => !isNew)).toBe(true);
    await simulation.drain();
    expect(counts(simulation)).toEqual({ accepted: 3 });
  });
});

describe("an import is refused for", () => {
  const [good] = reports(1);
  if (good === undefined) throw new Error("no file");
  it.each([
    ["to an address that is not registered", "nobody@acme.example", [good], "not_found"],
    ["with content that is no base64", RUA, [{ ...good, content: "*" }], "bad_request"],
    ["with content of another hash", RUA, [{ ...good, sha256: "0".repeat(64) }], "bad_request"],
    [
      "larger than a call may be",
      RUA,
      Array.from({ length: 5 }, (_, i) => file(`${i}`, new Uint8Array(IMPORT_LIMITS.maxCallBytes / 4).fill(i))),
      "too_large",
    ],
  ])("%s without storing anything", async (_, rua, files, code) => {
    const simulation = registeredSimulation();
    expect(await importFiles({ rua, files }, CALLER, simulation.invocation())).toMatchObject({
      ok: false,
      error: { code },
    });
    expect(simulation.bucket.keys("raw/")).toEqual([]);
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
  });
});

it("an imported mail is read like a delivered one", async () => {
  const simulation = registeredSimulation();
  const { raw } = mailOf([
    { name: "a.xml", content: Buffer.from(sampleReport({ reportId: "a" })) },
    { name: "b.xml", content: Buffer.from("<feedback><report_metadata>") },
  ]);
  await take(simulation, [file("1.eml", raw, { isMail: true })]);
  await simulation.drain();
  expect(counts(simulation)).toEqual({ accepted: 1, dead_letter: 1 });
});
