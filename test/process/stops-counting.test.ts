/** A report that stops counting, and what else brought it: duplicates, versions in conflict with it, decisions about them. */
import { describe, expect, it } from "vitest";
import { conflictsQuery } from "../../shared/ledger/conflicts.ts";
import { ask } from "../../shared/ledger/database.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { decideConflict } from "../../workers/process/operations/conflicts.ts";
import { takeBackReport, undoTakeBack } from "../../workers/process/operations/take-back.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { sampleReport } from "../support/sample-report.ts";
import { imbalances, ledgerFigures } from "../support/simulation/balance.ts";
import { figures, mailOf, records, registeredSimulation, reportMail, stamped } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { SimulatedMail, Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const NOTE = { by: "operator@acme.example", reason: "a test" };
const FIRST = reportMail("a", records(3));
const SAME_REPORT = reportMail("a", records(3), "reports@acme.example");
const OTHER_VERSION = reportMail("a", records(2, 10), "reports@acme.example");

async function simulationAfter(mails: readonly SimulatedMail[]): Promise<Simulation> {
  const simulation = registeredSimulation();
  for (const mail of mails) {
    expect(await simulation.deliver(mail)).toBe("taken");
    await simulation.drain();
  }
  return simulation;
}

function keyOf(simulation: Simulation, rua: string): string {
  const key = simulation.bucket.keys("raw/").find((one) => simulation.bucket.describe(one)?.customMetadata.rua === rua);
  if (key === undefined) throw new Error(`Nothing came to ${rua}.`);
  return key;
}

async function reprocess(simulation: Simulation, key?: string): Promise<void> {
  simulation.clock.nowMilliseconds += 60_000;
  const filter = key === undefined ? {} : { key };
  await startJob({ kind: "reprocess", random: 0.5 }, { filter }, simulation.invocation());
  await simulation.drain();
}

function accepted(simulation: Simulation): ReportReference {
  const [found] = simulation.rows<ReportReference>(
    "SELECT account, kind, domain, day, lower(hex(uid)) AS uid FROM reports WHERE state = 'accepted'",
  );
  if (found === undefined) throw new Error("No report is accepted.");
  return found;
}

function outcomesAt(simulation: Simulation, rua: string): string[] {
  const rows = simulation.rows<{ outcome: string }>(
    `SELECT value ->> 'outcome' AS outcome FROM objects, json_each(outcomes) WHERE rua = '${rua}'`,
  );
  return rows.map(({ outcome }) => outcome);
}

async function conflictId(simulation: Simulation): Promise<string> {
  const [conflict] = await ask(simulation.ledger, conflictsQuery({ limit: 10 }));
  if (conflict === undefined) throw new Error("There is no conflict.");
  return conflict.id;
}

describe("a report whose object can no longer be read", () => {
  it.each([
    { name: "the same report from elsewhere", other: SAME_REPORT, wanted: figures(3) },
    { name: "another version of it", other: OTHER_VERSION, wanted: figures(2, 10) },
  ])("gives way to $name", async ({ other, wanted }) => {
    const simulation = await simulationAfter([FIRST, other]);
    simulation.maxReportBytes = 1;
    simulation.clock.nowMilliseconds += 60_000;
    const filter = { key: keyOf(simulation, "dmarc@acme.example") };
    await startJob({ kind: "reprocess", random: 0.5 }, { filter }, simulation.invocation());
    await simulation.drain({ rounds: 2 });
    simulation.maxReportBytes = 0;
    await simulation.drain();
    expect(await imbalances(simulation, { reports: { "acme/a": [wanted] }, deadLetters: 1, conflicts: 0 })).toEqual([]);
    await reprocess(simulation);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": wanted });
  });

  it("is noted with a bounded number of others", async () => {
    const copies = Array.from({ length: PROCESS_LIMITS.maxOtherObjects + 5 }, (_, i) =>
      mailOf([{ name: `copy-${i}.xml`, content: Buffer.from(sampleReport({ reportId: "a", records: records(3) })) }]),
    );
    const simulation = await simulationAfter([FIRST, ...copies]);
    const [row] = simulation.rows<{ others: string }>("SELECT details -> '$.others' AS others FROM reports");
    expect(JSON.parse(row?.others ?? "[]")).toHaveLength(PROCESS_LIMITS.maxOtherObjects);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3) });
  });
});

