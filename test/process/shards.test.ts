/** Accounts in three databases of the ledger: each account's data is whole in its own, whatever happens on the way. */
import { describe, expect, it } from "vitest";
import { findJob } from "../../shared/ledger/jobs.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { putRegistration } from "../../workers/process/domains/registrations.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { decideConflict } from "../../workers/process/operations/conflicts.ts";
import {
  discardDeadLetters,
  requeueDeadLetters,
  restoreDeadLetters,
} from "../../workers/process/operations/dead-letters.ts";
import { readRecords } from "../../workers/process/operations/records.ts";
import { readStatus } from "../../workers/process/operations/status.ts";
import { takeBackReport, undoTakeBack } from "../../workers/process/operations/take-back.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { perform } from "../support/ledger-model/perform.ts";
import { imbalances, ledgerFigures, reportFigures } from "../support/simulation/balance.ts";
import { FAULT_MODES } from "../support/simulation/faults.ts";
import { getDeadLetter, listConflicts, listDeadLetters } from "../support/simulation/listings.ts";
import {
  allMail,
  type Expected,
  figures,
  mailOf,
  records,
  registeredSimulation,
  reportMail,
  type Scenario,
  smallMail,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import type { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const NOTE = { by: "operator@acme.example", reason: "a test" };
/** Its account is the third one, in the first database. */
const THIRD_RUA = "rua@third.example";

/** acme lives in database 1, other in 2, third in 0. */
function newSimulation(): Simulation {
  const simulation = registeredSimulation({ shards: 3 });
  simulation.register(THIRD_RUA, { account: "third" });
  return simulation;
}

async function simulationAfter({ mails }: Pick<Scenario, "mails">): Promise<Simulation> {
  const simulation = newSimulation();
  for (const mail of mails) expect(await simulation.deliver(mail)).toBe("taken");
  await simulation.drain();
  return simulation;
}

/** Reports accepted in each database, `account/report id`. */
function reportsByDatabase(simulation: Simulation): string[][] {
  return simulation.ledgers.map(({ sqlite }) =>
    sqlite
      .prepare("SELECT account || '/' || report_id AS name FROM reports WHERE state = 'accepted' ORDER BY name")
      .all()
      .map(({ name }) => String(name)),
  );
}

function countIn(simulation: Simulation, shard: number, table: string): number {
  return Number(simulation.ledgers[shard]?.sqlite.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows);
}

/** Nothing but these aggregate reports. */
function onlyReports(reports: Expected["reports"]): Expected {
  return { reports, deadLetters: 0, conflicts: 0 };
}

const SPREAD_MAILS = [
  reportMail("a", records(3)),
  reportMail("a", records(3), "rua@other.example"),
  reportMail("a", records(3), THIRD_RUA),
  reportMail("b", records(2, 5)),
  reportMail("b", records(2, 5), "rua@other.example"),
  reportMail("b", records(2, 5), THIRD_RUA),
];
const SPREAD: Expected["reports"] = Object.fromEntries(
  ["acme", "other", "third"].flatMap((account) => [
    [`${account}/a`, [figures(3)]],
    [`${account}/b`, [figures(2, 5)]],
  ]),
);

describe("a day's mail", () => {
  it("is committed exactly, in the database of each account", async () => {
    const { mails, expected } = allMail();
    const third = reportMail("first", records(3), THIRD_RUA);
    const simulation = await simulationAfter({ mails: [...mails, third] });
    const reports = { ...expected.reports, "third/first": [figures(3)] };
    expect(await imbalances(simulation, { ...expected, reports })).toEqual([]);
    const [first, second, last] = reportsByDatabase(simulation);
    expect(first).toEqual(["third/first"]);
    expect(new Set(second?.map((name) => name.split("/")[0]))).toEqual(new Set(["acme"]));
    expect(last).toEqual(["other/first"]);
  });

  it("takes one call of the directory, and one lookup and one transaction per database", async () => {
    const simulation = newSimulation();
    for (const mail of SPREAD_MAILS) await simulation.deliver(mail);
    simulation.faults.calls.length = 0;
    await simulation.drain({ rounds: 1 });
    const { calls } = simulation.faults;
    const count = (name: string): number => calls.filter((call) => call === name).length;
    for (const binding of ["d1", "d1_1", "d1_2"]) {
      // The first call of the directory asks for its own objects, too.
      const isDirectory = binding === "d1";
      expect(count(`${binding}.batch`), binding).toBe(isDirectory ? 3 : 2);
      const asked = calls.filter((call) => call.startsWith(`${binding}.all`));
      expect(asked, binding).toHaveLength(isDirectory ? 0 : 1);
    }
    expect(await imbalances(simulation, onlyReports(SPREAD))).toEqual([]);
  });

  it("of other accounts is committed while one database is down", async () => {
    const simulation = newSimulation();
    for (const mail of SPREAD_MAILS) await simulation.deliver(mail);
    simulation.faults.plan = ({ name }) => (name.startsWith("d1_2.") ? "before" : undefined);
    await simulation.drain({ rounds: 3 });
    expect(reportsByDatabase(simulation)).toEqual([["third/a", "third/b"], ["acme/a", "acme/b"], []]);
    simulation.faults.plan = () => undefined;
    await simulation.drain();
    expect(await imbalances(simulation, onlyReports(SPREAD))).toEqual([]);
  });

  it("counts every address of an account for its daily budget, and no other account's", async () => {
    const simulation = newSimulation();
    simulation.recordsPerDay.account = 7;
    await simulation.deliver(reportMail("a", records(4)));
    await simulation.deliver(reportMail("a", records(4), "rua@other.example"));
    await simulation.drain();
    await simulation.deliver(reportMail("b", records(4), "reports@acme.example"));
    await simulation.drain();
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(4), "other/a": figures(4) });
    const page = await listDeadLetters({ code: "over_budget" }, simulation.invocation());
    expect(page).toMatchObject({ items: [{ account: "acme", rua: "reports@acme.example" }] });
  });
});

