/** Reports over several days: what they count is spread over the days, and nothing of it is lost or counted twice. */
import { describe, expect, it } from "vitest";
import { ask } from "../../shared/ledger/database.ts";
import { dayTotalsQuery } from "../../shared/ledger/days.ts";
import { mergeDays } from "../../shared/ledger/merge-days.ts";
import { sourceReportsQuery } from "../../shared/ledger/one-source.ts";
import { reportQuery, reportsQuery } from "../../shared/ledger/report-list.ts";
import { removeOldDetails } from "../../shared/ledger/retention.ts";
import { mailQuery } from "../../shared/ledger/sources.ts";
import { statsQuery } from "../../shared/ledger/stats.ts";
import { tlsDaysQuery, tlsReportsQuery } from "../../shared/ledger/tls.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { takeBackReport, undoTakeBack } from "../../workers/process/operations/take-back.ts";
import { type SampleRecord, type SampleReport, sampleMail, sampleReport } from "../support/sample-report.ts";
import { stamped } from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";
const ACCOUNTS = ["acme"];
const at = (text: string): number => Date.parse(`${text}Z`) / 1000;
const dayOf = (text: string): number => at(`${text}T00:00:00`) / 86_400;
const FIRST = dayOf("2026-11-10");
const THREE_DAYS: [number, number] = [at("2026-11-10T00:00:00"), at("2026-11-12T23:59:59")];
const SCOPE = { accounts: ACCOUNTS, domains: ["acme.example"] as const };

async function newSimulation(): Promise<Simulation> {
  const simulation = new Simulation();
  simulation.register(RUA, { account: "acme" });
  return simulation;
}

async function send(simulation: Simulation, content: string, name = "report.xml"): Promise<void> {
  expect(
    await simulation.deliver({
      from: "a@reporter.example",
      to: RUA,
      raw: sampleMail([{ name, content: Buffer.from(content) }]),
    }),
  ).toBe("taken");
  await simulation.drain();
}

const sendReport = (simulation: Simulation, report: SampleReport): Promise<void> =>
  send(simulation, sampleReport(report));

async function days(simulation: Simulation, scope = {}) {
  const found = await ask(simulation.ledger, dayTotalsQuery({ ...SCOPE, ...scope }));
  return found.map(({ day, messages, passed, reports, spread }) => [day - FIRST, messages, passed, reports, spread]);
}

/** Figures of each day add up to its sums. */
async function expectFigures(simulation: Simulation): Promise<void> {
  for (const { day, messages, passed } of await ask(simulation.ledger, dayTotalsQuery(SCOPE))) {
    const mail = await ask(simulation.ledger, mailQuery({ ...SCOPE, firstDay: day, lastDay: day }));
    const found = mail.flatMap(({ dispositions }) => dispositions);
    expect(found.reduce((sum, row) => sum + row.messages, 0)).toBe(messages);
    expect(found.reduce((sum, row) => sum + row.passed, 0)).toBe(passed);
  }
}

function manyRecords(count: number): SampleRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    sourceIp: `198.51.${Math.floor(i / 250)}.${i % 250}`,
    count: 1 + (i % 3),
    pass: i % 4 > 0,
  }));
}