describe("a report that is taken back", () => {
  it("lets the version in conflict with it count, and reprocessing changes nothing", async () => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    await takeBackReport(accepted(simulation), NOTE, simulation.invocation());
    await simulation.drain();
    const expected = { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 0 };
    expect(await imbalances(simulation, expected)).toEqual([]);
    await reprocess(simulation);
    expect(await imbalances(simulation, expected)).toEqual([]);
  });

  it("leaves the version that counts in its place, however often its message is delivered", async () => {
    const simulation = await simulationAfter([FIRST]);
    await takeBackReport(accepted(simulation), NOTE, simulation.invocation());
    await simulation.deliver(OTHER_VERSION);
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2, 10) });
    const key = keyOf(simulation, "dmarc@acme.example");
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, { filter: { key } }, simulation.invocation());
    let isFirst = true;
    simulation.faults.plan = ({ name }) => {
      if (name !== "d1.batch" || simulation.queues["dmarc-reports"].messages.length > 0 || !isFirst) return undefined;
      const [job] = simulation.rows<{ state: string }>("SELECT state FROM jobs");
      if (job?.state !== "done") return undefined;
      isFirst = false;
      return "kill";
    };
    await simulation.drain();
    expect(isFirst).toBe(false);
    expect(
      await imbalances(simulation, { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 0 }),
    ).toEqual([]);
  });

  it("is no dead letter when its address no longer accepts the domain, however often it is read again", async () => {
    const simulation = await simulationAfter([FIRST]);
    await takeBackReport(accepted(simulation), NOTE, simulation.invocation());
    await simulation.drain();
    simulation.register("dmarc@acme.example", { account: "acme", domains: ["beta.example"] });
    for (let time = 0; time < 2; time++) {
      await reprocess(simulation);
      expect(outcomesAt(simulation, "dmarc@acme.example")).toEqual(["taken_back"]);
    }
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([]);
  });

  it("keeps out a version that a person had decided against", async () => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    await decideConflict(await conflictId(simulation), { decision: "keep", note: NOTE }, simulation.invocation());
    await takeBackReport(accepted(simulation), NOTE, simulation.invocation());
    await simulation.drain();
    await reprocess(simulation);
    expect(ledgerFigures(simulation)).toEqual({});
  });

  it("is replaced, once that is undone, by the same report from a verified sender that came meanwhile", async () => {
    const simulation = await simulationAfter([FIRST]);
    const report = accepted(simulation);
    await takeBackReport(report, NOTE, simulation.invocation());
    await simulation.deliver(stamped(SAME_REPORT, "reporter.example"));
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({});
    await undoTakeBack(report, simulation.invocation());
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(3) });
    await simulation.drain();
    expect(simulation.rows("SELECT rua, sender_domain AS sender FROM reports")).toEqual([
      { rua: "reports@acme.example", sender: "reporter.example" },
    ]);
    expect(await imbalances(simulation, { reports: { "acme/a": [figures(3)] }, deadLetters: 0, conflicts: 0 })).toEqual(
      [],
    );
  });

  it("has its points again once that is undone, also where the answer of D1 was lost", async () => {
    const simulation = await simulationAfter([FIRST]);
    const report = accepted(simulation);
    await takeBackReport(report, NOTE, simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 60_000;
    let batches = 0;
    // The first looks the report up, the second changes it.
    simulation.faults.plan = ({ name }) => (name === "d1.batch" && ++batches === 2 ? "after" : undefined);
    await expect(simulation.operate((invocation) => undoTakeBack(report, invocation))).rejects.toThrow("injected");
    simulation.faults.plan = () => undefined;
    await simulation.drain();
    expect(await imbalances(simulation, { reports: { "acme/a": [figures(3)] }, deadLetters: 0, conflicts: 0 })).toEqual(
      [],
    );
  });

  it("is not counted once that is undone if its object cannot be read then, and counts when it can", async () => {
    const simulation = await simulationAfter([FIRST]);
    const report = accepted(simulation);
    await takeBackReport(report, NOTE, simulation.invocation());
    await reprocess(simulation);
    expect(outcomesAt(simulation, "dmarc@acme.example")).toEqual(["taken_back"]);
    await undoTakeBack(report, simulation.invocation());
    simulation.maxReportBytes = 1;
    await simulation.drain();
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "too_large_for_plan" }]);
    expect(ledgerFigures(simulation)).toEqual({});
    simulation.maxReportBytes = 0;
    await reprocess(simulation);
    expect(await imbalances(simulation, { reports: { "acme/a": [figures(3)] }, deadLetters: 0, conflicts: 0 })).toEqual(
      [],
    );
  });

  it("is not restored for an account that its address has left", async () => {
    const simulation = await simulationAfter([FIRST]);
    const report = accepted(simulation);
    await takeBackReport(report, NOTE, simulation.invocation());
    simulation.register("dmarc@acme.example", { account: "other" });
    await reprocess(simulation);
    const refused = "dmarc@acme.example is no longer an address of acme: register it again first.";
    expect(await undoTakeBack(report, simulation.invocation())).toEqual({ refused });
    expect(ledgerFigures(simulation)).toEqual({ "other/a": figures(3) });
  });
});

