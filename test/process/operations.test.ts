/** What an operator does with dead letters and conflicts, on the simulated platform. */
import { describe, expect, it } from "vitest";
import type { ConflictRow } from "../../shared/ledger/conflicts.ts";
import type { DeadLetterRow } from "../../shared/ledger/dead-letters.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { compareConflict, decideConflict } from "../../workers/process/operations/conflicts.ts";
import {
  discardDeadLetters,
  requeueDeadLetters,
  restoreDeadLetters,
} from "../../workers/process/operations/dead-letters.ts";
import { readRecords } from "../../workers/process/operations/records.ts";
import { readStatus } from "../../workers/process/operations/status.ts";
import { takeBackReport, undoTakeBack } from "../../workers/process/operations/take-back.ts";
import { describeRawObject, readRawObject } from "../../workers/process/reports/raw-object.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { zip } from "../support/archives.ts";
import { sampleReport } from "../support/sample-report.ts";
import {
  eventsByOutcome,
  imbalances,
  ledgerFigures,
  outcomesOf,
  reportFigures,
} from "../support/simulation/balance.ts";
import { getDeadLetter, listConflicts, listDeadLetters } from "../support/simulation/listings.ts";
import {
  allMail,
  figures,
  mailOf,
  records,
  registeredSimulation,
  reportMail,
  smallMail,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const NOTE = { by: "operator@acme.example", reason: "a test" };

async function simulationWith(mails = smallMail().mails): Promise<Simulation> {
  const simulation = registeredSimulation();
  for (const mail of mails) expect(await simulation.deliver(mail)).toBe("taken");
  await simulation.drain();
  return simulation;
}

async function letters(simulation: Simulation, query = {}): Promise<DeadLetterRow[]> {
  return (await listDeadLetters(query, simulation.invocation())).items;
}

async function onlyConflict(simulation: Simulation): Promise<ConflictRow> {
  const { items } = await listConflicts(undefined, simulation.invocation());
  expect(items).toHaveLength(1);
  const [conflict] = items;
  if (conflict === undefined) throw new Error("There is no conflict.");
  return conflict;
}

function outcomeCounts(simulation: Simulation): Record<string, number> {
  return Object.fromEntries([...eventsByOutcome(simulation)].map(([outcome, ids]) => [outcome, ids.length]));
}

describe("dead letters", () => {
  it("are found by reason, domain and day, page by page", async () => {
    const broken = Array.from({ length: 150 }, (_, i) => ({
      name: `${i}.xml`,
      content: Buffer.from(sampleReport({ reportId: `cut-${i}` }).slice(0, 500)),
    }));
    const chunks = [broken.slice(0, 50), broken.slice(50, 100), broken.slice(100)];
    const simulation = await simulationWith(chunks.map((attachments) => mailOf(attachments)));
    const first = await listDeadLetters({ code: "truncated" }, simulation.invocation());
    expect(first.items).toHaveLength(100);
    const second = await letters(simulation, { code: "truncated", cursor: first.cursor });
    const ids = [...first.items, ...second].map(({ id }) => id);
    expect(new Set(ids).size).toBe(150);
    expect(await letters(simulation, { code: "empty" })).toEqual([]);
    expect(await letters(simulation, { domain: "elsewhere.example" })).toEqual([]);
    expect(await letters(simulation, { since: "2026-11-20", until: "2026-11-20" })).toHaveLength(100);
    expect(await letters(simulation, { since: "2026-11-21" })).toEqual([]);
    expect(await letters(simulation, { until: "2026-11-19" })).toEqual([]);
    await expect(listDeadLetters({ since: "2026-02-30" }, simulation.invocation())).rejects.toThrow(
      "'2026-02-30' is not a day; write it as YYYY-MM-DD.",
    );
  });

  it("show their reason, what is known of the raw object, and its bytes", async () => {
    const simulation = await simulationWith();
    const { env } = simulation.invocation();
    const [letter] = await letters(simulation, { code: "not_a_report" });
    const found = await getDeadLetter(letter?.id ?? "", simulation.invocation());
    expect(found?.message).toContain("Nothing in it is a DMARC");
    const key = found?.rawKey ?? "";
    const { R2_DMARC_REPORTS: bucket } = env;
    expect(await describeRawObject(bucket, key)).toMatchObject({
      metadata: { rua: "dmarc@acme.example", sender: "someone@example.net" },
    });
    expect(await (await readRawObject(bucket, key))?.text()).toContain("Hello.");
    expect(await readRawObject(bucket, "registry/secret")).toBeUndefined();
    expect(await describeRawObject(bucket, "registry/secret")).toBeUndefined();
    expect(await getDeadLetter("../../raw", simulation.invocation())).toBeUndefined();
  });

  it("are cleared when their message succeeds and not earlier", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme", domains: ["other.example"] });
    await simulation.deliver(reportMail("first", records(3)));
    await simulation.drain();
    expect(outcomeCounts(simulation)).toEqual({ dead_letter: 1 });
    const filter = { code: "foreign_domain", domain: "acme.example" };
    expect(await requeueDeadLetters({ filter, dryRun: true }, simulation.invocation())).toMatchObject({
      items: [{ result: "selected", code: "foreign_domain" }],
    });
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);

    // Sent again while nothing has changed, it stays.
    await requeueDeadLetters({ filter }, simulation.invocation());
    await simulation.drain();
    expect(outcomeCounts(simulation)).toEqual({ dead_letter: 1 });

    simulation.register("dmarc@acme.example", { account: "acme" });
    const [letter] = await letters(simulation);
    simulation.clock.nowMilliseconds += 5000;
    await requeueDeadLetters({ ids: [letter?.id ?? ""] }, simulation.invocation());
    expect(await letters(simulation)).toHaveLength(1);
    await simulation.drain();
    expect(await letters(simulation)).toEqual([]);
    expect(outcomeCounts(simulation)).toEqual({ cleared: 1, reprocessed: 1 });
    expect(reportFigures(simulation)).toEqual({ "acme/first": figures(3) });
  });

  it("of a slice keep its points and write them when retried", async () => {
    const simulation = registeredSimulation();
    let broken = true;
    // The report's first slice never gets written.
    simulation.faults.plan = ({ name }) => (broken && name === "analytics.write records" ? "before" : undefined);
    await simulation.deliver(reportMail("sliced", records(300)));
    await simulation.drain();
    broken = false;
    const exhausted = await letters(simulation, { code: "retries_exhausted" });
    expect(exhausted.map(({ part }) => part.split(" ").at(-1)).sort()).toEqual(["0", "1"]);
    expect(exhausted[0]?.lastError).toMatch(/^Attempt 9, .*injected/);
    expect(reportFigures(simulation)).toEqual({});
    await requeueDeadLetters({ filter: {} }, simulation.invocation());
    await simulation.drain();
    expect(reportFigures(simulation)).toEqual({ "acme/sliced": figures(300) });
    expect(await letters(simulation)).toEqual([]);
    expect(outcomeCounts(simulation)).toEqual({ accepted: 1, cleared: 2, slice: 2 });
  });

  it("are discarded only on request; the raw object stays, and a late delivery does not file them again", async () => {
    const simulation = await simulationWith();
    const raws = simulation.bucket.keys("raw/");
    const [letter] = await letters(simulation, { code: "not_a_report" });
    expect(await discardDeadLetters({ filter: { code: "not_a_report" } }, NOTE.by, simulation.invocation())).toEqual({
      items: [{ id: letter?.id, code: "not_a_report", result: "discarded" }],
    });
    expect(await letters(simulation, { code: "not_a_report" })).toEqual([]);
    expect(simulation.bucket.keys("raw/")).toEqual(raws);
    expect(outcomeCounts(simulation)).toMatchObject({ dead_letter: 1, discarded: 1 });
    await simulation.queues["dmarc-reports"].send(letter?.queueMessage);
    await simulation.queues["dmarc-dead-letters"].send(letter?.queueMessage);
    await simulation.drain();
    expect(outcomeCounts(simulation)).toMatchObject({ dead_letter: 1, discarded: 1 });
  });

  it("stay discarded when everything is reprocessed, and are open again when that is undone", async () => {
    const simulation = new Simulation();
    simulation.register("dmarc@acme.example", { account: "acme", domains: ["other.example"] });
    await simulation.deliver(reportMail("first", records(3)));
    await simulation.drain();
    const [letter] = await letters(simulation);
    const ids = [letter?.id ?? ""];
    await discardDeadLetters({ ids }, NOTE.by, simulation.invocation());
    expect(await letters(simulation)).toEqual([]);
    expect(await letters(simulation, { isDiscarded: true })).toMatchObject([
      { discardedBy: NOTE.by, code: "foreign_domain" },
    ]);
    expect(await discardDeadLetters({ ids }, NOTE.by, simulation.invocation())).toMatchObject({
      items: [{ result: "refused" }],
    });
    expect(await requeueDeadLetters({ ids }, simulation.invocation())).toMatchObject({
      items: [{ result: "refused" }],
    });

    // The same file for the same reason, and then for another one.
    for (const entry of [{ account: "acme", domains: ["other.example"] }, undefined]) {
      if (entry === undefined) simulation.unregister("dmarc@acme.example");
      simulation.clock.nowMilliseconds += 5000;
      await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
      await simulation.drain();
      expect(await letters(simulation)).toEqual([]);
    }
    expect(outcomeCounts(simulation)).toEqual({ discarded: 1 });

    expect(await restoreDeadLetters({ ids }, simulation.invocation())).toMatchObject({
      items: [{ result: "restored" }],
    });
    expect(await letters(simulation)).toMatchObject([{ id: ids[0], discardedSeconds: 0, discardedBy: "" }]);
    expect(outcomeCounts(simulation)).toEqual({ dead_letter: 1 });

    // Read in the end, it is neither.
    await discardDeadLetters({ ids }, NOTE.by, simulation.invocation());
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.clock.nowMilliseconds += 5000;
    await startJob({ kind: "reprocess", random: 0.7 }, {}, simulation.invocation());
    await simulation.drain();
    expect(await letters(simulation, { isDiscarded: true })).toEqual([]);
    expect(reportFigures(simulation)).toEqual({ "acme/first": figures(3) });
    expect(
      await imbalances(simulation, { reports: { "acme/first": [figures(3)] }, deadLetters: 0, conflicts: 0 }),
    ).toEqual([]);
  });

  it("name the sender, the file, and the domain in the file name", async () => {
    const name = "receiver.example!named.example!1795000000!1795086399.xml";
    const simulation = await simulationWith([mailOf([{ name, content: Buffer.from("<feedback><report_metadata>") }])]);
    const [letter] = await letters(simulation, { domain: "named.example" });
    expect(letter).toMatchObject({
      domain: "named.example",
      isDomainGuessed: true,
      mail: { sender: "dmarc@reporter.example" },
      file: { name, format: "xml", sizeBytes: 27 },
    });
  });

  it("refuse impossible actions one by one", async () => {
    const simulation = await simulationWith([]);
    await simulation.queues["dmarc-reports"].send({ hello: "simulation" });
    await simulation.drain();
    const [letter] = await letters(simulation);
    expect(letter).toMatchObject({ code: "invalid_message", queueMessage: { hello: "simulation" } });
    const ids = [letter?.id ?? "", "20261120-000000000000000000000000"];
    const answer = await requeueDeadLetters({ ids }, simulation.invocation());
    expect(answer).toMatchObject({ items: [{ result: "refused" }, { result: "refused" }] });
    expect(await requeueDeadLetters({}, simulation.invocation())).toEqual({ refused: "Give either ids or a filter." });
  });
});