describe("a report that covers three days", () => {
  const RECORDS = [
    { sourceIp: "192.0.2.1", count: 30, pass: true },
    { sourceIp: "192.0.2.2", count: 7, pass: false },
  ];
  const REPORT = { records: RECORDS, period: THREE_DAYS };

  it("is spread over them proportionally, in whole messages, and counts as one report", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, { records: RECORDS.slice(0, 1), period: THREE_DAYS });
    expect(await days(simulation)).toEqual([
      [0, 10, 10, 1, 10],
      [1, 10, 10, 0, 10],
      [2, 10, 10, 0, 10],
    ]);
    expect(await ask(simulation.ledger, statsQuery({ accounts: ACCOUNTS }))).toMatchObject([
      { reports: 1, records: 1, messages: 30, passed: 30, sources: 1 },
    ]);
  });

  it("is listed once with its own sums, for any of its days", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, REPORT);
    await expectFigures(simulation);
    const list = {
      reporter: "",
      result: "all",
      sourceIp: "",
      text: "",
      order: "begin",
      descending: true,
      limit: 10,
      offset: 0,
    } as const;
    for (const [firstDay, lastDay] of [
      [FIRST - 10, FIRST + 10],
      [FIRST + 1, FIRST + 10],
      [FIRST + 2, FIRST + 2],
    ] as const) {
      const [page] = await ask(simulation.ledger, reportsQuery({ ...SCOPE, firstDay, lastDay }, list));
      expect(page).toMatchObject({ matching: 1, rows: [{ records: 2, messages: 37, passed: 30 }] });
    }
    const [row] = await ask(simulation.ledger, reportsQuery(SCOPE, { ...list, sourceIp: "192.0.2.2" }));
    expect(row).toMatchObject({ matching: 1, rows: [{ records: 1, messages: 7, passed: 0 }] });
    const match = { sourceIp: "192.0.2.2" };
    const behind = await ask(
      simulation.ledger,
      sourceReportsQuery(SCOPE, { match, days: [FIRST, FIRST + 1, FIRST + 2] }),
    );
    expect(behind.flatMap(({ reports }) => reports)).toMatchObject([{ messages: 7 }]);
    expect(behind.flatMap(({ records }) => records)).toMatchObject([{ messages: 7 }]);
  });

  it("is shown whole on its page with a warning about the spread, linked from any of its days", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, REPORT);
    const rows = simulation.rows<{ uid: string }>("SELECT lower(hex(uid)) AS uid FROM reports");
    const [{ uid } = { uid: "" }] = rows;
    expect(rows).toHaveLength(3);
    for (const day of [FIRST, FIRST + 2]) {
      const found = await ask(simulation.ledger, reportQuery({ account: "acme", domain: "acme.example", day, uid }));
      expect(found).toMatchObject([
        {
          records: 2,
          total: 37,
          passed: 30,
          details: { warnings: [{ code: "period_spread", detail: expect.stringContaining("72 hours") }] },
        },
      ]);
    }
  });

  it("is a duplicate when it comes again, and counts the same when reprocessed", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, REPORT);
    const before = await days(simulation);
    await send(simulation, sampleReport(REPORT).replaceAll("\n", "\r\n"), "again.xml");
    expect(simulation.rows("SELECT outcomes FROM objects WHERE outcomes LIKE '%duplicate%'")).toHaveLength(1);
    expect(await days(simulation)).toEqual(before);
    const [{ key, rua, received } = { key: "", rua: "", received: 0 }] = simulation.rows<{
      key: string;
      rua: string;
      received: number;
    }>("SELECT raw_key AS key, rua, received_seconds AS received FROM reports LIMIT 1");
    const message = { v: 1, kind: "report", key, rua, receivedSeconds: received, generation: 1_800_000_000 };
    await simulation.queues["dmarc-reports"].send(message);
    await simulation.drain();
    expect(await days(simulation)).toEqual(before);
    expect(simulation.rows("SELECT * FROM reports WHERE generation = 1800000000")).toHaveLength(3);
  });

  it("can be taken back from all its days and restored to all of them", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, REPORT);
    const before = await days(simulation);
    const [{ uid } = { uid: "" }] = simulation.rows<{ uid: string }>("SELECT lower(hex(uid)) AS uid FROM reports");
    // By a link to its second day.
    const reference = { account: "acme", kind: "aggregate", domain: "acme.example", day: FIRST + 1, uid } as const;
    expect(
      await takeBackReport(reference, { by: "test", reason: "forged" }, simulation.invocation()),
    ).not.toHaveProperty("refused");
    expect(await days(simulation)).toEqual([]);
    expect(await undoTakeBack(reference, simulation.invocation())).not.toHaveProperty("refused");
    await simulation.drain();
    expect(await days(simulation)).toEqual(before);
  });

  it("shares its days with ordinary reports, even merged and final days", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, REPORT);
    await sendReport(simulation, { reportId: "id-2", period: [at("2026-11-11T00:00:00"), at("2026-11-11T23:59:59")] });
    const before = await days(simulation);
    expect(before[1]).toEqual([1, 12 + 8, 10 + 6, 1, 12]);
    expect(
      await mergeDays(simulation.ledger, {
        beforeDay: FIRST + 10,
        minReports: 0,
        limit: 10,
        atOnce: { days: 10, records: 1000 },
      }),
    ).toBe(3);
    await expectFigures(simulation);
    await removeOldDetails(simulation.ledger, { beforeDay: FIRST + 1, limit: 10, atOnce: 10 });
    expect(await days(simulation)).toEqual(before);
    // Its first day is final: what comes again changes nothing of it.
    await send(simulation, sampleReport(REPORT).replaceAll("\n", "\r\n"), "late.xml");
    expect(await days(simulation)).toEqual(before);
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "day_closed" }]);
  });

  it("stays in the figures of a later day of its that is merged, although nobody proved who sent it", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, REPORT);
    const ordinary = sampleReport({ reportId: "id-2", period: [at("2026-11-11T00:00:00"), at("2026-11-11T23:59:59")] });
    const raw = sampleMail([{ name: "ordinary.xml", content: Buffer.from(ordinary) }]);
    await simulation.deliver(stamped({ from: "a@reporter.example", to: RUA, raw }, "reporter.example"));
    await simulation.drain();
    expect((await days(simulation))[1]).toEqual([1, 12 + 8, 10 + 6, 1, 12]);
    const bounds = { beforeDay: FIRST + 10, minReports: 1, limit: 10, atOnce: { days: 10, records: 1000 } };
    expect(await mergeDays(simulation.ledger, bounds)).toBe(1);
    await expectFigures(simulation);
  });

  it("is refused whole when only a later one of them is final", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, { reportId: "id-2", period: [at("2026-11-11T00:00:00"), at("2026-11-11T23:59:59")] });
    await removeOldDetails(simulation.ledger, { beforeDay: FIRST + 2, limit: 10, atOnce: 10 });
    const before = await days(simulation);
    expect(before).toHaveLength(1);
    await sendReport(simulation, REPORT);
    expect(await days(simulation)).toEqual(before);
    expect(simulation.rows("SELECT uid FROM reports")).toEqual([]);
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "day_closed" }]);
  });
});

