/** Running everything again, and finding what was never finished, on the simulated platform. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { ask } from "../../shared/ledger/database.ts";
import { findJob, followJobs, type Job, jobQuery, newestJobsQuery } from "../../shared/ledger/jobs.ts";
import type { JobRequest } from "../../shared/operations.ts";
import type { ReadEvent } from "../../shared/report/read.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { cancelJob, startJob } from "../../workers/process/jobs/start-job.ts";
import { readStatus } from "../../workers/process/operations/status.ts";
import { columnOf, eventsByOutcome, imbalances, ledgerFigures, reportFigures } from "../support/simulation/balance.ts";
import { FAULT_MODES } from "../support/simulation/faults.ts";
import {
  allMail,
  figures,
  records,
  registerAll,
  registeredSimulation,
  reportMail,
  type Scenario,
  smallMail,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

/** The reader as a later version might be: it gives up the last records of each report, or whole reports. */
const reader = vi.hoisted(() => ({ dropped: 0, refusesAll: false }));

vi.mock("../../shared/report/read.ts", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../shared/report/read.ts")>();
  return {
    ...original,
    async *readReports(...args: Parameters<typeof original.readReports>): AsyncGenerator<ReadEvent> {
      let held: AggregateRecord[] = [];
      for await (const event of original.readReports(...args)) {
        if (event.type === "records") held.push(...event.records);
        else {
          yield* laterReading(event, held);
          held = [];
        }
      }
    },
  };
});

function* laterReading(event: Exclude<ReadEvent, { type: "records" }>, held: AggregateRecord[]): Generator<ReadEvent> {
  const { part } = event;
  if (reader.refusesAll && event.type === "report") {
    yield { type: "problem", part, problem: { code: "malformed_xml", message: "Refused by this test." } };
    return;
  }
  if (event.type !== "report" || event.report.kind !== "aggregate") {
    yield event;
    return;
  }
  const records = held.slice(0, held.length - reader.dropped);
  const messages = records.reduce((sum, { count }) => sum + count, 0);
  const passed = records.reduce((sum, record) => sum + (record.dkim === "pass" ? record.count : 0), 0);
  const totals = { ...event.report.totals, records: records.length, messages, passed };
  yield { type: "records", part, firstOrdinal: 0, records };
  yield { type: "report", part, report: { ...event.report, totals } };
}

setUpSimulation();
afterEach(() => {
  reader.dropped = 0;
  reader.refusesAll = false;
});

async function simulationAfter({ mails }: Pick<Scenario, "mails"> = allMail()): Promise<Simulation> {
  const simulation = registeredSimulation();
  for (const mail of mails) await simulation.deliver(mail);
  await simulation.drain();
  return simulation;
}

async function start(simulation: Simulation, kind: Job["kind"], request: JobRequest = {}): Promise<Job> {
  simulation.clock.nowMilliseconds += 60_000;
  const job = await startJob({ kind, random: 0.25 }, request, simulation.invocation());
  if ("refused" in job) throw new Error(job.refused);
  return job;
}

async function run(simulation: Simulation, kind: Job["kind"], request: JobRequest = {}): Promise<Job> {
  const { id } = await start(simulation, kind, request);
  await simulation.drain();
  return (await findJob(simulation.ledger, id)) ?? expect.unreachable();
}

