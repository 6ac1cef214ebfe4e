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
  reportMail,
  type Scenario,
  smallMail,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { World } from "../support/simulation/world.ts";

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

async function worldAfter({ mails }: Pick<Scenario, "mails"> = allMail()): Promise<World> {
  const world = new World();
  registerAll(world);
  for (const mail of mails) await world.deliver(mail);
  await world.drain();
  return world;
}

async function start(world: World, kind: Job["kind"], request: JobRequest = {}): Promise<Job> {
  world.clock.nowMilliseconds += 60_000;
  const job = await startJob({ kind, random: 0.25 }, request, world.invocation());
  if ("refused" in job) throw new Error(job.refused);
  return job;
}

async function run(world: World, kind: Job["kind"], request: JobRequest = {}): Promise<Job> {
  const { id } = await start(world, kind, request);
  await world.drain();
  return (await findJob(world.ledger, id)) ?? expect.unreachable();
}

describe("reprocess", () => {
  it("twice over everything changes no total and keeps its progress", async () => {
    const { expected } = allMail();
    const world = await worldAfter();
    for (let i = 0; i < 2; i++) {
      const job = await run(world, "reprocess");
      const raws = world.bucket.keys("raw/").length;
      expect(job).toMatchObject({ state: "done", scanned: raws, enqueued: raws, pages: 1 });
      expect(await imbalances(world, expected)).toEqual([]);
    }
    expect(await ask(world.ledger, newestJobsQuery(100))).toHaveLength(2);
    expect(eventsByOutcome(world).get("reprocessed")).toHaveLength(Object.keys(expected.reports).length);
  });

  it("reports its number of files and how many are done", async () => {
    const world = await worldAfter();
    const raws = world.bucket.keys("raw/").length;
    const follow = async (id: string) => {
      const jobs = await ask(world.ledger, jobQuery(id));
      return (await followJobs(world.invocation().shards.all, jobs, world.invocation().nowSeconds))[0];
    };
    const { id } = await start(world, "reprocess");
    expect(await follow(id)).toMatchObject({ total: raws, finished: undefined });
    await world.drain();
    expect(await follow(id)).toMatchObject({ enqueued: raws, finished: raws });
    expect(await readStatus(world.invocation())).toMatchObject({ runningAgain: 0 });

    // Nothing of an address that is gone is read again, and yet its files have had their turn.
    world.unregister("dmarc@acme.example");
    world.clock.nowMilliseconds += 5000;
    const again = await start(world, "reprocess", { filter: { prefix: "raw/2026/11/" } });
    expect(await follow(again.id)).toMatchObject({ total: raws });
    await world.drain();
    expect(await follow(again.id)).toMatchObject({ state: "done", enqueued: raws, finished: raws });
    expect(await start(world, "reprocess", { filter: { prefix: "raw/2025/" } })).toMatchObject({ total: 0 });
  });

  it("can be cancelled, and leaves files alone that it has not enqueued", async () => {
    const world = await worldAfter();
    const { id } = await start(world, "reprocess");
    expect(await cancelJob(id, world.invocation())).toMatchObject({ state: "cancelled" });
    await world.drain();
    expect(await findJob(world.ledger, id)).toMatchObject({ state: "cancelled", pages: 0, enqueued: 0 });
    expect(eventsByOutcome(world).get("reprocessed")).toBeUndefined();
    // It stays so, and one that is done stays done.
    expect(await cancelJob(id, world.invocation())).toMatchObject({ state: "cancelled" });
    const done = await run(world, "reprocess");
    expect(await cancelJob(done.id, world.invocation())).toMatchObject({ state: "done" });
    expect(await cancelJob("none", world.invocation())).toBeUndefined();
  });

  describe("cancelled with files in the queue", () => {
    const MAILS = Array.from({ length: 8 }, (_, i) => reportMail(`r${i}`, records(2)));
    const EXPECTED = Object.fromEntries(MAILS.map((_, i) => [`acme/r${i}`, figures(2)]));

    /** Has everything enqueued, three files run, then cancels. @returns the job's id */
    async function cancelInTheMiddle(world: World): Promise<string> {
      const { id } = await start(world, "reprocess");
      await world.drain({ rounds: 1 });
      await world.drain({ rounds: 1, maxBatchSize: 3 });
      expect(await cancelJob(id, world.invocation())).toMatchObject({ state: "cancelled" });
      return id;
    }

    async function follow(world: World, id: string) {
      const { shards, nowSeconds } = world.invocation();
      return (await followJobs(shards.all, await ask(world.ledger, jobQuery(id)), nowSeconds))[0];
    }

    it("skips them unread, changes nothing, and counts each once", async () => {
      const world = await worldAfter({ mails: MAILS });
      const id = await cancelInTheMiddle(world);
      const objects = world.rows("SELECT * FROM objects");
      world.faults.calls.length = 0;
      let repeated = 0;
      await world.drain({ repeats: () => repeated++ < 3 });
      expect(world.faults.calls.filter((call) => call.startsWith("r2."))).toEqual([]);
      expect(world.rows("SELECT * FROM objects")).toEqual(objects);
      expect(await follow(world, id)).toMatchObject({ state: "cancelled", enqueued: 8, finished: 3, skipped: 5 });
      expect(await readStatus(world.invocation())).toMatchObject({ runningAgain: 0, unfinished: 0 });
      expect(reportFigures(world)).toEqual(EXPECTED);
      expect(ledgerFigures(world)).toEqual(EXPECTED);
      // Another job takes them all, as if there had been none before.
      expect(await run(world, "reprocess")).toMatchObject({ state: "done", enqueued: 8, skipped: 0 });
      expect(await follow(world, id)).toMatchObject({ finished: 3, skipped: 5 });
      expect(ledgerFigures(world)).toEqual(EXPECTED);
    });

    it("keeps the sums exact with a fault, or the isolate killed, at any call", async () => {
      const world = await worldAfter({ mails: MAILS });
      const id = await cancelInTheMiddle(world);
      const before = world.faults.calls.length;
      const restore = world.mark();
      await world.drain();
      const calls = [...world.faults.calls];
      for (let index = before; index < calls.length; index++) {
        for (const mode of FAULT_MODES) {
          restore();
          world.faults.plan = (call) => (call.index === index ? mode : undefined);
          await world.drain();
          expect(world.faults.calls[index]).toBe(calls[index]);
          const { finished = 0, skipped = 0, enqueued } = (await follow(world, id)) ?? expect.unreachable();
          expect(finished + skipped, `${mode} at call ${index}`).toBe(enqueued);
          expect(reportFigures(world), `${mode} at call ${index}`).toEqual(EXPECTED);
          expect(ledgerFigures(world), `${mode} at call ${index}`).toEqual(EXPECTED);
        }
      }
    });

    it("counts the page being sent", async () => {
      const world = await worldAfter({ mails: MAILS });
      const { id } = await start(world, "reprocess");
      let isCancelled = false;
      const sending = world.queues["dmarc-reports"];
      const sendBatch = sending.sendBatch.bind(sending);
      sending.sendBatch = async (messages) => {
        if (!isCancelled) await cancelJob(id, world.invocation());
        isCancelled = true;
        return sendBatch(messages);
      };
      await world.drain();
      expect(await follow(world, id)).toMatchObject({ state: "cancelled", enqueued: 8, finished: 0, skipped: 8 });
      expect(ledgerFigures(world)).toEqual(EXPECTED);
    });

    it("still runs a file of another job, or a new one, in the same batch", async () => {
      const world = await worldAfter({ mails: MAILS });
      await world.deliver(reportMail("new", records(1)));
      const { id } = await start(world, "reprocess");
      await world.drain({ rounds: 1, pick: (n) => n - 1, maxBatchSize: 1 });
      const other = await start(world, "reprocess");
      await world.drain({ rounds: 1, pick: (n) => n - 1, maxBatchSize: 1 });
      await cancelJob(id, world.invocation());
      await world.drain();
      expect(await follow(world, id)).toMatchObject({ enqueued: 9, skipped: 9, finished: 0 });
      expect(await follow(world, other.id)).toMatchObject({ state: "done", enqueued: 9, finished: 9 });
      expect(ledgerFigures(world)).toEqual({ ...EXPECTED, "acme/new": figures(1) });
    });
  });

  it("of an unknown domain is refused", async () => {
    const world = await worldAfter();
    const request = { filter: { domain: "nobody.example" } };
    expect(await startJob({ kind: "reprocess", random: 0.5 }, request, world.invocation())).toMatchObject({
      refused: expect.stringContaining("nobody.example"),
    });
    expect(await start(world, "reprocess", { filter: { domain: "acme.example" } })).toMatchObject({ state: "running" });
  });

  it("to fewer records leaves no stale rows, nor does going back to more", async () => {
    const world = await worldAfter({ mails: [reportMail("a", records(5)), reportMail("b", records(300))] });
    for (const dropped of [2, 1, 0]) {
      reader.dropped = dropped;
      await run(world, "reprocess");
      const expected = { "acme/a": figures(5 - dropped), "acme/b": figures(300 - dropped) };
      expect(reportFigures(world)).toEqual(expected);
      expect(ledgerFigures(world)).toEqual(expected);
    }
  });

  it("to fewer records survives the end of the isolate at every call", async () => {
    const mails = [reportMail("a", records(5))];
    const plain = await worldAfter({ mails });
    const before = plain.faults.calls.length;
    reader.dropped = 2;
    await run(plain, "reprocess");
    for (let index = before; index < plain.faults.calls.length; index++) {
      for (const mode of FAULT_MODES) {
        reader.dropped = 0;
        const world = await worldAfter({ mails });
        reader.dropped = 2;
        world.faults.plan = (call) => (call.index === index ? mode : undefined);
        const job = await run(world, "reprocess");
        expect(job, `${mode} at call ${index}`).toMatchObject({ state: "done", scanned: 1, enqueued: 1 });
        expect(reportFigures(world), `${mode} at call ${index}`).toEqual({ "acme/a": figures(3) });
        expect(ledgerFigures(world), `${mode} at call ${index}`).toEqual({ "acme/a": figures(3) });
      }
    }
  });

  it("removes reports that are no longer accepted, and counts them again later", async () => {
    const { expected } = smallMail();
    const world = await worldAfter(smallMail());
    reader.refusesAll = true;
    await run(world, "reprocess");
    expect(reportFigures(world)).toEqual({});
    expect(ledgerFigures(world)).toEqual({});
    expect(eventsByOutcome(world).get("accepted")).toHaveLength(1);
    reader.refusesAll = false;
    await run(world, "reprocess");
    // Which of two versions is accepted first is open again.
    expect(await imbalances(world, expected)).toEqual([]);
  });

  it("keeps accepted reports if the address or the raw object is gone", async () => {
    const world = await worldAfter({ mails: [reportMail("a", records(5)), reportMail("b", records(2))] });
    world.registry.clear();
    await run(world, "reprocess");
    registerAll(world);
    for (const key of world.bucket.keys("raw/")) await world.bucket.delete(key);
    await run(world, "reprocess", { filter: { domain: "acme.example" } });
    expect(reportFigures(world)).toEqual({ "acme/a": figures(5), "acme/b": figures(2) });
    expect(ledgerFigures(world)).toEqual({ "acme/a": figures(5), "acme/b": figures(2) });
    expect(world.rows("SELECT * FROM dead_letters")).toEqual([]);
  });

  it("accepts a key, a prefix, days or a domain", async () => {
    const world = await worldAfter({ mails: [reportMail("a", records(1)), reportMail("b", records(2))] });
    world.clock.nowMilliseconds += 86_400_000;
    await world.deliver(reportMail("c", records(3), "rua@other.example"));
    await world.drain();
    const [key = ""] = world.bucket.keys("raw/");
    const enqueued = async (filter: Job["filter"]): Promise<number> =>
      (await run(world, "reprocess", { filter, dryRun: true })).enqueued;
    expect(await enqueued({ key })).toBe(1);
    expect(await enqueued({ key: "raw/2026/11/20/none" })).toBe(0);
    expect(await enqueued({ prefix: "raw/2026/11/21/" })).toBe(1);
    expect(await enqueued({ since: "2026-11-20", until: "2026-11-20" })).toBe(2);
    expect(await enqueued({ since: "2026-11-21" })).toBe(1);
    expect(await enqueued({ domain: "ACME.example" })).toBe(3);
    expect(await enqueued({ domain: "acme.example", until: "2026-11-20" })).toBe(2);
    // A dry run sends nothing: every point is still of the first generation.
    const generations = world.points.records.map((point) => columnOf("records", "generation", point));
    expect(new Set(generations)).toEqual(new Set([1]));
  });

  it.each([
    [{ since: "yesterday" }, "'yesterday' is not a day; it has to be YYYY-MM-DD."],
    [{ key: "raw/a", prefix: "raw/b" }, "Give one of key, prefix and domain."],
    [{ prefix: "reports/" }, "'reports/' does not begin with raw/."],
  ])("refuses %j", async (filter, refused) => {
    const world = new World();
    expect(await startJob({ kind: "reprocess", random: 0 }, { filter }, world.invocation())).toEqual({ refused });
  });

  it("goes through thousands of keys page by page, counting each once despite faults", async () => {
    const world = new World();
    registerAll(world);
    for (let i = 0; i < 2500; i++) {
      const hash = i.toString(16).padStart(64, "0");
      await world.bucket.put(`raw/2026/11/20/${hash}/a.xml`, "", { customMetadata: { rua: "dmarc%40acme.example" } });
    }
    let jobCalls = 0;
    // Every fifth call of the job fails, in turn before, after, and with the isolate; the reports are left alone.
    world.faults.plan = ({ name }) => {
      const ofJob = /d1\.all (jobs|skipped_objects)|r2\.list|queue\.send(Batch)? dmarc-reports/.test(name);
      return ofJob && ++jobCalls % 5 === 0 ? FAULT_MODES[(jobCalls / 5) % FAULT_MODES.length] : undefined;
    };
    const job = await run(world, "reprocess", { dryRun: true });
    expect(job).toMatchObject({ state: "done", scanned: 2500, enqueued: 2500, pages: 3 });
    expect(jobCalls).toBeGreaterThan(12);
  });
});