describe("a TLS report about two domains", () => {
  const policy = (domain: string, successful: number) => ({
    policy: { "policy-type": "sts", "policy-domain": domain },
    summary: { "total-successful-session-count": successful, "total-failure-session-count": 1 },
  });
  const tlsReport = (reportId: string, policies: object[]): string =>
    JSON.stringify({
      "organization-name": "Sender",
      "date-range": { "start-datetime": "2026-11-10T00:00:00Z", "end-datetime": "2026-11-10T23:59:59Z" },
      "contact-info": "tls@reporter.example",
      "report-id": reportId,
      policies,
    });
  const BOTH = tlsReport("both", [policy("acme.example", 10), policy("beta.example", 20)]);
  const SECOND = tlsReport("second", [policy("beta.example", 5)]);
  const rowsOf = (simulation: Simulation) =>
    simulation.rows<{ domain: string; state: string; total: number }>(
      "SELECT domain, state, total FROM reports WHERE report_id = 'both' ORDER BY domain",
    );
  const daysOf = (simulation: Simulation) =>
    simulation.rows("SELECT domain, total, is_final AS isFinal FROM domain_days ORDER BY domain");
  const bounds = { beforeDay: FIRST + 1, limit: 10, atOnce: 10 };

  async function reprocessAll(simulation: Simulation): Promise<void> {
    simulation.clock.nowMilliseconds += 5000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
  }

  it("has its first domain's day closed first", async () => {
    const simulation = await newSimulation();
    await send(simulation, BOTH, "both.json");
    expect(await removeOldDetails(simulation.ledger, { ...bounds, limit: 1 })).toBe(1);
    await reprocessAll(simulation);
    expect(daysOf(simulation)).toEqual([
      { domain: "acme.example", total: 11, isFinal: 1 },
      { domain: "beta.example", total: 21, isFinal: 0 },
    ]);
    expect(rowsOf(simulation)).toEqual([{ domain: "beta.example", state: "accepted", total: 21 }]);
    expect(await removeOldDetails(simulation.ledger, bounds)).toBe(1);
    expect(rowsOf(simulation)).toEqual([]);
  });

  it("cannot be restored once the day of either is final", async () => {
    const simulation = await newSimulation();
    await send(simulation, BOTH, "both.json");
    await send(simulation, SECOND, "second.json");
    const [{ uid } = { uid: "" }] = simulation.rows<{ uid: string }>(
      "SELECT lower(hex(uid)) AS uid FROM reports WHERE report_id = 'both'",
    );
    const reference = { account: "acme", kind: "tls", domain: "acme.example", day: FIRST, uid } as const;
    const note = { by: "test", reason: "forged" };
    expect(await takeBackReport(reference, note, simulation.invocation())).not.toHaveProperty("refused");
    await simulation.drain();
    expect(await removeOldDetails(simulation.ledger, bounds)).toBe(1);
    expect(await undoTakeBack(reference, simulation.invocation())).toEqual({
      refused: "A day of the report is final: its details are no longer kept.",
    });
    await simulation.drain();
    expect(rowsOf(simulation)).toEqual([{ domain: "acme.example", state: "taken_back", total: 11 }]);
    expect(daysOf(simulation)).toEqual([{ domain: "beta.example", total: 6, isFinal: 1 }]);
  });

  it("cannot be taken back once the day of either is final", async () => {
    const simulation = await newSimulation();
    await send(simulation, BOTH, "both.json");
    await send(simulation, tlsReport("both", [policy("acme.example", 30), policy("beta.example", 40)]), "other.json");
    expect(await removeOldDetails(simulation.ledger, { ...bounds, limit: 1 })).toBe(1);
    const [{ uid } = { uid: "" }] = simulation.rows<{ uid: string }>("SELECT lower(hex(uid)) AS uid FROM reports");
    const reference = { account: "acme", kind: "tls", domain: "beta.example", day: FIRST, uid } as const;
    expect(await takeBackReport(reference, { by: "test", reason: "forged" }, simulation.invocation())).toEqual({
      refused: "A day of the report is final: its figures can no longer be changed.",
    });
    await simulation.drain();
    expect(rowsOf(simulation)).toEqual([{ domain: "beta.example", state: "accepted", total: 21 }]);
    expect(daysOf(simulation)).toEqual([
      { domain: "acme.example", total: 11, isFinal: 1 },
      { domain: "beta.example", total: 21, isFinal: 0 },
    ]);
  });

  it("is not counted again once the day of either is final", async () => {
    const simulation = await newSimulation();
    await send(simulation, SECOND, "second.json");
    await send(simulation, BOTH, "both.json");
    simulation.maxReportBytes = Buffer.byteLength(BOTH) - 1;
    await reprocessAll(simulation);
    expect(rowsOf(simulation).map(({ state }) => state)).toEqual(["retracted", "retracted"]);
    expect(await removeOldDetails(simulation.ledger, bounds)).toBe(1);
    simulation.maxReportBytes = 0;
    await reprocessAll(simulation);
    expect(rowsOf(simulation)).toEqual([{ domain: "acme.example", state: "retracted", total: 11 }]);
    expect(daysOf(simulation)).toEqual([{ domain: "beta.example", total: 6, isFinal: 1 }]);
    expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "day_closed" }]);
  });

  it("gives way to another version of it when it is taken back by the row of its second domain", async () => {
    const simulation = await newSimulation();
    const other = tlsReport("both", [policy("acme.example", 30), policy("beta.example", 40)]);
    await send(simulation, BOTH, "both.json");
    await send(simulation, other, "other.json");
    const [{ uid } = { uid: "" }] = simulation.rows<{ uid: string }>("SELECT lower(hex(uid)) AS uid FROM reports");
    const reference = { account: "acme", kind: "tls", domain: "beta.example", day: FIRST, uid } as const;
    const note = { by: "test", reason: "forged" };
    expect(await takeBackReport(reference, note, simulation.invocation())).not.toHaveProperty("refused");
    await simulation.drain();
    expect(daysOf(simulation)).toEqual([
      { domain: "acme.example", total: 31, isFinal: 0 },
      { domain: "beta.example", total: 41, isFinal: 0 },
    ]);
  });
});