describe("reprocess", () => {
  it("twice over everything changes no total and keeps its progress", async () => {
    const { expected } = allMail();
    const simulation = await simulationAfter();
    for (let i = 0; i < 2; i++) {
      const job = await run(simulation, "reprocess");
      const raws = simulation.bucket.keys("raw/").length;
      expect(job).toMatchObject({ state: "done", scanned: raws, enqueued: raws, pages: 1 });
      expect(await imbalances(simulation, expected)).toEqual([]);
    }
    expect(await ask(simulation.ledger, newestJobsQuery(100))).toHaveLength(2);
    expect(eventsByOutcome(simulation).get("reprocessed")).toHaveLength(Object.keys(expected.reports).length);
  });

  it("reports its number of files and how many are done", async () => {
    const simulation = await simulationAfter();
    const raws = simulation.bucket.keys("raw/").length;
    const follow = async (id: string) => {
      const jobs = await ask(simulation.ledger, jobQuery(id));
      return (await followJobs(simulation.invocation().shards.all, jobs, simulation.invocation().nowSeconds))[0];
    };
    const { id } = await start(simulation, "reprocess");
    expect(await follow(id)).toMatchObject({ total: raws, finished: undefined });
    await simulation.drain();
    expect(await follow(id)).toMatchObject({ enqueued: raws, finished: raws });
    expect(await readStatus(simulation.invocation())).toMatchObject({ runningAgain: 0 });

    // Nothing of an address that is gone is read again, and yet its files have had their turn.
    simulation.unregister("dmarc@acme.example");
    simulation.clock.nowMilliseconds += 5000;
    const again = await start(simulation, "reprocess", { filter: { prefix: "raw/2026/11/" } });
    expect(await follow(again.id)).toMatchObject({ total: raws });
    await simulation.drain();
    expect(await follow(again.id)).toMatchObject({ state: "done", enqueued: raws, finished: raws });
    expect(await start(simulation, "reprocess", { filter: { prefix: "raw/2025/" } })).toMatchObject({ total: 0 });
  });

  it("can be cancelled, and leaves files alone that it has not enqueued", async () => {
    const simulation = await simulationAfter();
    const { id } = await start(simulation, "reprocess");
    expect(await cancelJob(id, simulation.invocation())).toMatchObject({ state: "cancelled" });
    await simulation.drain();
    expect(await findJob(simulation.ledger, id)).toMatchObject({ state: "cancelled", pages: 0, enqueued: 0 });
    expect(eventsByOutcome(simulation).get("reprocessed")).toBeUndefined();
    // It stays so, and one that is done stays done.
    expect(await cancelJob(id, simulation.invocation())).toMatchObject({ state: "cancelled" });
    const done = await run(simulation, "reprocess");
    expect(await cancelJob(done.id, simulation.invocation())).toMatchObject({ state: "done" });
    expect(await cancelJob("none", simulation.invocation())).toBeUndefined();
  });

  describe("cancelled with files in the queue", () => {
    const MAILS = Array.from({ length: 8 }, (_, i) => reportMail(`r${i}`, records(2)));
    const EXPECTED = Object.fromEntries(MAILS.map((_, i) => [`acme/r${i}`, figures(2)]));

    /** Has everything enqueued, three files run, then cancels. @returns the job's id */
    async function cancelInTheMiddle(simulation: Simulation): Promise<string> {
      const { id } = await start(simulation, "reprocess");
      await simulation.drain({ rounds: 1 });
      await simulation.drain({ rounds: 1, maxBatchSize: 3 });
      expect(await cancelJob(id, simulation.invocation())).toMatchObject({ state: "cancelled" });
      return id;
    }

    async function follow(simulation: Simulation, id: string) {
      const { shards, nowSeconds } = simulation.invocation();
      return (await followJobs(shards.all, await ask(simulation.ledger, jobQuery(id)), nowSeconds))[0];
    }

    it("skips them unread, changes nothing, and counts each once", async () => {
      const simulation = await simulationAfter({ mails: MAILS });
      const id = await cancelInTheMiddle(simulation);
      const objects = simulation.rows("SELECT * FROM objects");
      simulation.faults.calls.length = 0;
      let repeated = 0;
      await simulation.drain({ repeats: () => repeated++ < 3 });
      expect(simulation.faults.calls.filter((call) => call.startsWith("r2."))).toEqual([]);
      expect(simulation.rows("SELECT * FROM objects")).toEqual(objects);
      expect(await follow(simulation, id)).toMatchObject({ state: "cancelled", enqueued: 8, finished: 3, skipped: 5 });
      expect(await readStatus(simulation.invocation())).toMatchObject({ runningAgain: 0, unfinished: 0 });
      expect(reportFigures(simulation)).toEqual(EXPECTED);
      expect(ledgerFigures(simulation)).toEqual(EXPECTED);
      // Another job takes them all, as if there had been none before.
      expect(await run(simulation, "reprocess")).toMatchObject({ state: "done", enqueued: 8, skipped: 0 });
      expect(await follow(simulation, id)).toMatchObject({ finished: 3, skipped: 5 });
      expect(ledgerFigures(simulation)).toEqual(EXPECTED);
    });

    it("keeps the sums exact with a fault, or the isolate killed, at any call", async () => {
      const simulation = await simulationAfter({ mails: MAILS });
      const id = await cancelInTheMiddle(simulation);
      const before = simulation.faults.calls.length;
      const restore = simulation.mark();
      await simulation.drain();
      const calls = [...simulation.faults.calls];
      for (let index = before; index < calls.length; index++) {
        for (const mode of FAULT_MODES) {
          restore();
          simulation.faults.plan = (call) => (call.index === index ? mode : undefined);
          await simulation.drain();
          expect(simulation.faults.calls[index]).toBe(calls[index]);
          const { finished = 0, skipped = 0, enqueued } = (await follow(simulation, id)) ?? expect.unreachable();
          expect(finished + skipped, `${mode} at call ${index}`).toBe(enqueued);
          expect(reportFigures(simulation), `${mode} at call ${index}`).toEqual(EXPECTED);
          expect(ledgerFigures(simulation), `${mode} at call ${index}`).toEqual(EXPECTED);
        }
      }
    });

    it("counts the page being sent", async () => {
      const simulation = await simulationAfter({ mails: MAILS });
      const { id } = await start(simulation, "reprocess");
      let isCancelled = false;
      const sending = simulation.queues["dmarc-reports"];
      const sendBatch = sending.sendBatch.bind(sending);
      sending.sendBatch = async (messages) => {
        if (!isCancelled) await cancelJob(id, simulation.invocation());
        isCancelled = true;
        return sendBatch(messages);
      };
      await simulation.drain();
      expect(await follow(simulation, id)).toMatchObject({ state: "cancelled", enqueued: 8, finished: 0, skipped: 8 });
      expect(ledgerFigures(simulation)).toEqual(EXPECTED);
    });

    it("still runs a file of another job, or a new one, in the same batch", async () => {
      const simulation = await simulationAfter({ mails: MAILS });
      await simulation.deliver(reportMail("new", records(1)));
      const { id } = await start(simulation, "reprocess");
      await simulation.drain({ rounds: 1, pick: (n) => n - 1, maxBatchSize: 1 });
      const other = await start(simulation, "reprocess");
      await simulation.drain({ rounds: 1, pick: (n) => n - 1, maxBatchSize: 1 });
      await cancelJob(id, simulation.invocation());
      await simulation.drain();
      expect(await follow(simulation, id)).toMatchObject({ enqueued: 9, skipped: 9, finished: 0 });
      expect(await follow(simulation, other.id)).toMatchObject({ state: "done", enqueued: 9, finished: 9 });
      expect(ledgerFigures(simulation)).toEqual({ ...EXPECTED, "acme/new": figures(1) });
    });
  });

  it("of an unknown domain is refused", async () => {
    const simulation = await simulationAfter();
    const request = { filter: { domain: "nobody.example" } };
    expect(await startJob({ kind: "reprocess", random: 0.5 }, request, simulation.invocation())).toMatchObject({
      refused: expect.stringContaining("nobody.example"),
    });
    expect(await start(simulation, "reprocess", { filter: { domain: "acme.example" } })).toMatchObject({
      state: "running",
    });
  });

  it("to fewer records leaves no stale rows, nor does going back to more", async () => {
    const simulation = await simulationAfter({ mails: [reportMail("a", records(5)), reportMail("b", records(300))] });
    for (const dropped of [2, 1, 0]) {
      reader.dropped = dropped;
      await run(simulation, "reprocess");
      const expected = { "acme/a": figures(5 - dropped), "acme/b": figures(300 - dropped) };
      expect(reportFigures(simulation)).toEqual(expected);
      expect(ledgerFigures(simulation)).toEqual(expected);
    }
  });

  it("to fewer records survives the end of the isolate at every call", async () => {
    const mails = [reportMail("a", records(5))];
    const plain = await simulationAfter({ mails });
    const before = plain.faults.calls.length;
    reader.dropped = 2;
    await run(plain, "reprocess");
    for (let index = before; index < plain.faults.calls.length; index++) {
      for (const mode of FAULT_MODES) {
        reader.dropped = 0;
        const simulation = await simulationAfter({ mails });
        reader.dropped = 2;
        simulation.faults.plan = (call) => (call.index === index ? mode : undefined);
        const job = await run(simulation, "reprocess");
        expect(job, `${mode} at call ${index}`).toMatchObject({ state: "done", scanned: 1, enqueued: 1 });
        expect(reportFigures(simulation), `${mode} at call ${index}`).toEqual({ "acme/a": figures(3) });
        expect(ledgerFigures(simulation), `${mode} at call ${index}`).toEqual({ "acme/a": figures(3) });
      }
    }
  });

  it("removes reports that are no longer accepted, and counts them again later", async () => {
    const { expected } = smallMail();
    const simulation = await simulationAfter(smallMail());
    reader.refusesAll = true;
    await run(simulation, "reprocess");
    expect(reportFigures(simulation)).toEqual({});
    expect(ledgerFigures(simulation)).toEqual({});
    expect(eventsByOutcome(simulation).get("accepted")).toHaveLength(1);
    reader.refusesAll = false;
    await run(simulation, "reprocess");
    // Which of two versions is accepted first is open again.
    expect(await imbalances(simulation, expected)).toEqual([]);
  });

  it("keeps accepted reports if the address or the raw object is gone", async () => {
    const simulation = await simulationAfter({ mails: [reportMail("a", records(5)), reportMail("b", records(2))] });
    simulation.registry.clear();
    await run(simulation, "reprocess");
    registerAll(simulation);
    for (const key of simulation.bucket.keys("raw/")) await simulation.bucket.delete(key);
    await run(simulation, "reprocess", { filter: { domain: "acme.example" } });
    expect(reportFigures(simulation)).toEqual({ "acme/a": figures(5), "acme/b": figures(2) });
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(5), "acme/b": figures(2) });
    expect(simulation.rows("SELECT * FROM dead_letters")).toEqual([]);
  });

  it("accepts a key, a prefix, days or a domain", async () => {
    const simulation = await simulationAfter({ mails: [reportMail("a", records(1)), reportMail("b", records(2))] });
    simulation.clock.nowMilliseconds += 86_400_000;
    await simulation.deliver(reportMail("c", records(3), "rua@other.example"));
    await simulation.drain();
    const [key = ""] = simulation.bucket.keys("raw/");
    const enqueued = async (filter: Job["filter"]): Promise<number> =>
      (await run(simulation, "reprocess", { filter, dryRun: true })).enqueued;
    expect(await enqueued({ key })).toBe(1);
    expect(await enqueued({ key: "raw/2026/11/20/none" })).toBe(0);
    expect(await enqueued({ prefix: "raw/2026/11/21/" })).toBe(1);
    expect(await enqueued({ since: "2026-11-20", until: "2026-11-20" })).toBe(2);
    expect(await enqueued({ since: "2026-11-21" })).toBe(1);
    expect(await enqueued({ domain: "ACME.example" })).toBe(3);
    expect(await enqueued({ domain: "acme.example", until: "2026-11-20" })).toBe(2);
    // A dry run sends nothing: every point is still of the first generation.
    const generations = simulation.points.records.map((point) => columnOf("records", "generation", point));
    expect(new Set(generations)).toEqual(new Set([1]));
  });

  it.each([
    [{ since: "yesterday" }, "'yesterday' is not a day; write it as YYYY-MM-DD."],
    [{ key: "raw/a", prefix: "raw/b" }, "Give one of key, prefix and domain."],
    [{ prefix: "reports/" }, "'reports/' does not begin with raw/."],
  ])("refuses %j", async (filter, refused) => {
    const simulation = new Simulation();
    expect(await startJob({ kind: "reprocess", random: 0 }, { filter }, simulation.invocation())).toEqual({ refused });
  });

  it("goes through thousands of keys page by page, counting each once despite faults", async () => {
    const simulation = registeredSimulation();
    for (let i = 0; i < 2500; i++) {
      const hash = i.toString(16).padStart(64, "0");
      await simulation.bucket.put(`raw/2026/11/20/${hash}/a.xml`, "", {
        customMetadata: { rua: "dmarc%40acme.example" },
      });
    }
    let jobCalls = 0;
    // Every fifth call of the job fails, in turn before, after, and with the isolate; the reports are left alone.
    simulation.faults.plan = ({ name }) => {
      const ofJob = /d1\.all (jobs|skipped_objects)|r2\.list|queue\.send(Batch)? dmarc-reports/.test(name);
      return ofJob && ++jobCalls % 5 === 0 ? FAULT_MODES[(jobCalls / 5) % FAULT_MODES.length] : undefined;
    };
    const job = await run(simulation, "reprocess", { dryRun: true });
    expect(job).toMatchObject({ state: "done", scanned: 2500, enqueued: 2500, pages: 3 });
    expect(jobCalls).toBeGreaterThan(12);
  });
});