describe("an address that moves to an account in another database", () => {
  const { mails } = smallMail();
  const MOVED: Expected["reports"] = {
    "third/first": [figures(3), figures(2, 10)],
    "third/second": [figures(2)],
    "third/third": [{ records: 3, messages: 8 }],
    // Came to an address that stayed.
    "acme/first": [figures(3)],
    "other/first": [figures(3)],
  };

  async function moveAndReprocess(simulation: Simulation): Promise<void> {
    simulation.register("dmarc@acme.example", { account: "third" });
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
  }

  it("brings its reports along when they are reprocessed", async () => {
    const simulation = await simulationAfter({ mails });
    // The report that came to two addresses was accepted from the first, and is from the second once that has moved.
    await moveAndReprocess(simulation);
    expect(await imbalances(simulation, { reports: MOVED, deadLetters: 2, conflicts: 1 })).toEqual([]);
    expect(countIn(simulation, 1, "dead_letters")).toBe(0);
    expect(countIn(simulation, 1, "conflicts")).toBe(0);
    // That of the address that stayed, and the failure report: its mail was removed, so it cannot be read again.
    expect(countIn(simulation, 1, "objects")).toBe(2);
  });

  it("counts a mail once that came before and comes again after it", async () => {
    const mail = reportMail("a", records(3));
    const simulation = await simulationAfter({ mails: [mail] });
    const invocation = simulation.invocation();
    expect(await putRegistration("dmarc@acme.example", { account: "third" }, invocation)).toMatchObject({ ok: true });
    await simulation.deliver(mail);
    await simulation.drain();
    expect(reportsByDatabase(simulation)).toEqual([[], ["acme/a"], []]);
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    expect(await imbalances(simulation, onlyReports({ "third/a": [figures(3)] }))).toEqual([]);
  });

  it("brings them even if the isolate is killed or a call fails", { timeout: 300_000 }, async () => {
    const some = [reportMail("a", records(3)), mailOf([{ name: "no.xml", content: Buffer.from("<feedback><x>") }])];
    const simulation = await simulationAfter({ mails: some });
    const before = simulation.faults.calls.length;
    const restore = simulation.mark();
    await moveAndReprocess(simulation);
    const calls = [...simulation.faults.calls];
    const expected = { reports: { "third/a": [figures(3)] }, deadLetters: 1, conflicts: 0 };
    expect(await imbalances(simulation, expected)).toEqual([]);
    for (const mode of FAULT_MODES) {
      for (let index = before; index < calls.length; index++) {
        restore();
        simulation.faults.plan = (call) => (call.index === index ? mode : undefined);
        await moveAndReprocess(simulation);
        const where = `${mode} at call ${index}, ${calls[index]}`;
        expect(simulation.faults.calls[index], where).toBe(calls[index]);
        expect(await imbalances(simulation, expected), where).toEqual([]);
      }
    }
  });

  describe("whose mail a person discarded", () => {
    const some = [reportMail("a", records(3)), mailOf([{ name: "no.xml", content: Buffer.from("<feedback><x>") }])];
    const two = mailOf([
      { name: "no.xml", content: Buffer.from("<feedback><x>") },
      { name: "neither.xml", content: Buffer.from("<feedback><y>") },
    ]);

    async function simulationWithDiscarded(
      mails: Scenario["mails"],
    ): Promise<{ simulation: Simulation; ids: string[] }> {
      const simulation = await simulationAfter({ mails });
      const ids = (await listDeadLetters({}, simulation.invocation())).items.map(({ id }) => id);
      await discardDeadLetters({ ids }, NOTE.by, simulation.invocation());
      return { simulation, ids };
    }

    const EXPECTED = { reports: { "third/a": [figures(3)] }, deadLetters: 0, conflicts: 0 };

    it("keeps the discard, which can be undone in the new database", async () => {
      const { simulation, ids } = await simulationWithDiscarded(some);
      await moveAndReprocess(simulation);
      await moveAndReprocess(simulation);
      expect(await imbalances(simulation, EXPECTED)).toEqual([]);
      expect([0, 1, 2].map((shard) => countIn(simulation, shard, "dead_letters"))).toEqual([1, 0, 0]);
      const { items } = await listDeadLetters({ isDiscarded: true }, simulation.invocation());
      expect(items).toMatchObject([{ id: ids[0], account: "third", discardedBy: NOTE.by }]);
      expect(await restoreDeadLetters({ ids }, simulation.invocation())).toMatchObject({
        items: [{ result: "restored" }],
      });
      expect((await listDeadLetters({}, simulation.invocation())).items).toMatchObject([{ id: ids[0] }]);
      expect(await imbalances(simulation, { ...EXPECTED, deadLetters: 1 })).toEqual([]);
    });

    it("keeps it even if the isolate is killed or a call fails", { timeout: 300_000 }, async () => {
      const { simulation } = await simulationWithDiscarded(some);
      const before = simulation.faults.calls.length;
      const restore = simulation.mark();
      await moveAndReprocess(simulation);
      const calls = [...simulation.faults.calls];
      for (const mode of FAULT_MODES) {
        for (let index = before; index < calls.length; index++) {
          restore();
          simulation.faults.plan = (call) => (call.index === index ? mode : undefined);
          await moveAndReprocess(simulation);
          const where = `${mode} at call ${index}, ${calls[index]}`;
          expect(simulation.faults.calls[index], where).toBe(calls[index]);
          expect(await imbalances(simulation, EXPECTED), where).toEqual([]);
          expect(
            [0, 1, 2].map((shard) => countIn(simulation, shard, "dead_letters")),
            where,
          ).toEqual([1, 0, 0]);
        }
      }
    });

    it("keeps it while the address is not registered, and after it is registered elsewhere", async () => {
      const { simulation, ids } = await simulationWithDiscarded([two]);
      // One of them is opened again: the mail is unfinished then.
      await restoreDeadLetters({ ids: ids.slice(0, 1) }, simulation.invocation());
      simulation.unregister("dmarc@acme.example");
      simulation.clock.nowMilliseconds += 60_000;
      await startJob({ kind: "reprocess", random: 0.25 }, {}, simulation.invocation());
      await simulation.drain();
      expect((await listDeadLetters({}, simulation.invocation())).items.map(({ code }) => code)).not.toEqual([]);
      await moveAndReprocess(simulation);
      const open = (await listDeadLetters({}, simulation.invocation())).items;
      expect(open).toMatchObject([{ id: ids[0], account: "third" }]);
      const { items } = await listDeadLetters({ isDiscarded: true }, simulation.invocation());
      expect(items).toMatchObject([{ id: ids[1], account: "third" }]);
      expect([0, 1, 2].map((shard) => countIn(simulation, shard, "dead_letters"))).toEqual([2, 0, 0]);
      expect(await imbalances(simulation, { reports: {}, deadLetters: 1, conflicts: 0 })).toEqual([]);
    });
  });

  it("leaves decisions in place if the raw object is gone", async () => {
    const simulation = await simulationAfter({ mails: [reportMail("a", records(3))] });
    const [key = ""] = simulation.bucket.keys("raw/");
    simulation.register("dmarc@acme.example", { account: "third" });
    await simulation.bucket.delete(key);
    const message = { v: 1, kind: "report", key, rua: "dmarc@acme.example", generation: 2_000_000_000 };
    const receivedSeconds = Math.floor(simulation.clock.nowMilliseconds / 1000);
    await simulation.queues["dmarc-reports"].send({ ...message, receivedSeconds });
    await simulation.drain();
    expect(reportsByDatabase(simulation)).toEqual([[], ["acme/a"], []]);
    expect(countIn(simulation, 0, "objects") + countIn(simulation, 0, "dead_letters")).toBe(0);
  });
});

