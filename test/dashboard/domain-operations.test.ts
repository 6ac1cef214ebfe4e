/**
 * Operations that answer what pages of domains show, over a ledger in workerd's D1: the same figures, page by page, of
 * one's own accounts.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eachItem } from "../../shared/contract/client.ts";
import type { Inputs, OperationName, Outputs } from "../../shared/contract/operations.ts";
import { VERDICT_STATES } from "../../shared/guidance/verdict.ts";
import { change } from "../../shared/ledger/database.ts";
import { putSenderDecision } from "../../shared/ledger/sender-decisions.ts";
import { addToken } from "../../shared/ledger/tokens.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { tokenHash, tokenSecret } from "../../shared/tokens.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, apiOf, type Dashboard, startDashboard } from "./harness.ts";

const nowSeconds = Math.floor(Date.now() / 1000);
const iso = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
/** Of the account acme alone, which may read. */
const READ_TOKEN = tokenSecret(new Uint8Array(32).fill(5));
const SERVICE: AggregateRecord["dkimResults"] = [
  { domain: "sender.example", selector: "s", result: "pass", rawResult: "pass", humanResult: "" },
];

let dashboard: Dashboard;

/** Reports: two days of acme.example in one account, one day of it and of a domain of its own in another. */
beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  const sample = (uid: string, account: string, domain: string, day: number) => {
    const records = [
      sampleRecord(domain, { count: 100 }),
      sampleRecord(domain, {
        count: 7,
        sourceIp: "203.0.113.9",
        dkim: "fail",
        spf: "fail",
        dkimResults: [],
        spfResults: [],
      }),
      sampleRecord(domain, {
        count: 3,
        sourceIp: "198.51.100.4",
        dkim: "fail",
        spf: "fail",
        dkimResults: SERVICE,
        spfResults: [],
      }),
    ];
    return {
      account,
      uid: uid.repeat(32),
      report: aggregateReport(domain, { day, records, reporter: `Reporter ${uid}` }),
      records,
      receivedSeconds: (day + 1) * 86_400,
    };
  };
  const samples = [
    sample("1", "acme", "acme.example", TODAY - 1),
    sample("2", "acme", "acme.example", TODAY - 2),
    sample("3", "other", "acme.example", TODAY - 1),
    sample("4", "other", "other.example", TODAY - 1),
  ];
  for (const one of samples) await commitSamples(dashboard.ledger, [one], { nowSeconds });
  const token = { id: "a".repeat(16), account: "acme", name: "reader", scope: "read", createdBy: "test" } as const;
  const times = { createdSeconds: nowSeconds, expiresSeconds: 0, revokedSeconds: 0, lastUsedSeconds: nowSeconds };
  await change(dashboard.ledger, addToken({ ...token, ...times }, await tokenHash(READ_TOKEN)));
});

afterAll(() => dashboard.close());

const api = (token: string) => apiOf(dashboard, token);

async function ask<Name extends OperationName>(
  name: Name,
  input: Inputs[Name],
  token = READ_TOKEN,
): Promise<Outputs[Name]> {
  const answer = await api(token).ask(name, input);
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer.value;
}

async function table(path: string): Promise<Record<string, unknown>[]> {
  const answer = await dashboard.ask(path, {}, READ_TOKEN);
  return JSON.parse(await answer.text());
}