describe("reconcile", () => {
  it("enqueues exactly what a lost queue held", async () => {
    const { mails, expected } = smallMail();
    const simulation = registeredSimulation();
    for (const mail of mails.slice(0, 2)) await simulation.deliver(mail);
    await simulation.drain();
    for (const mail of mails.slice(2)) await simulation.deliver(mail);
    simulation.queues["dmarc-reports"].messages.length = 0;
    const unfinished = simulation.bucket.keys("raw/").length - simulation.rows("SELECT * FROM objects").length;
    expect(await run(simulation, "reconcile", { dryRun: true })).toMatchObject({ enqueued: unfinished });
    expect(await run(simulation, "reconcile")).toMatchObject({ enqueued: unfinished, state: "done" });
    expect(await imbalances(simulation, expected)).toEqual([]);
    expect(await run(simulation, "reconcile")).toMatchObject({ enqueued: 0 });
  });

  it("enqueues a report whose slices were lost with their queue", async () => {
    const { mails, expected } = allMail();
    const simulation = registeredSimulation();
    for (const mail of mails) await simulation.deliver(mail);
    while (simulation.queues["dmarc-points"].messages.length < 3) await simulation.drain({ rounds: 1 });
    for (const queue of Object.values(simulation.queues)) queue.messages.length = 0;
    await run(simulation, "reconcile");
    expect(await imbalances(simulation, expected)).toEqual([]);
    expect(simulation.rows("SELECT * FROM slices WHERE instr(state, '0') > 0")).toEqual([]);
  });

  it("ends when its row is removed", async () => {
    const simulation = await simulationAfter(smallMail());
    const { id } = await start(simulation, "reconcile");
    simulation.ledger.sqlite.exec(`DELETE FROM jobs WHERE id = '${id}'`);
    await simulation.drain();
    expect(simulation.log.at(-1)).toContain("job was removed");
  });
});
