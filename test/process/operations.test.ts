/** What an operator does with dead letters and conflicts, on the simulated platform. */
import { describe, expect, it } from "vitest";
import type { ConflictRow } from "../../shared/ledger/conflicts.ts";
import type { DeadLetterRow } from "../../shared/ledger/dead-letters.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { decideConflict, listConflicts } from "../../workers/process/conflict-operations.ts";
import {
  discardDeadLetters,
  getDeadLetter,
  listDeadLetters,
  readRawObject,
  requeueDeadLetters,
} from "../../workers/process/letter-operations.ts";
import { sampleReport } from "../cli/sample-report.ts";
import { eventsByOutcome, imbalances, reportFigures } from "./simulation/balance.ts";
import { allMail, figures, mailOf, records, registerAll, reportMail, smallMail } from "./simulation/scenario.ts";
import { setUpSimulation } from "./simulation/setup.ts";
import { World } from "./simulation/world.ts";

setUpSimulation();

const NOTE = { by: "operator@acme.example", reason: "a test" };

async function worldWith(mails = smallMail().mails): Promise<World> {
  const world = new World();
  registerAll(world);
  for (const mail of mails) expect(await world.deliver(mail)).toBe("taken");
  await world.drain();
  return world;
}

async function letters(world: World, query = {}): Promise<DeadLetterRow[]> {
  const page = await listDeadLetters(query, world.invocation());
  if ("refused" in page) throw new Error(page.refused);
  return page.items;
}

async function onlyConflict(world: World): Promise<ConflictRow> {
  const { items } = await listConflicts(undefined, world.invocation());
  expect(items).toHaveLength(1);
  const [conflict] = items;
  if (conflict === undefined) throw new Error("There is no conflict.");
  return conflict;
}

function outcomeCounts(world: World): Record<string, number> {
  return Object.fromEntries([...eventsByOutcome(world)].map(([outcome, ids]) => [outcome, ids.length]));
}

describe("dead letters", () => {
  it("are found by reason, domain and day, page by page", async () => {
    const broken = Array.from({ length: 150 }, (_, i) => ({
      name: `${i}.xml`,
      content: Buffer.from(sampleReport({ reportId: `cut-${i}` }).slice(0, 500)),
    }));
    const chunks = [broken.slice(0, 50), broken.slice(50, 100), broken.slice(100)];
    const world = await worldWith(chunks.map((attachments) => mailOf(attachments)));
    const first = await listDeadLetters({ code: "truncated" }, world.invocation());
    if ("refused" in first) throw new Error(first.refused);
    expect(first.items).toHaveLength(100);
    const second = await letters(world, { code: "truncated", cursor: first.cursor });
    const ids = [...first.items, ...second].map(({ id }) => id);
    expect(new Set(ids).size).toBe(150);
    expect(await letters(world, { code: "empty" })).toEqual([]);
    expect(await letters(world, { domain: "elsewhere.example" })).toEqual([]);
    expect(await letters(world, { since: "2026-11-20", until: "2026-11-20" })).toHaveLength(100);
    expect(await letters(world, { since: "2026-11-21" })).toEqual([]);
    expect(await letters(world, { until: "2026-11-19" })).toEqual([]);
    expect(await listDeadLetters({ since: "2026-02-30" }, world.invocation())).toEqual({
      refused: "'2026-02-30' is not a day; it has to be YYYY-MM-DD.",
    });
  });

  it("show their reason, what is known of the raw object, and its bytes", async () => {
    const world = await worldWith();
    const { env } = world.invocation();
    const [letter] = await letters(world, { code: "not_a_report" });
    const details = await getDeadLetter(letter?.id ?? "", world.invocation());
    if ("refused" in details) throw new Error(details.refused);
    expect(details.letter.message).toContain("Nothing in it is a DMARC");
    expect(details.raw?.metadata).toMatchObject({ rua: "dmarc@acme.example", sender: "someone@example.net" });
    const bytes = await (await readRawObject(env, details.letter.rawKey))?.text();
    expect(bytes).toContain("Hello.");
    expect(await readRawObject(env, "registry/secret")).toBeUndefined();
    expect(await getDeadLetter("../../raw", world.invocation())).toEqual({
      refused: "There is no dead letter '../../raw'.",
    });
  });

  it("are cleared when their message succeeds, and not before", async () => {
    const world = new World();
    world.register("dmarc@acme.example", { account: "acme", domains: ["other.example"] });
    await world.deliver(reportMail("first", records(3)));
    await world.drain();
    expect(outcomeCounts(world)).toEqual({ dead_letter: 1 });
    const filter = { code: "foreign_domain", domain: "acme.example" };
    expect(await requeueDeadLetters({ filter, dryRun: true }, world.invocation())).toMatchObject({
      items: [{ result: "selected", code: "foreign_domain" }],
    });
    expect(world.queues["dmarc-reports"].messages).toEqual([]);

    // Sent again while nothing has changed, it stays.
    await requeueDeadLetters({ filter }, world.invocation());
    await world.drain();
    expect(outcomeCounts(world)).toEqual({ dead_letter: 1 });

    world.register("dmarc@acme.example", { account: "acme" });
    const [letter] = await letters(world);
    world.clock.nowMilliseconds += 5000;
    await requeueDeadLetters({ ids: [letter?.id ?? ""] }, world.invocation());
    expect(await letters(world)).toHaveLength(1);
    await world.drain();
    expect(await letters(world)).toEqual([]);
    expect(outcomeCounts(world)).toEqual({ cleared: 1, reprocessed: 1 });
    expect(reportFigures(world)).toEqual({ "acme/first": figures(3) });
  });

  it("of a slice hold its points, and write them when sent again", async () => {
    const world = new World();
    registerAll(world);
    let broken = true;
    // The report's first slice never gets written.
    world.faults.plan = ({ name }) => (broken && name === "analytics.write records" ? "before" : undefined);
    await world.deliver(reportMail("sliced", records(300)));
    await world.drain();
    broken = false;
    const exhausted = await letters(world, { code: "retries_exhausted" });
    expect(exhausted.map(({ part }) => part.split(" ").at(-1)).sort()).toEqual(["0", "1"]);
    expect(exhausted[0]?.lastError).toMatch(/^Attempt 9, .*injected/);
    expect(reportFigures(world)).toEqual({});
    await requeueDeadLetters({ filter: {} }, world.invocation());
    await world.drain();
    expect(reportFigures(world)).toEqual({ "acme/sliced": figures(300) });
    expect(await letters(world)).toEqual([]);
    expect(outcomeCounts(world)).toEqual({ accepted: 1, cleared: 2, slice: 2 });
  });

  it("are discarded only when asked for; the raw object stays, and a late delivery does not file them again", async () => {
    const world = await worldWith();
    const raws = world.bucket.keys("raw/");
    const [letter] = await letters(world, { code: "not_a_report" });
    expect(await discardDeadLetters({ filter: { code: "not_a_report" } }, world.invocation())).toEqual({
      items: [{ id: letter?.id, code: "not_a_report", result: "discarded" }],
    });
    expect(await letters(world, { code: "not_a_report" })).toEqual([]);
    expect(world.bucket.keys("raw/")).toEqual(raws);
    expect(outcomeCounts(world)).toMatchObject({ dead_letter: 1, discarded: 1 });
    await world.queues["dmarc-reports"].send(letter?.queueMessage);
    await world.queues["dmarc-dead-letters"].send(letter?.queueMessage);
    await world.drain();
    expect(outcomeCounts(world)).toMatchObject({ dead_letter: 1, discarded: 1 });
  });

  it("refuse what cannot be done, each by itself", async () => {
    const world = await worldWith([]);
    await world.queues["dmarc-reports"].send({ hello: "world" });
    await world.drain();
    const [letter] = await letters(world);
    expect(letter).toMatchObject({ code: "invalid_message", queueMessage: { hello: "world" } });
    const ids = [letter?.id ?? "", "20261120-000000000000000000000000"];
    const answer = await requeueDeadLetters({ ids }, world.invocation());
    expect(answer).toMatchObject({ items: [{ result: "refused" }, { result: "refused" }] });
    expect(await requeueDeadLetters({}, world.invocation())).toEqual({ refused: "Give either ids or a filter." });
  });
});