describe("an address", () => {
  it("registered after its mail came has it committed there, and its dead letter leaves the first database", async () => {
    const simulation = newSimulation();
    await simulation.deliver(reportMail("a", records(3)));
    simulation.unregister("dmarc@acme.example");
    await simulation.drain();
    expect(countIn(simulation, 0, "dead_letters")).toBe(1);
    simulation.register("dmarc@acme.example", { account: "acme" });
    simulation.clock.nowMilliseconds += 5000;
    await requeueDeadLetters({ filter: { code: "unregistered_rua" } }, simulation.invocation());
    await simulation.drain();
    expect(await imbalances(simulation, onlyReports({ "acme/a": [figures(3)] }))).toEqual([]);
    expect(reportsByDatabase(simulation)).toEqual([[], ["acme/a"], []]);
  });

  it("no longer registered leaves its reports where they are", async () => {
    const simulation = await simulationAfter({ mails: [reportMail("a", records(3)), reportMail("b", records(2))] });
    simulation.unregister("dmarc@acme.example");
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    expect(await imbalances(simulation, onlyReports({ "acme/a": [figures(3)], "acme/b": [figures(2)] }))).toEqual([]);
  });
});

describe("a new account", () => {
  it("goes to the database of NEW_ACCOUNTS_SHARD and is refused if that is not bound; existing accounts stay", async () => {
    const simulation = newSimulation();
    const invocation = simulation.invocation();
    const put = (rua: string, account: string, shard: number) =>
      putRegistration(rua, { account }, { ...invocation, env: { ...invocation.env, NEW_ACCOUNTS_SHARD: shard } });
    expect(await put("a@new.example", "new", 2)).toMatchObject({ ok: true });
    expect(await put("b@new.example", "new", 7)).toMatchObject({ ok: true });
    expect(await put("a@newer.example", "newer", 7)).toEqual({
      ok: false,
      error: {
        code: "not_configured",
        message: "New accounts go to database 7 (NEW_ACCOUNTS_SHARD), and D1_DMARC_REPORTS_7 is not bound to process.",
      },
    });
    expect(simulation.rows("SELECT account, shard FROM accounts WHERE account LIKE 'new%'")).toEqual([
      { account: "new", shard: 2 },
    ]);
    await simulation.deliver(reportMail("a", records(3), "b@new.example"));
    await simulation.drain();
    expect(reportsByDatabase(simulation)).toEqual([[], [], ["new/a"]]);
  });
});