it("the dead letter of a reading that failed goes once it is retried, also where nothing can be read any more", async () => {
  const simulation = await simulationWith([reportMail("a", records(3))]);
  simulation.faults.plan = ({ name }) => (name.startsWith("r2.get") ? "before" : undefined);
  await reprocess(simulation);
  simulation.faults.plan = () => undefined;
  const filed = await letters(simulation, { code: "retries_exhausted" });
  expect(filed).toHaveLength(1);
  simulation.unregister("dmarc@acme.example");
  simulation.clock.nowMilliseconds += 60_000;
  await requeueDeadLetters({ ids: filed.map(({ id }) => id) }, simulation.invocation());
  await simulation.drain();
  const reports = { "acme/a": [figures(3)] };
  expect(await imbalances(simulation, { reports, deadLetters: 0, conflicts: 0 })).toEqual([]);
});

describe("conflicts", () => {
  it("show how their versions differ, record by record, the largest difference first", async () => {
    const version = (counts: Record<string, number>, passed = true) =>
      sampleReport({
        reportId: "compared",
        records: Object.entries(counts).map(([sourceIp, count]) => ({ sourceIp, count, pass: passed })),
      });
    const simulation = registeredSimulation();
    await simulation.deliver(
      mailOf([{ name: "a.xml", content: Buffer.from(version({ "192.0.2.1": 5, "192.0.2.2": 7 })) }]),
    );
    const other = version({ "192.0.2.1": 105, "192.0.2.2": 7, "192.0.2.3": 2 });
    await simulation.deliver(mailOf([{ name: "b.xml", content: Buffer.from(other) }]));
    await simulation.drain();
    const { id, other: second } = await onlyConflict(simulation);
    expect(await compareConflict(id, simulation.invocation())).toMatchObject({
      kind: "compared",
      differences: [
        { label: expect.stringContaining("192.0.2.1; "), accepted: 5, other: 105 },
        { label: expect.stringContaining("192.0.2.3; "), accepted: 0, other: 2 },
      ],
      count: 2,
      isComplete: true,
    });
    expect(await compareConflict("none", simulation.invocation())).toBeUndefined();
    await simulation.bucket.delete(second.rawKey);
    expect(await compareConflict(id, simulation.invocation())).toEqual({
      kind: "gone",
      reason: `${second.rawKey} is no longer in R2.`,
    });
  });

  it("of one file are limited; the rest is one dead letter and follows when the others are decided", async () => {
    const simulation = registeredSimulation();
    const count = PROCESS_LIMITS.maxConflictsPerObject + 5;
    const versions = (passed: number) =>
      Array.from({ length: count }, (_, i) => sampleReport({ reportId: `many-${i}`, records: records(passed) })).map(
        (content, i) => ({ name: `${i}.xml`, content: Buffer.from(content) }),
      );
    await simulation.deliver(mailOf(versions(1)));
    await simulation.deliver(mailOf([{ name: "all.zip", content: Buffer.from(zip(versions(2))) }]));
    await simulation.drain();
    const filed = (await listConflicts(undefined, simulation.invocation())).items;
    expect(filed).toHaveLength(PROCESS_LIMITS.maxConflictsPerObject);
    const [rest] = await letters(simulation);
    expect(rest).toMatchObject({ code: "too_many_problems", part: "conflicts", counts: { conflict: 5 } });
    for (const { id } of filed) await decideConflict(id, { decision: "keep", note: NOTE }, simulation.invocation());
    simulation.clock.nowMilliseconds += 5000;
    await requeueDeadLetters({ ids: [rest?.id ?? ""] }, simulation.invocation());
    await simulation.drain();
    expect((await listConflicts(undefined, simulation.invocation())).items).toHaveLength(5);
    expect(await letters(simulation)).toEqual([]);
  });

  it("show both versions and are not dead letters", async () => {
    const { mails, expected } = smallMail();
    const simulation = await simulationWith(mails);
    const { accepted, other } = await onlyConflict(simulation);
    expect(accepted).toMatchObject({ records: 3, total: figures(3).messages });
    expect(other).toMatchObject({ records: 2, total: figures(2, 10).messages });
    expect(await imbalances(simulation, expected)).toEqual([]);
  });

  it("replace the first version completely when accepted", async () => {
    const { mails, expected } = allMail();
    const simulation = await simulationWith(mails);
    const conflict = await onlyConflict(simulation);
    simulation.clock.nowMilliseconds += 5000;
    await decideConflict(conflict.id, { decision: "replace", note: NOTE }, simulation.invocation());
    await simulation.drain();
    const reports = { ...expected.reports, "acme/first": [figures(2, 10)] };
    expect(await imbalances(simulation, { ...expected, reports, conflicts: 0 })).toEqual([]);

    // The version that lost comes again, in a mail of another day: it was decided against.
    simulation.clock.nowMilliseconds += 86_400_000;
    await simulation.deliver(reportMail("first", records(3)));
    await simulation.drain();
    expect(await imbalances(simulation, { ...expected, reports, conflicts: 0 })).toEqual([]);
  });

  it("keep the first version when discarded, and the other is a duplicate from then on", async () => {
    const { mails, expected } = smallMail();
    const simulation = await simulationWith(mails);
    const { id } = await onlyConflict(simulation);
    await decideConflict(id, { decision: "keep", note: NOTE }, simulation.invocation());
    simulation.clock.nowMilliseconds += 86_400_000;
    await simulation.deliver(reportMail("first", records(2, 10)));
    await simulation.drain();
    const reports = { ...expected.reports, "acme/first": [figures(3)] };
    expect(await imbalances(simulation, { ...expected, reports, conflicts: 0 })).toEqual([]);
    expect(await decideConflict(id, { decision: "keep", note: NOTE }, simulation.invocation())).toEqual({
      refused: `There is no conflict '${id}'.`,
    });
  });

  it("make the other version a separate report when both count, even if it comes again", async () => {
    const simulation = await simulationWith([reportMail("first", records(3)), reportMail("first", records(2, 10))]);
    const { id } = await onlyConflict(simulation);
    simulation.clock.nowMilliseconds += 5000;
    await decideConflict(id, { decision: "count_both", note: NOTE }, simulation.invocation());
    await simulation.drain();
    const both = { records: 5, messages: figures(3).messages + figures(2, 10).messages };
    expect(ledgerFigures(simulation)).toEqual({ "acme/first": both });
    expect(reportFigures(simulation)).toEqual({ "acme/first": both });
    simulation.clock.nowMilliseconds += 86_400_000;
    await simulation.deliver(reportMail("first", records(2, 10)));
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/first": both });
    expect(await conflictsOf(simulation)).toEqual([]);
  });
});