describe("the list of domains", () => {
  it("has the caller's domains with the figures of the page", async () => {
    const { items, matching, byStatus, byPolicy } = await ask("listDomains", {});
    const [row] = await table("/?export=json&table=domains");
    expect(matching).toBe(1);
    expect(items).toMatchObject([
      {
        domain: "acme.example",
        accounts: ["acme"],
        status: "notJudged",
        messages: row?.messages,
        passed: 200,
        messagesBefore: 0,
        reports: 2,
        // Its address names no domain.
        addresses: [],
        firstReportDay: iso(TODAY - 2),
        lastReportDay: iso(TODAY - 1),
      },
    ]);
    expect(items[0]?.messages).toBe(220);
    expect(byStatus).toEqual({ notJudged: 1 });
    expect(byPolicy).toEqual({ "p=none": 1 });
  });

  it("can be filtered by status, policy, text, tag, group and account", async () => {
    const names = async (input: Inputs["listDomains"]) =>
      (await ask("listDomains", input, API_TOKEN)).items.map(({ domain }) => domain);
    expect(await names({ order: "domain" })).toEqual(["acme.example", "other.example"]);
    expect(await names({ order: "domain", descending: true })).toEqual(["other.example", "acme.example"]);
    expect(await names({ account: "acme" })).toEqual(["acme.example"]);
    expect(await names({ text: "other.ex" })).toEqual(["other.example"]);
    expect(await names({ policy: "none", order: "domain" })).toHaveLength(2);
    expect(await names({ policy: "reject" })).toEqual([]);
    expect(await names({ status: "ready" })).toEqual([]);
    expect(await names({ status: "notJudged" })).toHaveLength(2);
    expect(await names({ tag: "nothing" })).toEqual([]);
    expect(await names({ group: "nothing" })).toEqual([]);
  });

  it("comes page by page, each domain once", async () => {
    const first = await ask("listDomains", { order: "domain", limit: 1 }, API_TOKEN);
    expect(first).toMatchObject({ items: [{ domain: "acme.example" }], matching: 2 });
    const second = await ask("listDomains", { order: "domain", limit: 1, cursor: first.cursor }, API_TOKEN);
    expect(second.items.map(({ domain }) => domain)).toEqual(["other.example"]);
    expect(second.cursor).toBeUndefined();
    const all = await Array.fromAsync(eachItem(api(API_TOKEN), "listDomains", { order: "domain", limit: 1 }));
    expect(all.map((item) => item.ok && item.value.domain)).toEqual(["acme.example", "other.example"]);
  });
});

describe("a domain", () => {
  it("has the figures of its overview page for a period", async () => {
    const found = await ask("domainOverview", { domain: "acme.example" });
    expect(found).toMatchObject({
      messages: 220,
      passed: 200,
      messagesBefore: 0,
      firstReportDay: iso(TODAY - 2),
      detailsSince: iso(TODAY - 2),
      dispositions: [{ disposition: "none", messages: 220, passed: 200 }],
    });
    const days = await table("/domains/acme.example?export=json&table=days");
    expect(found.days.map(({ day, messages }) => [day, messages]).toReversed()).toEqual(
      days.map(({ day, messages }) => [day, messages]),
    );
    expect(found.policies).toMatchObject([{ firstDay: iso(TODAY - 2), lastDay: iso(TODAY - 1), reports: 2 }]);
  });

  it("of another account looks like one that does not exist", async () => {
    expect(await ask("domainOverview", { domain: "other.example" })).toMatchObject({ messages: 0, days: [] });
    expect((await ask("listReports", { domain: "other.example" })).items).toEqual([]);
    expect((await ask("listSources", { domain: "other.example" })).items).toEqual([]);
    expect(await ask("getSource", { domain: "other.example", source: "192.0.2.1" })).toMatchObject({
      figures: null,
      advice: null,
    });
    expect(await ask("keptCheck", { account: "acme", domain: "other.example" })).toMatchObject({ check: null });
    const named = await api(READ_TOKEN).ask("listReports", { domain: "other.example", account: "other" });
    expect(named).toMatchObject({ ok: false, error: { code: "forbidden" } });
  });
});

describe("reports", () => {
  it("are listed with filters and found by name", async () => {
    const uids = async (input: Omit<Inputs["listReports"], "domain">) =>
      (await ask("listReports", { domain: "acme.example", ...input })).items.map(({ uid }) => uid[0]);
    expect(await uids({})).toEqual(["1", "2"]);
    expect(await uids({ order: "begin", descending: false })).toEqual(["2", "1"]);
    expect(await uids({ reporter: "Reporter 2" })).toEqual(["2"]);
    expect(await uids({ text: "reporter 1" })).toEqual(["1"]);
    expect(await uids({ outcome: "pass" })).toEqual([]);
    expect(await uids({ from: iso(TODAY - 2), to: iso(TODAY - 2) })).toEqual(["2"]);
    expect(await uids({ sender: "verified" })).toEqual([]);
    expect(await uids({ kind: "tls" })).toEqual([]);
    const { items } = await ask("listReports", { domain: "acme.example", source: "203.0.113.9" });
    expect(items).toMatchObject([{ messages: 7, passed: 0 }, { messages: 7 }]);
    const [first] = (await ask("listReports", { domain: "acme.example" })).items;
    if (first === undefined) throw new Error("no report");
    const { account, domain, day, uid } = first;
    expect(await ask("getReport", { account, domain, day, uid })).toMatchObject({
      kind: "aggregate",
      uid: "1".repeat(32),
      reporter: "Reporter 1",
      records: 3,
      total: 110,
      passed: 100,
      domains: ["acme.example"],
      details: { kind: "aggregate", policy: { p: "none" } },
      imported: null,
    });
  });

  it("of other accounts are not found", async () => {
    const name = { domain: "acme.example", day: iso(TODAY - 1), uid: "3".repeat(32) };
    expect(await api(READ_TOKEN).ask("getReport", { account: "other", ...name })).toMatchObject({
      error: { code: "forbidden" },
    });
    expect(await api(READ_TOKEN).ask("getReport", { account: "acme", ...name })).toMatchObject({
      error: { code: "not_found" },
    });
  });

  it("of other kinds refuse filters for aggregate reports", async () => {
    const answer = await api(READ_TOKEN).ask("listReports", { domain: "acme.example", kind: "tls", order: "begin" });
    expect(answer).toMatchObject({ ok: false, error: { code: "bad_request" } });
  });
});