describe("a TLS report that comes to addresses of one account that accept different domains", () => {
  const REPORT = JSON.stringify({
    "organization-name": "Sender",
    "date-range": { "start-datetime": "2026-11-10T00:00:00Z", "end-datetime": "2026-11-10T23:59:59Z" },
    "contact-info": "tls@reporter.example",
    "report-id": "both",
    policies: ["acme.example", "beta.example"].map((domain, i) => ({
      policy: { "policy-type": "sts", "policy-domain": domain },
      summary: { "total-successful-session-count": 10 + i, "total-failure-session-count": 1 },
    })),
  });
  const WIDE = "any@acme.example";
  const BOTH = [
    { domain: "acme.example", total: 11 },
    { domain: "beta.example", total: 12 },
  ];

  async function sendTo(simulation: Simulation, to: string, isDrained = true): Promise<void> {
    const raw = sampleMail([{ name: "report.json", content: Buffer.from(REPORT) }]);
    expect(await simulation.deliver({ from: "a@reporter.example", to, raw })).toBe("taken");
    if (isDrained) await simulation.drain();
  }

  async function reprocess(simulation: Simulation): Promise<void> {
    simulation.clock.nowMilliseconds += 5000;
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
  }

  it.each(["acme.example", "beta.example"])(
    "is counted whole, whichever comes first, beside one for %s",
    async (only) => {
      for (const order of [
        [RUA, WIDE],
        [WIDE, RUA],
      ]) {
        const simulation = new Simulation();
        simulation.register(RUA, { account: "acme", domains: [only] });
        simulation.register(WIDE, { account: "acme" });
        for (const to of order) await sendTo(simulation, to);
        const sums = () => simulation.rows("SELECT domain, total FROM domain_days ORDER BY domain");
        expect(sums()).toEqual(BOTH);
        expect(outcomesOf(simulation)).toEqual(["accepted", "duplicate"]);
        await reprocess(simulation);
        expect(sums()).toEqual(BOTH);
        expect(outcomesOf(simulation)).toEqual(["accepted", "duplicate"]);
        // What the other brought counts once this one does not.
        simulation.unregister(WIDE);
        simulation.register(WIDE, { account: "other" });
        await reprocess(simulation);
        expect(simulation.rows("SELECT domain FROM domain_days WHERE account = 'acme'")).toEqual([{ domain: only }]);
      }
    },
  );

  it("counts again once taking it back is undone, although its address accepts none of its domains any more", async () => {
    const simulation = new Simulation();
    simulation.register(WIDE, { account: "acme" });
    await sendTo(simulation, WIDE);
    const [{ uid } = { uid: "" }] = simulation.rows<{ uid: string }>("SELECT lower(hex(uid)) AS uid FROM reports");
    const reference = { account: "acme", kind: "tls", domain: "acme.example", day: FIRST, uid } as const;
    await takeBackReport(reference, { by: "test", reason: "forged" }, simulation.invocation());
    simulation.register(WIDE, { account: "acme", domains: ["gamma.example"] });
    await reprocess(simulation);
    await reprocess(simulation);
    expect(outcomesOf(simulation)).toEqual(["taken_back"]);
    simulation.clock.nowMilliseconds += 60_000;
    expect(await undoTakeBack(reference, simulation.invocation())).not.toHaveProperty("refused");
    await simulation.drain();
    expect(simulation.rows("SELECT domain, total FROM domain_days ORDER BY domain")).toEqual(BOTH);
    expect(outcomesOf(simulation)).toEqual(["accepted"]);
  });

  it("is forwarded again when it counts for more of its domains", async () => {
    const simulation = new Simulation();
    simulation.register(RUA, { account: "acme", domains: ["acme.example"] });
    simulation.register(WIDE, { account: "acme" });
    simulation.ledger.sqlite.exec(`INSERT INTO forward_targets (id, account, kind, name, url, region, access_key_id, secret,
      with_records, created_seconds, created_by) VALUES ('t', 'acme', 'http', 'T', '', '', '', '', 1, 0, '')`);
    await sendTo(simulation, RUA);
    simulation.ledger.sqlite.exec("UPDATE forwards SET state = 'sent'");
    const states = () => simulation.rows("SELECT state FROM forwards");
    await sendTo(simulation, RUA);
    expect(states()).toEqual([{ state: "sent" }]);
    await sendTo(simulation, WIDE);
    expect(states()).toEqual([{ state: "waiting" }]);
  });

  it("is counted for each domain whose address accepts it, where none accepts both", async () => {
    for (const isTogether of [false, true]) {
      const simulation = new Simulation();
      simulation.register(RUA, { account: "acme", domains: ["acme.example"] });
      simulation.register(WIDE, { account: "acme", domains: ["beta.example"] });
      simulation.register("third@acme.example", { account: "acme", domains: ["gamma.example"] });
      const sums = () => simulation.rows("SELECT domain, total FROM domain_days ORDER BY domain");
      for (const to of [WIDE, RUA, "third@acme.example"]) await sendTo(simulation, to, !isTogether);
      await simulation.drain();
      expect(sums()).toEqual(BOTH);
      expect(outcomesOf(simulation)).toEqual(["accepted", "dead_letter", "duplicate"]);
      await reprocess(simulation);
      expect(sums()).toEqual(BOTH);
      expect(outcomesOf(simulation)).toEqual(["accepted", "dead_letter", "duplicate"]);
      const [{ rua } = { rua: "" }] = simulation.rows<{ rua: string }>("SELECT rua FROM reports");
      simulation.unregister(rua);
      simulation.register(rua, { account: "other" });
      await reprocess(simulation);
      const left = rua === RUA ? "beta.example" : "acme.example";
      expect(simulation.rows("SELECT domain FROM domain_days WHERE account = 'acme'")).toEqual([{ domain: left }]);
    }
  });

  it("is found again by an object noted with the row that was its first", async () => {
    const simulation = new Simulation();
    const second = "second@acme.example";
    for (const rua of [RUA, second]) simulation.register(rua, { account: "acme", domains: ["beta.example"] });
    simulation.register(WIDE, { account: "acme" });
    for (const to of [RUA, second, WIDE]) await sendTo(simulation, to);
    const sums = () => simulation.rows("SELECT domain, total FROM domain_days WHERE account = 'acme' ORDER BY domain");
    expect(sums()).toEqual(BOTH);
    simulation.unregister(RUA);
    simulation.unregister(WIDE);
    simulation.register(WIDE, { account: "other" });
    const [wide] = simulation.rows<{ key: string; receivedSeconds: number }>(
      "SELECT raw_key AS key, received_seconds AS receivedSeconds FROM reports",
    );
    await simulation.queues["dmarc-reports"].send({
      v: 1,
      kind: "report",
      rua: WIDE,
      ...wide,
      generation: 1_800_000_000,
    });
    await simulation.drain();
    expect(sums()).toEqual(BOTH.slice(1));
  });

  function outcomesOf(simulation: Simulation): string[] {
    const rows = simulation.rows<{ outcome: string }>("SELECT outcomes ->> '$[0].outcome' AS outcome FROM objects");
    return rows.map(({ outcome }) => outcome).sort();
  }
});