async function conflictsOf(simulation: Simulation): Promise<ConflictRow[]> {
  return (await listConflicts(undefined, simulation.invocation())).items;
}

function referenceTo(simulation: Simulation, reportId: string): ReportReference {
  const [reference] = simulation.rows<ReportReference>(
    `SELECT account, kind, domain, day, lower(hex(uid)) AS uid FROM reports WHERE report_id = '${reportId}'`,
  );
  if (reference === undefined) throw new Error(`There is no report ${reportId}.`);
  return { ...reference };
}

async function reprocess(simulation: Simulation): Promise<void> {
  simulation.clock.nowMilliseconds += 60_000;
  await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
  await simulation.drain();
}

describe("taking a report back", () => {
  it.each([3, 300, 1100])("of %i records removes its figures, for good", async (count) => {
    const simulation = await simulationWith([reportMail("forged", records(count)), reportMail("good", records(2))]);
    const reference = referenceTo(simulation, "forged");
    const raws = simulation.bucket.keys("raw/");
    expect(await takeBackReport(reference, NOTE, simulation.invocation())).toEqual(reference);
    await simulation.drain();
    const good = { "acme/good": figures(2) };
    expect([ledgerFigures(simulation), reportFigures(simulation)]).toEqual([good, good]);
    expect(simulation.rows("SELECT decision, decided_by, reason FROM decisions")).toEqual([
      { decision: "taken_back", decided_by: NOTE.by, reason: NOTE.reason },
    ]);
    // Neither running it again nor a copy brings it back.
    await reprocess(simulation);
    await simulation.deliver(reportMail("forged", records(count), "reports@acme.example"));
    await simulation.drain();
    expect([ledgerFigures(simulation), reportFigures(simulation)]).toEqual([good, good]);
    expect(simulation.bucket.keys("raw/")).toHaveLength(raws.length + 1);
    expect(outcomesOf(simulation).filter(({ outcome }) => outcome === "taken_back")).toHaveLength(2);
    expect(await takeBackReport(reference, NOTE, simulation.invocation())).toEqual({
      refused: "The report is taken back.",
    });
  });

  it("can be undone: the report counts again at once and its points follow", async () => {
    const simulation = await simulationWith([reportMail("forged", records(300))]);
    const reference = referenceTo(simulation, "forged");
    await takeBackReport(reference, NOTE, simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 5000;
    expect(await undoTakeBack(reference, simulation.invocation())).toEqual(reference);
    const all = { "acme/forged": figures(300) };
    expect(ledgerFigures(simulation)).toEqual(all);
    await simulation.drain();
    expect([ledgerFigures(simulation), reportFigures(simulation)]).toEqual([all, all]);
    expect(
      await imbalances(simulation, { reports: { "acme/forged": [figures(300)] }, deadLetters: 0, conflicts: 0 }),
    ).toEqual([]);
  });

  it("is refused for a report that is not there", async () => {
    const simulation = await simulationWith([reportMail("a", records(1))]);
    const reference = { ...referenceTo(simulation, "a"), uid: "0".repeat(32) };
    expect(await takeBackReport(reference, NOTE, simulation.invocation())).toMatchObject({
      refused: expect.any(String),
    });
  });
});

describe("a day's budget", () => {
  it.each([
    ["of an address", { address: 10, account: 1000 }],
    ["of an account", { address: 1000, account: 10 }],
  ])("of %s makes the rest wait until a person retries it", async (_, limits) => {
    const simulation = registeredSimulation();
    Object.assign(simulation.recordsPerDay, limits);
    for (const id of ["a", "b", "c"]) await simulation.deliver(reportMail(id, records(5)));
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(5), "acme/b": figures(5) });
    expect((await letters(simulation)).map(({ code }) => code)).toEqual(["over_budget"]);
    // The next day has a budget of its own; running everything again lifts nothing.
    await reprocess(simulation);
    expect((await letters(simulation)).map(({ code }) => code)).toEqual(["over_budget"]);
    simulation.clock.nowMilliseconds += 86_400_000;
    await simulation.deliver(reportMail("d", records(5)));
    await requeueDeadLetters({ filter: { code: "over_budget" } }, simulation.invocation());
    await simulation.drain();
    const reports = ["a", "b", "c", "d"].map((id) => [`acme/${id}`, figures(5)]);
    expect(ledgerFigures(simulation)).toEqual(Object.fromEntries(reports));
    expect(reportFigures(simulation)).toEqual(Object.fromEntries(reports));
    expect(await letters(simulation)).toEqual([]);
  });
});