describe("an account in a database that is not bound", () => {
  it("has dead letters in the first one, including slices, and counts once it is bound", async () => {
    const simulation = newSimulation();
    await simulation.deliver(reportMail("a", records(3), "rua@other.example"));
    await simulation.deliver(reportMail("sliced", records(300), "rua@other.example"));
    simulation.queues["dmarc-reports"].messages.splice(0, 1);
    // The sliced report is committed, its slices are still to be written.
    await simulation.drain({ rounds: 1 });
    expect(simulation.queues["dmarc-points"].messages.length).toBeGreaterThan(1);
    expect(simulation.queues["dmarc-points"].messages.every(({ body }) => JSON.parse(body).shard === 2)).toBe(true);
    await simulation.deliver(reportMail("a", records(3), "rua@other.example"));
    simulation.unbind(2);
    await simulation.drain();
    expect(countIn(simulation, 0, "dead_letters")).toBeGreaterThan(2);
    simulation.bindAll();
    for (let round = 0; round < 2; round++) {
      simulation.clock.nowMilliseconds += 3_600_000;
      await requeueDeadLetters({ filter: { code: "retries_exhausted" } }, simulation.invocation());
      await simulation.drain();
    }
    const reports = { "other/a": [figures(3)], "other/sliced": [figures(300)] };
    expect(await imbalances(simulation, onlyReports(reports))).toEqual([]);
  });
});