describe("a report", () => {
  it("about a day in the reporter's time zone counts on its middle day", async () => {
    const simulation = await newSimulation();
    await sendReport(simulation, { period: [at("2026-11-09T16:00:00"), at("2026-11-10T15:59:59")] });
    expect(await days(simulation)).toEqual([[0, 8, 6, 1, 0]]);
  });

  it("about two days in such a time zone covers hours of three days", async () => {
    const simulation = await newSimulation();
    const records = [{ sourceIp: "192.0.2.1", count: 48, pass: true }];
    await sendReport(simulation, { records, period: [at("2026-11-09T16:00:00"), at("2026-11-11T16:00:00")] });
    expect(await days(simulation)).toEqual([
      [-1, 8, 8, 1, 8],
      [0, 24, 24, 0, 24],
      [1, 16, 16, 0, 16],
    ]);
  });

  it("about a week with more records than fit in memory has daily figures that add up to its sums", async () => {
    const simulation = await newSimulation();
    const records = manyRecords(PROCESS_LIMITS.maxHeldRecords + 500);
    const period: [number, number] = [at("2026-11-04T06:00:00"), at("2026-11-11T06:00:00")];
    await sendReport(simulation, { records, period });
    const found = await days(simulation);
    expect(found).toHaveLength(8);
    const messages = records.reduce((sum, { count }) => sum + count, 0);
    expect(found.reduce((sum, [, count = 0]) => sum + count, 0)).toBe(messages);
    expect(simulation.rows("SELECT DISTINCT reading FROM reports")).toHaveLength(8);
    await expectFigures(simulation);
    const mail = await ask(simulation.ledger, mailQuery(SCOPE));
    expect(mail.flatMap(({ dispositions }) => dispositions)).toMatchObject([{ messages }]);
    expect(await ask(simulation.ledger, statsQuery({ accounts: ACCOUNTS }))).toMatchObject([
      { reports: 1, records: records.length, messages, sources: records.length },
    ]);
  });

  it("about 35 days, the longest period, may have figures that fill its rows", async () => {
    const simulation = await newSimulation();
    const records = manyRecords(900).map((record) => ({ ...record, count: 1000 }));
    await sendReport(simulation, { records, period: [at("2026-10-10T00:00:00"), at("2026-11-14T00:00:00")] });
    const found = await days(simulation);
    expect(found).toHaveLength(35);
    expect(found.reduce((sum, [, count = 0]) => sum + count, 0)).toBe(900_000);
    await expectFigures(simulation);
  });
});