describe("the records of a report", () => {
  it("are read from its raw object, filtered, sorted and paged", async () => {
    const simulation = await simulationWith([reportMail("a", records(1500))]);
    const query = { reference: referenceTo(simulation, "a") };
    const read = async (more: object) => {
      const answer = await readRecords({ ...query, ...more }, simulation.invocation());
      if (answer.kind !== "aggregate") throw new Error(answer.kind);
      return answer;
    };
    const first = await read({ limit: 3 });
    expect(first.records.map(({ ordinal, count }) => [ordinal, count])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(first).toMatchObject({ matching: 1500, messages: figures(1500).messages });
    const late = await read({ limit: 2, offset: 1498 });
    expect(late.records.map(({ ordinal }) => ordinal)).toEqual([1498, 1499]);
    const most = await read({ order: "messages", descending: true, limit: 2, offset: 1 });
    expect(most.records.map(({ count }) => count)).toEqual([1499, 1498]);
    const failed = await read({ isPass: false, limit: 2 });
    expect([failed.matching, failed.records.map(({ ordinal }) => ordinal)]).toEqual([750, [1, 3]]);
    const found = await read({ text: "192.0.5.7" });
    expect(found.records.every(({ sourceIp }) => sourceIp.includes("192.0.5.7"))).toBe(true);
    expect(found).toMatchObject({ matching: found.records.length, messages: expect.any(Number) });
    expect(found.matching).toBeGreaterThan(0);
  });

  it("are reported as gone when the raw object is gone", async () => {
    const simulation = await simulationWith([reportMail("a", records(2))]);
    const reference = referenceTo(simulation, "a");
    for (const key of simulation.bucket.keys("raw/")) await simulation.bucket.delete(key);
    expect(await readRecords({ reference }, simulation.invocation())).toMatchObject({
      kind: "gone",
      reason: expect.stringContaining("no longer in R2"),
    });
  });
});

describe("status", () => {
  it("counts objects without an outcome from today and from long ago", async () => {
    const simulation = await simulationWith([reportMail("a", records(1))]);
    await simulation.deliver(reportMail("b", records(1)));
    simulation.queues["dmarc-reports"].messages.length = 0;
    expect(await readStatus(simulation.invocation())).toMatchObject({
      unfinished: 1,
      unfinishedDays: [{ day: "2026-11-20", objects: 1 }],
    });
    // Counted by a reconcile job, it is seen however old it grows.
    simulation.clock.nowMilliseconds += 3_600_000;
    await startJob({ kind: "reconcile", random: 0, graceSeconds: 7200 }, {}, simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 40 * 86_400_000;
    expect(await readStatus(simulation.invocation())).toMatchObject({
      unfinished: 1,
      unfinishedDays: [{ day: "2026-11-20" }],
    });
    await runUpkeep(simulation.invocation(), 0.25);
    await simulation.drain();
    expect(await readStatus(simulation.invocation())).toMatchObject({ unfinished: 0, unfinishedDays: [] });
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(1), "acme/b": figures(1) });
  });
});

it("a duplicate stays one when reprocessed after the day's budget is used up", async () => {
  const simulation = registeredSimulation();
  simulation.recordsPerDay.address = 7;
  await simulation.deliver(reportMail("a", records(5)));
  await simulation.deliver(reportMail("a", records(5).toReversed()));
  await simulation.drain();
  const outcomes = () =>
    outcomesOf(simulation)
      .map(({ outcome }) => outcome)
      .sort();
  // Its records would not have fit: nobody knows it for a duplicate before.
  expect(outcomes()).toEqual(["accepted", "dead_letter"]);
  await requeueDeadLetters({ filter: { code: "over_budget" } }, simulation.invocation());
  await simulation.drain();
  expect(outcomes()).toEqual(["accepted", "duplicate"]);
  await reprocess(simulation);
  expect(outcomes()).toEqual(["accepted", "duplicate"]);
});