describe("sources", () => {
  it("have the figures of the page and the verdict about each", async () => {
    const { items, matching, isComplete } = await ask("listSources", { domain: "acme.example" });
    const rows = await table("/domains/acme.example/sources?export=json&table=sources");
    expect(items.map(({ source, messages }) => [source, messages])).toEqual(
      rows.map(({ source, messages }) => [source, messages]),
    );
    expect([matching, isComplete]).toEqual([3, true]);
    expect(items[1]).toMatchObject({
      source: "203.0.113.9",
      kind: "none",
      messages: 14,
      passed: 0,
      decision: "undecided",
      judgement: { hit: 14, role: expect.any(String) },
    });
    const undecided = await ask("listSources", { domain: "acme.example", role: "own" });
    expect(undecided.items.every(({ judgement }) => judgement?.role === "own")).toBe(true);
  });

  it("can be grouped in other ways", async () => {
    const { items } = await ask("listSourceGroups", { domain: "acme.example", by: "network" });
    expect(items.map(({ name, messages }) => [name, messages])).toEqual([
      ["192.0.2.0/24", 200],
      ["203.0.113.0/24", 14],
      ["198.51.100.0/24", 6],
    ]);
    const page = await ask("listSourceGroups", { domain: "acme.example", by: "address", limit: 2 });
    expect(page).toMatchObject({ matching: 3, items: [{ name: "192.0.2.1" }, { name: "203.0.113.9" }] });
    const rest = await ask("listSourceGroups", {
      domain: "acme.example",
      by: "address",
      limit: 2,
      cursor: page.cursor,
    });
    expect(rest.items.map(({ name }) => name)).toEqual(["198.51.100.4"]);
  });

  it("show figures, addresses, results, records, reports, decision and advice one by one", async () => {
    const found = await ask("getSource", { domain: "acme.example", source: "sender.example" });
    expect(found).toMatchObject({
      figures: { messages: 6, passed: 0 },
      addresses: [{ address: "198.51.100.4", messages: 6, host: "" }],
      dkim: [{ domain: "sender.example", selector: "s", result: "pass", messages: 6 }],
      spf: [],
      decision: { account: "acme", holds: { decision: "undecided", source: "sender.example" }, history: [] },
      advice: { code: expect.any(String), sentence: expect.stringMatching(/\.$/), spf: null },
      isComplete: true,
    });
    expect(found.days).toEqual([
      { day: iso(TODAY - 2), messages: 3, passed: 0 },
      { day: iso(TODAY - 1), messages: 3, passed: 0 },
    ]);
    expect(found.records).toMatchObject([{ uid: "1".repeat(32), messages: 3, isPass: false }, { messages: 3 }]);
    expect(found.reports.map(({ uid, messages }) => [uid[0], messages])).toEqual([
      ["1", 3],
      ["2", 3],
    ]);
    const address = await ask("getSource", { domain: "acme.example", source: "203.0.113.9" });
    expect(address).toMatchObject({ source: "203.0.113.9", figures: { messages: 14 } });
  });
});

/** One that has reports whatever today is. */
const MONTH = iso(TODAY - 1).slice(0, 7);