describe("a version in conflict", () => {
  it("is a duplicate once the same version comes from a verified sender", async () => {
    const verified = stamped(reportMail("a", records(2, 10)), "reporter.example");
    const simulation = await simulationAfter([FIRST, OTHER_VERSION, verified]);
    expect(
      await imbalances(simulation, { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 1 }),
    ).toEqual([]);
    const [conflict] = await ask(simulation.ledger, conflictsQuery({ limit: 10 }));
    expect(conflict).toMatchObject({ accepted: { records: 2 }, other: { records: 3 } });
  });
});

describe("a version in conflict that came to two addresses", () => {
  it.each(["reports@acme.example", "more@acme.example"])("stays in conflict when %s moves away", async (rua) => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    simulation.register("more@acme.example", { account: "acme" });
    await simulation.deliver(reportMail("a", records(2, 10), "more@acme.example"));
    await simulation.drain();
    simulation.register(rua, { account: "other" });
    await reprocess(simulation, keyOf(simulation, rua));
    const reports = { "acme/a": [figures(3)], "other/a": [figures(2, 10)] };
    expect(await imbalances(simulation, { reports, deadLetters: 0, conflicts: 1 })).toEqual([]);
  });
});

describe("an unverified report that a verified version takes the place of", () => {
  const VERIFIED = stamped(OTHER_VERSION, "reporter.example");

  it("is a version in conflict at once, and a duplicate once a person keeps the verified one", async () => {
    const simulation = await simulationAfter([FIRST]);
    await simulation.deliver(VERIFIED);
    await simulation.runProcess();
    expect(outcomesAt(simulation, "dmarc@acme.example")).toEqual(["conflict"]);
    await decideConflict(await conflictId(simulation), { decision: "keep", note: NOTE }, simulation.invocation());
    expect(outcomesAt(simulation, "dmarc@acme.example")).toEqual(["duplicate"]);
    await simulation.drain();
    expect(outcomesAt(simulation, "dmarc@acme.example")).toEqual(["duplicate"]);
    expect(
      await imbalances(simulation, { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 0 }),
    ).toEqual([]);
  });

  it("leaves no conflict behind when its address has moved to another account", async () => {
    const simulation = await simulationAfter([FIRST]);
    simulation.register("dmarc@acme.example", { account: "other" });
    await simulation.deliver(VERIFIED);
    await simulation.drain();
    const reports = { "acme/a": [figures(2, 10)], "other/a": [figures(3)] };
    expect(await imbalances(simulation, { reports, deadLetters: 0, conflicts: 0 })).toEqual([]);
  });
});

describe("a version that a person chose, and that could not be read for a while", () => {
  it("counts again, and what came meanwhile is in conflict with it", async () => {
    const third = reportMail("a", records(4, 50), "reports@acme.example");
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    await decideConflict(await conflictId(simulation), { decision: "replace", note: NOTE }, simulation.invocation());
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2, 10) });
    const key = keyOf(simulation, "reports@acme.example");
    simulation.maxReportBytes = 1;
    await reprocess(simulation, key);
    simulation.maxReportBytes = 0;
    await simulation.deliver(third);
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(4, 50) });
    await reprocess(simulation, key);
    expect(
      await imbalances(simulation, { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 1 }),
    ).toEqual([]);
  });
});

describe("a version chosen after another one had been", () => {
  const THIRD = reportMail("a", records(4, 50), "reports@acme.example");

  async function replaceWith(simulation: Simulation, recordCount: number): Promise<void> {
    const conflicts = await ask(simulation.ledger, conflictsQuery({ limit: 10 }));
    const wanted = conflicts.find(({ other }) => other.records === recordCount);
    await decideConflict(wanted?.id ?? "", { decision: "replace", note: NOTE }, simulation.invocation());
    await simulation.drain({ rounds: 60 });
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
  }

  it("counts in its place, and both are read no more", async () => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION, THIRD]);
    await replaceWith(simulation, 2);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2, 10) });
    const [left] = await ask(simulation.ledger, conflictsQuery({ limit: 10 }));
    expect(left).toMatchObject({ accepted: { records: 2 }, other: { records: 4 } });
    await replaceWith(simulation, 4);
    await reprocess(simulation);
    const expected = { reports: { "acme/a": [figures(4, 50)] }, deadLetters: 0, conflicts: 0 };
    expect(await imbalances(simulation, expected)).toEqual([]);
  });

  it("stays when the earlier choice, unreadable meanwhile, can be read again", async () => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    await replaceWith(simulation, 2);
    const key = keyOf(simulation, "reports@acme.example");
    simulation.maxReportBytes = 1;
    await reprocess(simulation, key);
    simulation.maxReportBytes = 0;
    const fourth = reportMail("a", records(5, 70), "reports@acme.example");
    for (const mail of [THIRD, fourth]) {
      await simulation.deliver(mail);
      await simulation.drain();
    }
    await replaceWith(simulation, 5);
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain({ rounds: 60 });
    expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(5, 70) });
  });
});