describe("reconcile", () => {
  it("enqueues exactly what a lost queue held", async () => {
    const { mails, expected } = smallMail();
    const world = new World();
    registerAll(world);
    for (const mail of mails.slice(0, 2)) await world.deliver(mail);
    await world.drain();
    for (const mail of mails.slice(2)) await world.deliver(mail);
    world.queues["dmarc-reports"].messages.length = 0;
    const unfinished = world.bucket.keys("raw/").length - world.rows("SELECT * FROM objects").length;
    expect(await run(world, "reconcile", { dryRun: true })).toMatchObject({ enqueued: unfinished });
    expect(await run(world, "reconcile")).toMatchObject({ enqueued: unfinished, state: "done" });
    expect(await imbalances(world, expected)).toEqual([]);
    expect(await run(world, "reconcile")).toMatchObject({ enqueued: 0 });
  });

  it("enqueues a report whose slices were lost with their queue", async () => {
    const { mails, expected } = allMail();
    const world = new World();
    registerAll(world);
    for (const mail of mails) await world.deliver(mail);
    while (world.queues["dmarc-points"].messages.length < 3) await world.drain({ rounds: 1 });
    for (const queue of Object.values(world.queues)) queue.messages.length = 0;
    await run(world, "reconcile");
    expect(await imbalances(world, expected)).toEqual([]);
    expect(world.rows("SELECT * FROM slices WHERE instr(state, '0') > 0")).toEqual([]);
  });

  it("ends when its row is removed", async () => {
    const world = await worldAfter(smallMail());
    const { id } = await start(world, "reconcile");
    world.ledger.sqlite.exec(`DELETE FROM jobs WHERE id = '${id}'`);
    await world.drain();
    expect(world.log.at(-1)).toContain("job was removed");
  });
});