describe("while a database with accounts is not bound", () => {
  // The address is acme's, whose database is number 1; other's is number 2.
  const RUA = "rua@other.example";

  it("mail comes again that was counted there: it waits, since its address has another account by now", async () => {
    const mail = reportMail("a", records(3), RUA);
    const simulation = await simulationAfter({ mails: [mail] });
    expect(await putRegistration(RUA, { account: "acme" }, simulation.invocation())).toMatchObject({ ok: true });
    await simulation.deliver(mail);
    await simulation.deliver(reportMail("b", records(2)));
    simulation.unbind(2);
    await simulation.drain();
    // Mail that cannot have been there is settled.
    expect(reportsByDatabase(simulation)).toEqual([[], ["acme/b"], ["other/a"]]);
    const [letter] = (await listDeadLetters({}, simulation.invocation())).items;
    expect(letter).toMatchObject({ code: "retries_exhausted" });
    expect(letter?.lastError).toContain("bind D1_DMARC_REPORTS_2");
    simulation.bindAll();
    simulation.clock.nowMilliseconds += 3_600_000;
    await requeueDeadLetters({ filter: { code: "retries_exhausted" } }, simulation.invocation());
    await simulation.drain();
    const reports = { "acme/a": [figures(3)], "acme/b": [figures(2)] };
    expect(await imbalances(simulation, onlyReports(reports))).toEqual([]);
  });

  it("mail is read again whose address was removed: it is no dead letter once that database is back", async () => {
    const simulation = await simulationAfter({ mails: [reportMail("a", records(3), RUA)] });
    simulation.unregister(RUA);
    simulation.unbind(2);
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    expect((await listDeadLetters({}, simulation.invocation())).items).toHaveLength(1);
    simulation.bindAll();
    simulation.clock.nowMilliseconds += 60_000;
    await requeueDeadLetters({ filter: { code: "retries_exhausted" } }, simulation.invocation());
    await simulation.drain();
    expect(await imbalances(simulation, onlyReports({ "other/a": [figures(3)] }))).toEqual([]);
    expect(countIn(simulation, 0, "objects")).toBe(0);
  });

  it("an account is not exported: its rows would be missing, and nothing would say so", async () => {
    const simulation = await simulationAfter({ mails: SPREAD_MAILS });
    const ask = () => perform({ simulation, plan: () => undefined }, "exportAccount", { account: "other" });
    expect((await ask()).answer).toMatchObject({ ok: true });
    simulation.unbind(2);
    expect((await ask()).answer).toMatchObject({ ok: false, error: { code: "not_configured" } });
  });

  it("an account is not forgotten: nobody could say that its rows are gone, or which raw objects others have", async () => {
    const simulation = await simulationAfter({ mails: SPREAD_MAILS });
    simulation.unbind(2);
    const input = { account: "other", confirm: "other" };
    const forget = () => perform({ simulation, plan: () => undefined }, "forgetAccount", input);
    const message = "The ledger's database 2, which accounts live in, is not bound: bind D1_DMARC_REPORTS_2.";
    expect((await forget()).answer).toEqual({ ok: false, error: { code: "not_configured", message } });
    simulation.bindAll();
    expect((await forget()).answer).toMatchObject({ ok: true });
    simulation.unbind(2);
    await simulation.drain();
    expect(countIn(simulation, 2, "reports")).toBeGreaterThan(0);
    simulation.bindAll();
    simulation.clock.nowMilliseconds += 3_600_000;
    await requeueDeadLetters({ filter: { code: "retries_exhausted" } }, simulation.invocation());
    await simulation.drain();
    expect(countIn(simulation, 2, "reports")).toBe(0);
    expect(simulation.bucket.keys("raw/")).toHaveLength(4);
  });
});

