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
import { figures, mailOf, records, registerAll, reportMail, stamped } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { type SimulatedMail, World } from "../support/simulation/world.ts";

setUpSimulation();

const NOTE = { by: "operator@acme.example", reason: "a test" };
const FIRST = reportMail("a", records(3));
const SAME_REPORT = reportMail("a", records(3), "reports@acme.example");
const OTHER_VERSION = reportMail("a", records(2, 10), "reports@acme.example");

async function worldAfter(mails: readonly SimulatedMail[]): Promise<World> {
  const world = new World();
  registerAll(world);
  for (const mail of mails) {
    expect(await world.deliver(mail)).toBe("taken");
    await world.drain();
  }
  return world;
}

function keyOf(world: World, rua: string): string {
  const key = world.bucket.keys("raw/").find((one) => world.bucket.describe(one)?.customMetadata.rua === rua);
  if (key === undefined) throw new Error(`Nothing came to ${rua}.`);
  return key;
}

async function reprocess(world: World, key?: string): Promise<void> {
  world.clock.nowMilliseconds += 60_000;
  const filter = key === undefined ? {} : { key };
  await startJob({ kind: "reprocess", random: 0.5 }, { filter }, world.invocation());
  await world.drain();
}

function accepted(world: World): ReportReference {
  const [found] = world.rows<ReportReference>(
    "SELECT account, kind, domain, day, lower(hex(uid)) AS uid FROM reports WHERE state = 'accepted'",
  );
  if (found === undefined) throw new Error("No report is accepted.");
  return found;
}

async function conflictId(world: World): Promise<string> {
  const [conflict] = await ask(world.ledger, conflictsQuery({ limit: 10 }));
  if (conflict === undefined) throw new Error("There is no conflict.");
  return conflict.id;
}

describe("a report whose object can no longer be read", () => {
  it.each([
    { name: "the same report from elsewhere", other: SAME_REPORT, wanted: figures(3) },
    { name: "another version of it", other: OTHER_VERSION, wanted: figures(2, 10) },
  ])("gives way to $name", async ({ other, wanted }) => {
    const world = await worldAfter([FIRST, other]);
    world.maxReportBytes = 1;
    world.clock.nowMilliseconds += 60_000;
    const filter = { key: keyOf(world, "dmarc@acme.example") };
    await startJob({ kind: "reprocess", random: 0.5 }, { filter }, world.invocation());
    await world.drain({ rounds: 2 });
    world.maxReportBytes = 0;
    await world.drain();
    expect(await imbalances(world, { reports: { "acme/a": [wanted] }, deadLetters: 1, conflicts: 0 })).toEqual([]);
    await reprocess(world);
    expect(ledgerFigures(world)).toEqual({ "acme/a": wanted });
  });

  it("is noted with a bounded number of others", async () => {
    const copies = Array.from({ length: PROCESS_LIMITS.maxOtherObjects + 5 }, (_, i) =>
      mailOf([{ name: `copy-${i}.xml`, content: Buffer.from(sampleReport({ reportId: "a", records: records(3) })) }]),
    );
    const world = await worldAfter([FIRST, ...copies]);
    const [row] = world.rows<{ others: string }>("SELECT details -> '$.others' AS others FROM reports");
    expect(JSON.parse(row?.others ?? "[]")).toHaveLength(PROCESS_LIMITS.maxOtherObjects);
    expect(ledgerFigures(world)).toEqual({ "acme/a": figures(3) });
  });
});