describe("a decision for a version whose address is no longer registered", () => {
  it.each(["replace", "count_both"] as const)("to %s is refused, as it cannot be read again", async (decision) => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    simulation.unregister("reports@acme.example");
    const answer = await decideConflict(
      await conflictId(simulation),
      { decision, note: NOTE },
      simulation.invocation(),
    );
    expect(answer).toEqual({
      refused: "reports@acme.example is no longer an address of acme: register it again, or keep the first.",
    });
    expect(simulation.rows("SELECT * FROM decisions")).toEqual([]);
  });
});

describe("a decision for a version whose address does not accept its domain any more", () => {
  it.each(["replace", "count_both"] as const)("to %s is refused, as it would be a dead letter", async (decision) => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    simulation.register("reports@acme.example", { account: "acme", domains: ["beta.example"] });
    const id = await conflictId(simulation);
    expect(await decideConflict(id, { decision, note: NOTE }, simulation.invocation())).toEqual({
      refused: "reports@acme.example no longer accepts acme.example: add the domain to it again, or keep the first.",
    });
    expect(simulation.rows("SELECT * FROM decisions")).toEqual([]);
    simulation.register("reports@acme.example", { account: "acme", domains: ["acme.example"] });
    await decideConflict(id, { decision, note: NOTE }, simulation.invocation());
    await simulation.drain();
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([]);
  });
});

describe("a conflict about a report of a final day", () => {
  it("goes with the report's details, and reading its objects again makes no dead letter", async () => {
    const simulation = await simulationAfter([FIRST, OTHER_VERSION]);
    expect(simulation.rows("SELECT id FROM conflicts")).toHaveLength(1);
    const before = sums(simulation);
    simulation.keepDetailDays = 12;
    simulation.clock.nowMilliseconds = (accepted(simulation).day + 20) * 86_400_000;
    await runUpkeep(simulation.invocation(), 0.5);
    await simulation.drain();
    expect(simulation.rows("SELECT uid FROM reports")).toEqual([]);
    expect(simulation.rows("SELECT id FROM conflicts")).toEqual([]);
    await reprocess(simulation);
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([]);
    expect(simulation.rows("SELECT id FROM conflicts")).toEqual([]);
    expect(sums(simulation)).toEqual(before);
    expect(before).toMatchObject([{ reports: 1 }]);
  });
});

function sums(simulation: Simulation): Record<string, unknown>[] {
  return simulation.rows("SELECT account, domain, day, reports, total, passed FROM domain_days");
}

/** Lets another invocation process a message just before a transaction notes an object with the report that counts. */
function interleave(simulation: Simulation): void {
  const { ledger } = simulation;
  const [prepare, batch] = [ledger.prepare.bind(ledger), ledger.batch.bind(ledger)];
  let state: "waits" | "notes" | "over" = "waits";
  ledger.prepare = (sql) => {
    if (state === "waits" && sql.includes("json_set(details, '$.others'")) state = "notes";
    return prepare(sql);
  };
  ledger.batch = async (statements) => {
    if (state === "notes") {
      state = "over";
      await simulation.runProcess({ maxBatchSize: 1 });
    }
    return batch(statements);
  };
}

describe("a version that comes while the same one from a verified sender begins to count", () => {
  it("is no conflict with the version before", async () => {
    const simulation = await simulationAfter([FIRST]);
    expect(await simulation.deliver(OTHER_VERSION)).toBe("taken");
    const verified = stamped(reportMail("a", records(2, 10)), "reporter.example");
    expect(await simulation.deliver(verified)).toBe("taken");
    interleave(simulation);
    await simulation.runProcess({ maxBatchSize: 1 });
    await simulation.drain();

    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2, 10) });
    expect(outcomesAt(simulation, "reports@acme.example")).toEqual(["duplicate"]);
    const conflicts = await ask(simulation.ledger, conflictsQuery({ limit: 10 }));
    expect(conflicts.map(({ other }) => other.rua)).toEqual(["dmarc@acme.example"]);
    const expected = { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 1 };
    expect(await imbalances(simulation, expected)).toEqual([]);
  });
});