describe("operations find their subject in any database", () => {
  const reference = async (simulation: Simulation, account: string): Promise<ReportReference> => {
    const [row] = simulation.rows<{ kind: "aggregate"; domain: string; day: number; uid: string }>(
      `SELECT kind, domain, day, lower(hex(uid)) AS uid FROM reports WHERE account = '${account}' AND report_id = 'a'`,
    );
    if (row === undefined) throw new Error("There is no report.");
    return { account, ...row };
  };

  it("dead letters are listed across all, shown one by one, and discarded", async () => {
    const simulation = newSimulation();
    for (const rua of ["dmarc@acme.example", "rua@other.example", THIRD_RUA]) {
      for (let part = 0; part < 2; part++) {
        const attachments = Array.from({ length: 20 }, (_, i) => ({
          name: `${rua}-${part}-${i}.xml`,
          content: Buffer.from(`<feedback><n>${rua}${part}${i}</n>`),
        }));
        await simulation.deliver(mailOf(attachments, rua));
      }
    }
    await simulation.drain();
    const first = await listDeadLetters({}, simulation.invocation());
    const second = await listDeadLetters({ cursor: first.cursor }, simulation.invocation());
    const ids = [...first.items, ...second.items].map(({ id }) => id);
    expect([first.items.length, second.items.length]).toEqual([100, 20]);
    expect(ids).toEqual([...new Set(ids)].sort());
    const some = ["acme", "other", "third"].map(
      (account) => first.items.find((letter) => letter.account === account)?.id ?? "",
    );
    for (const id of some) expect(await getDeadLetter(id, simulation.invocation())).toMatchObject({ id });
    const discarded = await discardDeadLetters(
      { ids: [...some, "none"] },
      "operator@acme.example",
      simulation.invocation(),
    );
    expect(discarded).toMatchObject({
      items: [...some.map((id) => ({ id, result: "discarded" })), { id: "none", result: "refused" }],
    });
    const openIn = (shard: number): number => countIn(simulation, shard, "dead_letters WHERE discarded_seconds = 0");
    expect([0, 1, 2].map(openIn)).toEqual([39, 39, 39]);
    expect(await restoreDeadLetters({ ids: some }, simulation.invocation())).toMatchObject({
      items: some.map((id) => ({ id, result: "restored" })),
    });
    expect([0, 1, 2].map(openIn)).toEqual([40, 40, 40]);
  });

  it("conflicts are listed and decided", async () => {
    const conflicting = ["dmarc@acme.example", "rua@other.example"].flatMap((rua) => [
      reportMail("a", records(3), rua),
      reportMail("a", records(2, 10), rua),
    ]);
    const simulation = await simulationAfter({ mails: conflicting });
    const { items } = await listConflicts(undefined, simulation.invocation());
    expect(items.map(({ account }) => account).sort()).toEqual(["acme", "other"]);
    const idOf = (name: string): string => items.find(({ account }) => account === name)?.id ?? "";
    simulation.clock.nowMilliseconds += 5000;
    await decideConflict(idOf("acme"), { decision: "replace", note: NOTE }, simulation.invocation());
    await decideConflict(idOf("other"), { decision: "keep", note: NOTE }, simulation.invocation());
    await simulation.drain();
    const reports = { "acme/a": [figures(2, 10)], "other/a": [figures(3)] };
    expect(ledgerFigures(simulation)).toEqual({ "acme/a": figures(2, 10), "other/a": figures(3) });
    expect(await imbalances(simulation, onlyReports(reports))).toEqual([]);
  });

  it("a report is read again, taken back and restored", async () => {
    const simulation = await simulationAfter({ mails: SPREAD_MAILS });
    for (const account of ["acme", "other", "third"]) {
      const report = await reference(simulation, account);
      expect(await readRecords({ reference: report }, simulation.invocation())).toMatchObject({ matching: 3 });
      expect(await takeBackReport(report, NOTE, simulation.invocation())).toEqual(report);
      expect(ledgerFigures(simulation)).not.toHaveProperty(`${account}/a`);
      expect(reportFigures(simulation)).not.toHaveProperty(`${account}/a`);
      simulation.clock.nowMilliseconds += 5000;
      expect(await undoTakeBack(report, simulation.invocation())).toEqual(report);
      await simulation.drain();
    }
    expect(await imbalances(simulation, onlyReports(SPREAD))).toEqual([]);
  });

  it("status and reconcile treat objects without an outcome in any database as unfinished", async () => {
    const simulation = await simulationAfter({ mails: SPREAD_MAILS });
    expect(await readStatus(simulation.invocation())).toMatchObject({ unfinished: 0, reportsWithDueSlices: 0 });
    const lost = ["dmarc@acme.example", "rua@other.example"].map((rua) => reportMail("lost", records(3), rua));
    for (const mail of lost) await simulation.deliver(mail);
    const sliced = ["reports@acme.example", THIRD_RUA].map((rua) => reportMail("sliced", records(300), rua));
    simulation.queues["dmarc-reports"].messages.length = 0;
    for (const mail of sliced) await simulation.deliver(mail);
    await simulation.drain({ rounds: 1 });
    simulation.queues["dmarc-points"].messages.length = 0;
    expect(await readStatus(simulation.invocation())).toMatchObject({ unfinished: 2, reportsWithDueSlices: 2 });
    simulation.clock.nowMilliseconds += 60_000;
    await startJob({ kind: "reconcile", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    const reports = {
      ...SPREAD,
      "acme/lost": [figures(3)],
      "other/lost": [figures(3)],
      "acme/sliced": [figures(300)],
      "third/sliced": [figures(300)],
    };
    expect(await imbalances(simulation, onlyReports(reports))).toEqual([]);
    expect(await readStatus(simulation.invocation())).toMatchObject({ unfinished: 0, reportsWithDueSlices: 0 });
  });

  it("a job for a domain reprocesses its reports in every database, and is kept in the first", async () => {
    const simulation = await simulationAfter({ mails: SPREAD_MAILS });
    simulation.clock.nowMilliseconds += 60_000;
    const request = { filter: { domain: "acme.example" } };
    const job = await startJob({ kind: "reprocess", random: 0.5 }, request, simulation.invocation());
    await simulation.drain();
    const done = await findJob(simulation.ledger, "refused" in job ? "" : job.id);
    expect(done).toMatchObject({ state: "done", scanned: 6, enqueued: 6 });
    expect([countIn(simulation, 1, "jobs"), countIn(simulation, 2, "jobs")]).toEqual([0, 0]);
    expect(await imbalances(simulation, onlyReports(SPREAD))).toEqual([]);
  });

  it("upkeep removes old rows from each database, even if another is down", async () => {
    const simulation = await simulationAfter({ mails: SPREAD_MAILS });
    simulation.clock.nowMilliseconds += 86_400_000;
    const invocation = simulation.invocation();
    const env = { ...invocation.env, KEEP_DETAIL_DAYS: 30 };
    const second = simulation.ledgers[1];
    const down = { ...second, prepare: () => expect.unreachable(), batch: () => Promise.reject(new Error("down")) };
    const all = simulation.ledgers.map((ledger, shard) => (shard === 1 ? down : ledger));
    const of = (shard: number) => all[shard] ?? expect.unreachable();
    const failing = { ...invocation, env, shards: { directory: simulation.ledger, all, of } };
    await expect(runUpkeep(failing, 0.5)).rejects.toThrow("removed_1");
    expect([0, 1, 2].map((shard) => countIn(simulation, shard, "reports"))).toEqual([0, 2, 0]);
    await runUpkeep({ ...invocation, env }, 0.25);
    expect([0, 1, 2].map((shard) => countIn(simulation, shard, "reports"))).toEqual([0, 0, 0]);
    // Sums by day are kept.
    expect([0, 1, 2].map((shard) => countIn(simulation, shard, "domain_days"))).toEqual([1, 1, 1]);
  });
});
