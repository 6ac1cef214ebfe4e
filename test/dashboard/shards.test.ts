/** The dashboard over a ledger in three databases: an operator sees the sum, an owner one account, asked where it is. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addAccount } from "../../shared/ledger/accounts.ts";
import { change } from "../../shared/ledger/database.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

const nowSeconds = Math.floor(Date.now() / 1000);
const yesterday = TODAY - 1;
const DAY = new Date(yesterday * 86_400_000).toISOString().slice(0, 10);
/** Account → its messages about the domain that all have, and the database it is in by its place. */
const ACCOUNTS = [
  { account: "third", messages: 700 },
  { account: "acme", messages: 41 },
  { account: "other", messages: 5 },
];
const HTML = { headers: { accept: "text/html" } };

function samplesOf(account: string, messages: number): Sample[] {
  return ["shared.example", `${account}.example`].map((domain, i) => {
    // One address that every account has seen, and one of its own.
    const own = `192.0.2.${100 + (messages % 100)}`;
    const records = [
      sampleRecord(domain, { sourceIp: "192.0.2.1", count: messages - 1, dkimResults: [] }),
      sampleRecord(domain, { sourceIp: own, count: 1, dkimResults: [] }),
    ];
    const report = aggregateReport(domain, { day: yesterday, records });
    return {
      account,
      uid: `${i}${account}`.padEnd(32, "0").replace(/[^0-9a-f]/g, "0"),
      report,
      records,
      receivedSeconds: nowSeconds,
    };
  });
}

async function start(accessEmail: string): Promise<Dashboard> {
  const dashboard = await startDashboard({ vars: { API_TOKEN }, accessEmail, databases: 3 });
  for (const [shard, { account, messages }] of ACCOUNTS.entries()) {
    await change(dashboard.ledger, [addAccount({ account, shard }, 1)]);
    const ledger = dashboard.ledgers[shard] ?? expect.unreachable();
    await commitSamples(ledger, samplesOf(account, messages), { nowSeconds });
  }
  return dashboard;
}

async function json(dashboard: Dashboard, path: string, token: string | null): Promise<unknown> {
  const answer = await dashboard.ask(path, {}, token);
  expect(answer.status, path).toBe(200);
  return answer.json();
}

/** Statements that a request took. */
async function statementsOf(dashboard: Dashboard, path: string): Promise<number> {
  const answer = await dashboard.ask(path, HTML, null);
  expect(answer.status, path).toBe(200);
  return Number(/(\d+) statements/.exec(answer.headers.get("server-timing") ?? "")?.[1]);
}

describe("an operator", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await start("operator@acme.example");
  });
  afterAll(() => dashboard.close());

  it("sees the domains of all accounts, and the sum of a domain that several have", async () => {
    const rows = await json(dashboard, "/?export=json&table=domains", null);
    expect(rows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ domain: "shared.example", messages: 746, reports: 3 }),
        ...ACCOUNTS.map(({ account, messages }) => expect.objectContaining({ domain: `${account}.example`, messages })),
      ]),
    );
    expect(rows).toHaveLength(4);
    const text = await (await dashboard.ask("/?domains.size=10&domains.sort=-messages", HTML, null)).text();
    expect(text.indexOf("shared.example")).toBeLessThan(text.indexOf("third.example"));
  });

  it("sees stats of all accounts or one, and that the number of sources over databases is an upper bound", async () => {
    expect(await json(dashboard, "/api/v1/stats", API_TOKEN)).toMatchObject({
      reports: 6,
      records: 12,
      messages: 1492,
      sources: 6,
      sourcesAreAtMost: true,
    });
    expect(await json(dashboard, "/api/v1/stats?account=other", API_TOKEN)).toMatchObject({
      reports: 2,
      messages: 10,
      sources: 2,
      sourcesAreAtMost: false,
    });
  });

  it("sees each source once if several databases know the domain", async () => {
    const text = await (await dashboard.ask("/domains/shared.example/sources", HTML, null)).text();
    expect(text).toContain("743");
    const page = await (await dashboard.ask("/domains/shared.example", HTML, null)).text();
    expect(page).toContain("at most 3");
  });

  it("opens a report by asking only the database of its account", async () => {
    for (const { account, messages } of ACCOUNTS) {
      const [sample] = samplesOf(account, messages);
      const path = `/reports/${account}/shared.example/${DAY}/${sample?.uid}`;
      // The person; the account's database and the report; the same once more for where it was imported from.
      expect(await statementsOf(dashboard, path)).toBe(5);
    }
  });
});

describe("a viewer", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await start("viewer@acme.example");
  });
  afterAll(() => dashboard.close());

  it("sees one account", async () => {
    const rows = await json(dashboard, "/?export=json&table=domains", null);
    expect(rows).toMatchObject([
      { domain: "acme.example", messages: 41 },
      { domain: "shared.example", messages: 41 },
    ]);
    const text = await (await dashboard.ask("/domains/shared.example", HTML, null)).text();
    expect(text).not.toContain("at most");
    expect(text).not.toContain("746");
  });

  it("needs one more statement than with a single database, to find the right one", async () => {
    const single = await startDashboard({ accessEmail: "viewer@acme.example" });
    try {
      await change(single.ledger, [addAccount({ account: "acme", shard: 0 }, 1)]);
      await commitSamples(single.ledger, samplesOf("acme", 41), { nowSeconds });
      for (const path of ["/", "/domains/shared.example", "/domains/shared.example/sources"]) {
        expect(await statementsOf(dashboard, path), path).toBe((await statementsOf(single, path)) + 1);
      }
    } finally {
      await single.close();
    }
  });
});