it("a TLS report over three days is also spread, each domain separately", async () => {
  const simulation = await newSimulation();
  const policy = (domain: string, successful: number, failed: number) => ({
    policy: { "policy-type": "sts", "policy-domain": domain },
    summary: { "total-successful-session-count": successful, "total-failure-session-count": failed },
    "failure-details":
      failed === 0
        ? []
        : [{ "result-type": "certificate-expired", "failed-session-count": failed, "sending-mta-ip": "192.0.2.1" }],
  });
  await send(
    simulation,
    JSON.stringify({
      "organization-name": "Sender",
      "date-range": { "start-datetime": "2026-11-10T00:00:00Z", "end-datetime": "2026-11-12T23:59:59Z" },
      "contact-info": "tls@reporter.example",
      "report-id": "tls-1",
      policies: [policy("acme.example", 20, 10), policy("other.example", 2, 0)],
    }),
    "report.json",
  );
  const found = await ask(simulation.ledger, tlsDaysQuery(SCOPE));
  expect(found.map(({ successful, failed }) => successful + failed)).toEqual([10, 10, 10]);
  expect(found.reduce((sum, { failed }) => sum + failed, 0)).toBe(10);
  expect(found.map(({ spread }) => spread)).toEqual([10, 10, 10]);
  expect(await ask(simulation.ledger, tlsReportsQuery({ ...SCOPE, firstDay: FIRST + 1 }))).toMatchObject([
    { successful: 20, failed: 10 },
  ]);
  const figures = simulation.rows<{ sessions: number }>(
    "SELECT sum(f.value) AS sessions FROM reports r JOIN json_each(r.figures) f WHERE domain = 'acme.example'",
  );
  expect(figures).toEqual([{ sessions: 10 }]);
  expect(await ask(simulation.ledger, tlsDaysQuery({ ...SCOPE, domains: ["other.example"] }))).toHaveLength(3);
});

