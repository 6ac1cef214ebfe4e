/** The round over all domains on the simulated platform: stored verdicts are those of the pages, in bounded runs. */

import { beforeEach, expect, it } from "vitest";
import { judge, VERDICT_STATES, type VerdictState } from "../../shared/guidance/verdict.ts";
import { verdictInput } from "../../shared/guidance/verdict-input.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { dayTotalsQuery, policiesQuery, ruaAddressesQuery } from "../../shared/ledger/days.ts";
import { type DomainVerdict, domainVerdictsQuery } from "../../shared/ledger/domain-verdicts.ts";
import { askKnownSenders } from "../../shared/ledger/known-senders.ts";
import { putSenderDecision } from "../../shared/ledger/sender-decisions.ts";
import { askAll } from "../../shared/ledger/shards.ts";
import { mailQuery } from "../../shared/ledger/sources.ts";
import { WATCH_LIMITS } from "../../shared/limits.ts";
import { type WatchDone, watchDomains } from "../../workers/process/watch/round.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { Simulation } from "../support/simulation/simulation.ts";
import { STATE_DOMAINS, seedVerdicts } from "../support/verdict-domains.ts";

let simulation: Simulation;
const ACCOUNTS = ["acme", "globex"];

beforeEach(() => {
  simulation = new Simulation();
});

function today(): number {
  return Math.floor(simulation.clock.nowMilliseconds / 86_400_000);
}

function run(isWanted = false): Promise<WatchDone> {
  return watchDomains(simulation.invocation(), isWanted);
}

function later(minutes: number): void {
  simulation.clock.nowMilliseconds += minutes * 60_000;
}

function stored(): Promise<DomainVerdict[]> {
  return ask(simulation.ledger, domainVerdictsQuery(ACCOUNTS, { limit: 1000 }));
}

async function seed(): Promise<void> {
  await seedVerdicts(simulation.ledger, today(), simulation.invocation().nowSeconds);
}

async function report(account: string, domain: string, day: number): Promise<void> {
  const records = [sampleRecord(domain, { count: 10 })];
  const uid = `${account}${domain}${day}`
    .split("")
    .reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 2 ** 40, 7)
    .toString(16)
    .padStart(32, "0");
  const { ledger, nowSeconds } = simulation.invocation();
  const sample = { account, uid, report: aggregateReport(domain, { day, records }), records };
  await commitSamples(ledger, [{ ...sample, receivedSeconds: nowSeconds }], { nowSeconds });
}

async function judgedByThePage(domain: string) {
  const period = { firstDay: today() - 29, lastDay: today() };
  const always = { accounts: ["acme"], domains: [domain] as const };
  const scope = { ...always, ...period };
  const [mail] = await askAll([simulation.ledger], mailQuery({ ...scope, onlyCounted: true }));
  if (mail === undefined) throw new Error("no mail");
  const days = await ask(simulation.ledger, dayTotalsQuery(scope));
  const policies = await ask(simulation.ledger, policiesQuery(always));
  const ruaAddresses = (await ask(simulation.ledger, ruaAddressesQuery(scope))).map(({ rua }) => rua);
  const { nowSeconds } = simulation.invocation();
  const known = { domain, mail, check: undefined, nowSeconds };
  const senders = await askKnownSenders((query) => ask(simulation.ledger, query), known);
  return judge(verdictInput(domain, { period, senders, days, policies, ruaAddresses }, () => undefined));
}

it("each domain is kept with the verdict of its page, the worst first", async () => {
  await seed();
  expect(await run()).toEqual({ domains: 6, computed: 6, skipped: 0, isDone: true });
  const all = await stored();
  expect(all.map(({ state, domain }) => [state, domain])).toEqual(
    VERDICT_STATES.filter((state) => state in STATE_DOMAINS).map((state) => [
      state,
      STATE_DOMAINS[state as keyof typeof STATE_DOMAINS],
    ]),
  );
  for (const one of all) {
    const page = await judgedByThePage(one.domain);
    expect(one).toMatchObject({
      state: page.state,
      messages: page.messages,
      ownMessages: page.ownMessages,
      nextRecord: page.nextRecord ?? "",
      policy: page.stage.p,
    });
    expect(one.reasons.map(({ code, messages }) => [code, messages])).toEqual(
      page.reasons.map(({ code, messages }) => [code, messages]),
    );
  }
  const [worst] = all;
  expect(worst?.senders).toMatchObject([
    { name: "sendgrid.net", service: "Twilio SendGrid", failing: 4290, refused: 4290 },
  ]);
  expect(worst?.atRisk).toBe(4290);
});