describe("a report that is taken back", () => {
  it("lets the version in conflict with it count, and reprocessing changes nothing", async () => {
    const world = await worldAfter([FIRST, OTHER_VERSION]);
    await takeBackReport(accepted(world), NOTE, world.invocation());
    await world.drain();
    const expected = { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 0 };
    expect(await imbalances(world, expected)).toEqual([]);
    await reprocess(world);
    expect(await imbalances(world, expected)).toEqual([]);
  });

  it("leaves the version that counts in its place, however often its message is delivered", async () => {
    const world = await worldAfter([FIRST]);
    await takeBackReport(accepted(world), NOTE, world.invocation());
    await world.deliver(OTHER_VERSION);
    await world.drain();
    expect(ledgerFigures(world)).toEqual({ "acme/a": figures(2, 10) });
    const key = keyOf(world, "dmarc@acme.example");
    world.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, { filter: { key } }, world.invocation());
    let isFirst = true;
    world.faults.plan = ({ name }) => {
      if (name !== "d1.batch" || world.queues["dmarc-reports"].messages.length > 0 || !isFirst) return undefined;
      const [job] = world.rows<{ state: string }>("SELECT state FROM jobs");
      if (job?.state !== "done") return undefined;
      isFirst = false;
      return "kill";
    };
    await world.drain();
    expect(isFirst).toBe(false);
    expect(await imbalances(world, { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 0 })).toEqual(
      [],
    );
  });

  it("keeps out a version that a person had decided against", async () => {
    const world = await worldAfter([FIRST, OTHER_VERSION]);
    await decideConflict(await conflictId(world), { decision: "keep", note: NOTE }, world.invocation());
    await takeBackReport(accepted(world), NOTE, world.invocation());
    await world.drain();
    await reprocess(world);
    expect(ledgerFigures(world)).toEqual({});
  });

  it("is not restored for an account that its address has left", async () => {
    const world = await worldAfter([FIRST]);
    const report = accepted(world);
    await takeBackReport(report, NOTE, world.invocation());
    world.register("dmarc@acme.example", { account: "other" });
    await reprocess(world);
    const refused = "dmarc@acme.example is no longer an address of acme: register it again first.";
    expect(await undoTakeBack(report, world.invocation())).toEqual({ refused });
    expect(ledgerFigures(world)).toEqual({ "other/a": figures(3) });
  });
});

describe("a version in conflict", () => {
  it("is a duplicate once the same version comes from a verified sender", async () => {
    const verified = stamped(reportMail("a", records(2, 10)), "reporter.example");
    const world = await worldAfter([FIRST, OTHER_VERSION, verified]);
    expect(await imbalances(world, { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 1 })).toEqual(
      [],
    );
    const [conflict] = await ask(world.ledger, conflictsQuery({ limit: 10 }));
    expect(conflict).toMatchObject({ accepted: { records: 2 }, other: { records: 3 } });
  });
});

describe("a version that a person chose, and that could not be read for a while", () => {
  it("counts again, and what came meanwhile is in conflict with it", async () => {
    const third = reportMail("a", records(4, 50), "reports@acme.example");
    const world = await worldAfter([FIRST, OTHER_VERSION]);
    await decideConflict(await conflictId(world), { decision: "replace", note: NOTE }, world.invocation());
    await world.drain();
    expect(ledgerFigures(world)).toEqual({ "acme/a": figures(2, 10) });
    const key = keyOf(world, "reports@acme.example");
    world.maxReportBytes = 1;
    await reprocess(world, key);
    world.maxReportBytes = 0;
    await world.deliver(third);
    await world.drain();
    expect(ledgerFigures(world)).toEqual({ "acme/a": figures(4, 50) });
    await reprocess(world, key);
    expect(await imbalances(world, { reports: { "acme/a": [figures(2, 10)] }, deadLetters: 0, conflicts: 1 })).toEqual(
      [],
    );
  });
});

describe("a decision for a version whose address is no longer registered", () => {
  it.each(["replace", "count_both"] as const)("to %s is refused, as it cannot be read again", async (decision) => {
    const world = await worldAfter([FIRST, OTHER_VERSION]);
    world.unregister("reports@acme.example");
    const answer = await decideConflict(await conflictId(world), { decision, note: NOTE }, world.invocation());
    expect(answer).toEqual({
      refused: "reports@acme.example is no longer an address of acme: register it again, or keep the first.",
    });
    expect(world.rows("SELECT * FROM decisions")).toEqual([]);
  });
});

describe("a conflict about a report of a final day", () => {
  it("goes with the report's details, and reading its objects again makes no dead letter", async () => {
    const world = await worldAfter([FIRST, OTHER_VERSION]);
    expect(world.rows("SELECT id FROM conflicts")).toHaveLength(1);
    const before = sums(world);
    world.keepDetailDays = 12;
    world.clock.nowMilliseconds = (accepted(world).day + 20) * 86_400_000;
    await runUpkeep(world.invocation(), 0.5);
    await world.drain();
    expect(world.rows("SELECT uid FROM reports")).toEqual([]);
    expect(world.rows("SELECT id FROM conflicts")).toEqual([]);
    await reprocess(world);
    expect(world.rows("SELECT code FROM dead_letters")).toEqual([]);
    expect(world.rows("SELECT id FROM conflicts")).toEqual([]);
    expect(sums(world)).toEqual(before);
    expect(before).toMatchObject([{ reports: 1 }]);
  });
});

function sums(world: World): Record<string, unknown>[] {
  return world.rows("SELECT account, domain, day, reports, total, passed FROM domain_days");
}