describe("a TLS report about as many domains as may be", () => {
  const domains = Array.from({ length: 100 }, (_, i) =>
    [`d${i}`, ..."abcd".split("").map((letter) => letter.repeat(58))].join("."),
  );
  const mailOf = (reportId: string): Buffer => {
    const report = {
      "organization-name": "Sender",
      "date-range": { "start-datetime": "2026-11-10T00:00:00Z", "end-datetime": "2026-11-10T23:59:59Z" },
      "contact-info": "tls@reporter.example",
      "report-id": reportId,
      policies: domains.map((domain) => ({
        policy: { "policy-type": "sts", "policy-domain": domain },
        summary: { "total-successful-session-count": 1, "total-failure-session-count": 0 },
      })),
    };
    return sampleMail([{ name: "report.json", content: Buffer.from(JSON.stringify(report)) }]);
  };
  const BATCH = Array.from({ length: 18 }, (_, i) => i);

  async function sendBatch(simulation: Simulation, reportIdOf: (i: number) => string): Promise<void> {
    for (const i of BATCH) {
      const to = `a${i}@acme.example`;
      simulation.register(to, { account: "acme" });
      expect(await simulation.deliver({ from: "a@reporter.example", to, raw: mailOf(reportIdOf(i)) })).toBe("taken");
    }
    await simulation.drain();
    expect(simulation.log.filter((line) => line.includes('"fault"'))).toEqual([]);
  }

  const outcomes = (simulation: Simulation) =>
    simulation.rows("SELECT outcomes ->> '$[0].outcome' AS outcome, count(*) AS objects FROM objects GROUP BY outcome");

  it("is looked up for all messages of a batch in one answer of D1", async () => {
    const simulation = new Simulation();
    await sendBatch(simulation, () => "same");
    await sendBatch(simulation, () => "same");
    expect(outcomes(simulation)).toEqual([
      { outcome: "accepted", objects: 1 },
      { outcome: "duplicate", objects: 17 },
    ]);
  });

  it("is written for all messages of a batch in one call of D1", async () => {
    const simulation = new Simulation();
    await sendBatch(simulation, (i) => `report-${i}`);
    expect(outcomes(simulation)).toEqual([{ outcome: "accepted", objects: 18 }]);
    const spreads =
      "SELECT DISTINCT json_array_length(details, '$.spread') AS rows, details ->> '$.spread[99][0]' AS last FROM reports";
    expect(simulation.rows(spreads)).toEqual([{ rows: 100, last: [...domains].sort().at(-1) }]);
  });
});