it("only changed domains are computed again, with the start of each state", async () => {
  await seed();
  await run();
  const [since] = (await stored()).map(({ sinceSeconds }) => sinceSeconds);
  later(1);
  expect(await run()).toEqual({ domains: 0, computed: 0, skipped: 0, isDone: true });
  later(20);
  expect(await run()).toEqual({ domains: 6, computed: 0, skipped: 0, isDone: true });
  const decision = { account: "acme", domain: "refused.example", source: "sendgrid.net", decision: "notMine" } as const;
  const decidedSeconds = simulation.invocation().nowSeconds;
  await change(simulation.ledger, [
    putSenderDecision({ ...decision, note: "", decidedBy: "a@acme.example", decidedSeconds }),
  ]);
  expect(await run(true)).toEqual({ domains: 6, computed: 1, skipped: 0, isDone: true });
  const refused = (await stored()).find(({ domain }) => domain === "refused.example");
  expect(refused).toMatchObject({ state: "protected", sinceSeconds: decidedSeconds });
  later(24 * 60);
  expect(await run()).toMatchObject({ computed: 6 });
  const parked = (await stored()).find(({ domain }) => domain === "parked.example");
  expect(parked?.sinceSeconds).toBe(since);
});

it("a run continues where the last one ended, even after a fault, and skips a domain that fails repeatedly", async () => {
  await seed();
  simulation.watchQueries = 24;
  const done = [await run()];
  while (done.at(-1)?.isDone === false) done.push(await run());
  expect(done.length).toBeGreaterThan(2);
  expect(done.reduce((sum, { computed }) => sum + computed, 0)).toBe(6);
  expect(await stored()).toHaveLength(6);

  // Figures that are no JSON: a domain that ends every run.
  const { sqlite } = simulation.ledger;
  sqlite.prepare("UPDATE reports SET figures = '{' WHERE domain = 'parked.example'").run();
  simulation.watchQueries = 900;
  later(24 * 60);
  // The first of these runs comes as far as this domain.
  for (let i = 0; i <= WATCH_LIMITS.maxAttempts; i++) await expect(run()).rejects.toThrow();
  expect(await run()).toMatchObject({ skipped: 1, isDone: true });
  const fresh = (await stored()).filter(
    ({ computedSeconds }) => computedSeconds === simulation.invocation().nowSeconds,
  );
  expect(fresh.map(({ domain }) => domain)).not.toContain("parked.example");
  expect(fresh).toHaveLength(5);
});

it("registered domains without reports are included, and accounts are kept apart", async () => {
  await report("acme", "shared.example", today() - 1);
  await report("globex", "shared.example", today() - 40);
  await change(simulation.ledger, [
    {
      sql: "INSERT INTO domain_checks (account, domain, checked_seconds, state, result) VALUES ('acme', 'new.example', 0, 'unknown', '{}')",
      parameters: [],
    },
  ]);
  await run();
  const states = (await stored()).map(({ account, domain, state }): [string, string, VerdictState] => [
    account,
    domain,
    state,
  ]);
  expect(states).toEqual([
    ["acme", "shared.example", "tooEarly"],
    ["acme", "new.example", "silent"],
    ["globex", "shared.example", "silent"],
  ]);
  expect(await ask(simulation.ledger, domainVerdictsQuery(["globex"], { limit: 10 }))).toHaveLength(1);
});

it("one answer is kept if two runs judge a domain at once", async () => {
  await seed();
  const done = await Promise.all([run(), run()]);
  expect(done.reduce((sum, { computed }) => sum + computed, 0)).toBe(6);
  const versions = simulation.rows<{ version: number }>("SELECT version FROM domain_verdicts");
  expect(versions.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1, 1]);
});