describe("what a policy would have hit", () => {
  it("is what the page and the verdict say, page by page", async () => {
    const domain = "acme.example";
    const found = await ask("listHits", { domain });
    const rows = await table("/domains/acme.example/sources?export=json&table=hits");
    expect(found.items.map(({ source, messages }) => [source, messages])).toEqual(
      rows.map(({ source, messages }) => [source, messages]),
    );
    expect(found).toMatchObject({ step: "reject", messages: 20, matching: 2, isComplete: true });
    expect(found.items[0]).toMatchObject({
      source: "203.0.113.9",
      sourceIp: "203.0.113.9",
      messages: 14,
      dkim: "fail",
      firstSeen: iso(TODAY - 2),
      lastSeen: iso(TODAY - 1),
    });
    expect(found.items[1]?.dkimResults).toEqual([{ domain: "sender.example", selector: "s", result: "pass" }]);
    const { wouldHit } = await ask("verdict", { domain });
    for (const role of ["own", "undecided", "foreign", "forwarder"] as const) {
      expect((await ask("listHits", { domain, role })).messages, role).toBe(wouldHit.reject[role]);
    }
    expect((await ask("listHits", { domain, step: "quarantineTest" })).items).toEqual([]);
    const one = await ask("listHits", { domain, limit: 1 });
    const two = await ask("listHits", { domain, limit: 1, cursor: one.cursor });
    expect([...one.items, ...two.items]).toEqual(found.items);
    expect(two.cursor).toBeUndefined();
    expect((await ask("listHits", { domain: "other.example" })).items).toEqual([]);
  });
});

describe("decisions, reporters and other domains", () => {
  it("are those of one's accounts", async () => {
    const decided = (source: string, decision: "mine" | "undecided", decidedSeconds: number) =>
      putSenderDecision({
        account: "acme",
        domain: "acme.example",
        source,
        decision,
        note: "",
        decidedBy: "ann",
        decidedSeconds,
      });
    await change(dashboard.ledger, [
      decided("198.51.100.4", "mine", nowSeconds - 60),
      decided("sender.example", "mine", nowSeconds - 50),
      decided("sender.example", "undecided", nowSeconds - 40),
    ]);
    const { items } = await ask("listDecisions", { domain: "acme.example" });
    expect(items).toMatchObject([{ source: "198.51.100.4", decision: "mine", decidedBy: "ann" }]);
    expect(await ask("listDecisions", { domain: "other.example" })).toEqual({ domain: "other.example", items: [] });
    const reporters = await ask("listReporters", { domain: "acme.example" });
    expect(reporters.items).toEqual([{ reporter: "Reporter 1" }, { reporter: "Reporter 2" }]);
    expect(reporters.isComplete).toBe(true);
    const operators = await ask("listReporters", { domain: "acme.example" }, API_TOKEN);
    expect(operators.items.map(({ reporter }) => reporter)).toContain("Reporter 3");
    expect(await ask("otherDomains", {})).toMatchObject({ items: [], isComplete: true });
  });
});

const REASON = { code: "undecided", sentence: "Somebody is undecided.", messages: 20 };