describe("conflicts", () => {
  it("tell both versions, and are no dead letters", async () => {
    const { mails, expected } = smallMail();
    const world = await worldWith(mails);
    const { accepted, other } = await onlyConflict(world);
    expect(accepted).toMatchObject({ records: 3, total: figures(3).messages });
    expect(other).toMatchObject({ records: 2, total: figures(2, 10).messages });
    expect(await imbalances(world, expected)).toEqual([]);
  });

  it("accepted, the other version replaces the first and leaves none of its rows", async () => {
    const { mails, expected } = allMail();
    const world = await worldWith(mails);
    const conflict = await onlyConflict(world);
    world.clock.nowMilliseconds += 5000;
    await decideConflict(conflict.id, { decision: "replace", note: NOTE }, world.invocation());
    await world.drain();
    const reports = { ...expected.reports, "acme/first": [figures(2, 10)] };
    expect(await imbalances(world, { ...expected, reports, conflicts: 0 })).toEqual([]);

    // The version that lost comes again, in a mail of another day: it was decided against.
    world.clock.nowMilliseconds += 86_400_000;
    await world.deliver(reportMail("first", records(3)));
    await world.drain();
    expect(await imbalances(world, { ...expected, reports, conflicts: 0 })).toEqual([]);
  });

  it("discarded, the first stays, and the other is a duplicate from then on", async () => {
    const { mails, expected } = smallMail();
    const world = await worldWith(mails);
    const { id } = await onlyConflict(world);
    await decideConflict(id, { decision: "keep", note: NOTE }, world.invocation());
    world.clock.nowMilliseconds += 86_400_000;
    await world.deliver(reportMail("first", records(2, 10)));
    await world.drain();
    const reports = { ...expected.reports, "acme/first": [figures(3)] };
    expect(await imbalances(world, { ...expected, reports, conflicts: 0 })).toEqual([]);
    expect(await decideConflict(id, { decision: "keep", note: NOTE }, world.invocation())).toEqual({
      refused: `There is no conflict '${id}'.`,
    });
  });
});
