/** The list of domains: status by verdict or set-up, the worst first, filtered, searched and counted in the database. */
import { beforeAll, describe, expect, it } from "vitest";
import { VERDICT_STATES } from "../../shared/guidance/verdict.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { type DomainList, type DomainPage, domainsQuery } from "../../shared/ledger/domains.ts";
import { putRegisteredDomains } from "../../shared/ledger/registered-domains.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const DAY = 20_000;
const NOW = (DAY + 1) * 86_400;
const PERIOD = { firstDay: DAY - 6, lastDay: DAY };
const ACCOUNTS = ["acme", "beta"];
const LIST: DomainList = {
  beforeFirstDay: undefined,
  text: "",
  order: "status",
  descending: false,
  limit: 25,
  offset: 0,
  allProblems: false,
  databases: 1,
};

/** Accounts live in one each. */
const ledgers = { acme: new SqliteLedger(), beta: new SqliteLedger() };

interface Given {
  account: keyof typeof ledgers;
  domain: string;
  count: number;
  verdict?: (typeof VERDICT_STATES)[number];
  atRisk?: number;
}

async function give(ledger: SqliteLedger, { account, domain, count, verdict, atRisk = 0 }: Given): Promise<void> {
  const records = [sampleRecord(domain, { count })];
  const uid = Buffer.from(`${account} ${domain}`).toString("hex").padEnd(32, "0").slice(-32);
  const report = aggregateReport(domain, { day: DAY - 1, records });
  await commitSamples(ledger, [{ account, uid, report, records, receivedSeconds: NOW }], { nowSeconds: NOW });
  if (verdict === undefined) return;
  await change(ledger, [
    {
      sql: `INSERT INTO domain_verdicts (account, domain, state, place, since_seconds, messages, own_messages, at_risk,
          policy, is_test, next_record, reasons, senders, computed_seconds, fingerprint, version)
        VALUES (?1, ?2, ?3, ?4, 1, 1, 1, ?5, 'none', 0, '', '[]', '[]', 1, '', 1)`,
      parameters: [account, domain, verdict, VERDICT_STATES.indexOf(verdict), atRisk],
    },
  ]);
}

async function setUp(ledger: SqliteLedger, account: string, states: Record<string, string>): Promise<void> {
  const domains = Object.keys(states).map((domain) => ({ account, domain, rua: "dmarc@rua.example" }));
  await change(ledger, [
    putRegisteredDomains(domains, 1),
    ...Object.entries(states).map(([domain, state]) => ({
      sql: "UPDATE registered_domains SET state = ?2 WHERE domain = ?1",
      parameters: [domain, state],
    })),
  ]);
}

beforeAll(async () => {
  const { acme, beta } = ledgers;
  await give(acme, { account: "acme", domain: "protected.test", count: 500, verdict: "protected" });
  await give(acme, { account: "acme", domain: "little.test", count: 10, verdict: "notYet", atRisk: 3 });
  await give(acme, { account: "acme", domain: "much.test", count: 5, verdict: "notYet", atRisk: 900 });
  await give(acme, { account: "acme", domain: "both.test", count: 7, verdict: "ready" });
  await give(acme, { account: "acme", domain: "new.test", count: 1 });
  await give(beta, { account: "beta", domain: "both.test", count: 8, verdict: "beingRejected", atRisk: 8 });
  await setUp(acme, "acme", { "typo.test": "wrongAddress", "wait.test": "waiting", "much.test": "receiving" });
});

async function list(changes: Partial<DomainList> = {}, databases = Object.values(ledgers)): Promise<DomainPage> {
  const query = domainsQuery({ accounts: ACCOUNTS, ...PERIOD }, { ...LIST, ...changes, databases: databases.length });
  const parts = await Promise.all(databases.map((database) => ask(database, query)));
  const [page] = query.combine?.(parts) ?? [];
  if (page === undefined) throw new Error("A question without an answer.");
  return page;
}

const names = ({ rows }: DomainPage): string[] => rows.map(({ domain }) => domain);

describe("the list of domains", () => {
  it("puts the worst first by verdict and messages at risk, and new domains by whether somebody has to act", async () => {
    const page = await list();
    expect(names(page)).toEqual([
      "both.test",
      "much.test",
      "little.test",
      "typo.test",
      "protected.test",
      "wait.test",
      "new.test",
    ]);
    expect(page.rows[0]).toMatchObject({
      status: "beingRejected",
      atRisk: 8,
      messages: 15,
      accounts: expect.arrayContaining(ACCOUNTS),
    });
    expect(page.rows[3]).toMatchObject({ status: "setUp", setup: "wrongAddress", messages: 0, policy: "" });
    expect(page.rows[1]).toMatchObject({ status: "notYet", setup: "" });
    expect(page.rows[6]).toMatchObject({ status: "" });
  });

  it("says where reports go, and from and to which day they are, in the period or not", async () => {
    const { rows } = await list({ order: "domain" });
    const of = (domain: string) => rows.find((row) => row.domain === domain);
    expect(of("much.test")).toMatchObject({ addresses: ["dmarc@rua.example"], firstDay: DAY - 1, lastDay: DAY - 1 });
    expect(of("wait.test")).toMatchObject({ addresses: ["dmarc@rua.example"], firstDay: null, lastDay: null });
    expect(of("both.test")).toMatchObject({ addresses: [], firstDay: DAY - 1, lastDay: DAY - 1 });
    const later = domainsQuery({ accounts: ["acme"], firstDay: DAY, lastDay: DAY }, { ...LIST, order: "domain" });
    const [page] = await ask(ledgers.acme, later);
    expect(page?.rows.find(({ domain }) => domain === "much.test")).toMatchObject({ reports: 0, firstDay: DAY - 1 });
  });

  it("counts by status and policy, and filters by status", async () => {
    const one = [ledgers.acme];
    const all = await list({}, one);
    expect(Object.fromEntries(all.byStatus)).toEqual({ protected: 1, notYet: 2, ready: 1, setUp: 2, "": 1 });
    expect([...all.byPolicy.values()].reduce((sum, count) => sum + count, 0)).toBe(7);
    const some = await list({ status: "notYet" }, one);
    expect(names(some)).toEqual(["much.test", "little.test"]);
    expect(some.matching).toBe(2);
    expect(some.byStatus).toEqual(all.byStatus);
    expect([...some.byPolicy.values()]).toEqual([2]);
    expect(names(await list({ status: "setUp" }, one))).toEqual(["typo.test", "wait.test"]);
    expect(names(await list({ status: "" }, one))).toEqual(["new.test"]);
  });

  it("can be searched by name and account, and has pages", async () => {
    expect(names(await list({ text: "beta" }, [ledgers.beta]))).toEqual(["both.test"]);
    expect(names(await list({ text: "typo" }))).toEqual(["typo.test"]);
    const second = await list({ limit: 2, offset: 2 }, [ledgers.acme]);
    expect(names(second)).toEqual(["typo.test", "both.test"]);
    expect(second.matching).toBe(7);
  });

  it("shows no registered domain of another account", async () => {
    const query = domainsQuery({ accounts: ["beta"], ...PERIOD }, LIST);
    expect((await ask(ledgers.acme, query)).flatMap(({ rows }) => rows)).toEqual([]);
  });
});