describe("monthly reports", () => {
  it("of a domain have the figures of its overview over the same days", async () => {
    const found = await ask("domainMonth", { domain: "acme.example", month: MONTH });
    const { from, to } = found;
    const overview = await ask("domainOverview", { domain: "acme.example", from, to });
    expect(found).toMatchObject({ account: "acme", month: MONTH, from: `${MONTH}-01`, meaning: expect.any(String) });
    expect(found.figures).toMatchObject({ messages: overview.messages, passed: overview.passed });
    expect(found.figures.messages).toBeGreaterThan(0);
    expect(found.verdict).toEqual(await ask("verdict", { domain: "acme.example", from, to }));
    expect(found.days.map(({ messages }) => messages)).toEqual(found.days.map(() => 110));
    expect(found.senders.map(({ source }) => source)).toContain("203.0.113.9");
    expect(found.sendersInAll).toBe(found.senders.length);
    const page = await dashboard.ask(`/domains/acme.example/report?month=${MONTH}`, {}, READ_TOKEN);
    expect(await page.text()).toContain(found.meaning.replaceAll("'", "&#39;"));
  });

  it("of an account have its domains with today's state, the worst first, page by page", async () => {
    await change(dashboard.ledger, [
      {
        sql: `INSERT INTO domain_verdicts (account, domain, state, place, since_seconds, messages, own_messages, at_risk,
            policy, is_test, next_record, reasons, senders, computed_seconds, fingerprint, version)
          VALUES ('acme', 'acme.example', 'notYet', ?1, 1, 220, 200, 20, 'none', 0, '', ?2, '[]', 1, '', 1)`,
        parameters: [VERDICT_STATES.indexOf("notYet"), JSON.stringify([REASON])],
      },
    ]);
    const found = await ask("accountMonth", { account: "acme", month: MONTH });
    const month = await ask("domainMonth", { domain: "acme.example", month: MONTH });
    expect(found).toMatchObject({
      account: "acme",
      headline: "1 domain of 1 needs attention",
      byState: { notYet: 1 },
      figures: month.figures,
      items: [{ domain: "acme.example", state: "notYet", messages: month.figures.messages, reasons: [REASON] }],
      matching: 1,
    });
    const page = await dashboard.ask(`/report?month=${MONTH}&account=acme`, {}, READ_TOKEN);
    expect(await page.text()).toContain(found.headline);
    expect(await ask("accountMonth", { account: "acme", month: MONTH, limit: 1 })).not.toHaveProperty("cursor");
  });

  it("are refused of a month that has not begun, or of another's account", async () => {
    const [later, wrong, others] = await Promise.all([
      api(READ_TOKEN).ask("domainMonth", { domain: "acme.example", month: "2099-01" }),
      api(READ_TOKEN).ask("accountMonth", { account: "acme", month: "2026-13" }),
      api(READ_TOKEN).ask("accountMonth", { account: "other" }),
    ]);
    expect(later).toMatchObject({ error: { code: "bad_request", message: "January 2099 has not begun." } });
    expect(wrong).toMatchObject({ error: { code: "bad_request", message: expect.stringContaining("YYYY-MM") } });
    expect(others).toMatchObject({ error: { code: "forbidden" } });
    expect(await ask("domainMonth", { domain: "other.example" })).toMatchObject({ account: "", senders: [] });
  });
});

describe("outcomes and how long reports took", () => {
  it("are those of the page Operations, for operators", async () => {
    const period = { from: iso(TODAY - 29), to: iso(TODAY) };
    const { outcomes, latency, step } = await ask("outcomeHistory", period, API_TOKEN);
    expect(step).toBe("day");
    expect(outcomes.reduce((sum, { events }) => sum + events, 0)).toBe(4);
    const file = async (name: string) =>
      (await dashboard.ask(`/operations?days=30&export=json&table=${name}`)).json() as Promise<
        Record<string, unknown>[]
      >;
    expect(latency.length).toBeGreaterThan(0);
    expect(latency.map(({ day, maxSeconds }) => [day, maxSeconds]).toReversed()).toEqual(
      (await file("latency")).map((row) => [row.day, row.max_seconds]),
    );
    expect(outcomes.map(({ beginSeconds }) => iso(beginSeconds / 86_400)).toReversed()).toEqual(
      (await file("outcomes")).map((row) => row.day),
    );
    const hours = await ask("outcomeHistory", { from: iso(TODAY), to: iso(TODAY) }, API_TOKEN);
    expect(hours.step).toBe("hour");
    expect(await api(READ_TOKEN).ask("outcomeHistory", {})).toMatchObject({ error: { code: "forbidden" } });
    expect(await ask("listUnsentReports", {}, API_TOKEN)).toEqual({ items: [], isComplete: true });
  });
});

describe("an account that there is not", () => {
  it("is answered to operators only", async () => {
    const missing = { ok: false, error: { code: "not_found", message: "There is no account 'nowhere'." } };
    const operator = api(API_TOKEN);
    expect(await operator.ask("stats", { account: "nowhere" })).toMatchObject(missing);
    expect(await operator.ask("listReports", { domain: "acme.example", account: "nowhere" })).toMatchObject(missing);
    expect(await operator.ask("listMutes", { account: "nowhere" })).toMatchObject(missing);
    // It outlives its account.
    expect(await operator.ask("listAudit", { account: "nowhere" })).toMatchObject({ ok: true, value: { items: [] } });
    // One that was never created, and has reports.
    expect(await operator.ask("stats", { account: "other" })).toMatchObject({ ok: true });
    expect(await api(READ_TOKEN).ask("stats", { account: "nowhere" })).toMatchObject({ error: { code: "forbidden" } });
  });
});
