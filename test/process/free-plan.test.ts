/** What the free plan allows an invocation, kept: 50 queries to D1 and subrequests, and files that 10 ms of CPU are enough for. */
import { expect, it } from "vitest";
import { unfinishedKinds } from "../../shared/guidance/stored-check.ts";
import { putAddress } from "../../shared/ledger/addresses.ts";
import { doubtedConflictsQuery } from "../../shared/ledger/conflicts.ts";
import { ask } from "../../shared/ledger/database.ts";
import { checksQuery, recordChangesQuery } from "../../shared/ledger/domain-checks.ts";
import { FREE_PLAN_LIMITS } from "../../shared/limits.ts";
import { validRegistration } from "../../shared/registry.ts";
import { runDomainChecks } from "../../workers/process/domains/check-domains.ts";
import { followAddress } from "../../workers/process/domains/follow-registry.ts";
import { putRegistration } from "../../workers/process/domains/registrations.ts";
import { keepVerified } from "../../workers/process/operations/conflicts.ts";
import { requeueDeadLetters } from "../../workers/process/operations/dead-letters.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { runWatch, type WantedWatchDone, watchWanted } from "../../workers/process/watch/round.ts";
import { type CountingLedger, countingLedger } from "../support/counting-ledger.ts";
import { startDnsServer, type Zones } from "../support/dns-server.ts";
import { listDeadLetters } from "../support/simulation/listings.ts";
import {
  records,
  registerAll,
  registeredSimulation,
  reportMail,
  smallMail,
  stamped,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

setUpSimulation();

const { maxQueriesPerInvocation, maxBatchSize, maxReportBytes, dnsQuestions, watchQueries } = FREE_PLAN_LIMITS;

/** A simulation whose queries are counted. */
async function countedSimulation(): Promise<{ simulation: Simulation; counted: CountingLedger }> {
  const counted = countingLedger(new SqliteLedger());
  const simulation = new Simulation({ database: counted.ledger });
  const place = {
    directory: counted.ledger,
    copy: { get: async () => null, put: async () => {}, delete: async () => {} },
    newAccountShard: 0,
  };
  registerAll(simulation);
  for (const [rua, account] of [
    ["dmarc@acme.example", "acme"],
    ["reports@acme.example", "acme"],
    ["rua@other.example", "other"],
  ] as const) {
    await putAddress(validRegistration(rua, { account, domains: ["acme.example"] }), place, 0);
  }
  return { simulation, counted };
}

/** The same with a report about acme.example, and as many DNS questions to the server at the URL as the plan allows. */
async function simulationWithReport(dnsUrl: string): Promise<{ simulation: Simulation; counted: CountingLedger }> {
  const { simulation, counted } = await countedSimulation();
  simulation.dnsUrl = dnsUrl;
  simulation.dnsQuestions = dnsQuestions;
  await simulation.deliver(reportMail("one", records(3)));
  await simulation.drain();
  return { simulation, counted };
}

/** Queries of something. */
async function queriesOf(counted: CountingLedger, run: () => Promise<unknown>): Promise<number> {
  const before = counted.queries;
  await run();
  return counted.queries - before;
}

it("any single message makes fewer than 50 queries, and so does the daily upkeep", async () => {
  const { simulation, counted } = await countedSimulation();
  for (const mail of smallMail().mails) await simulation.deliver(mail);
  let most = 0;
  let rounds = 0;
  while (Object.values(simulation.queues).some(({ messages }) => messages.length > 0)) {
    most = Math.max(most, await queriesOf(counted, () => simulation.drain({ maxBatchSize, rounds: 1 })));
    rounds += 1;
  }
  expect(rounds).toBeGreaterThanOrEqual(10);
  expect(most).toBeGreaterThan(5);
  // R2, KV and Analytics Engine are asked, too: ten times at most.
  expect(most).toBeLessThan(maxQueriesPerInvocation - 10);

  simulation.clock.nowMilliseconds += 7 * 86_400_000;
  const upkeep = await queriesOf(counted, () => runUpkeep(simulation.invocation(), 0.5));
  expect(upkeep).toBeGreaterThan(5);
  expect(upkeep).toBeLessThan(maxQueriesPerInvocation);
});

it("to keep the verified reports of sixty conflicts takes fewer than 50 queries, as one does", async () => {
  const { simulation, counted } = await countedSimulation();
  const ids = Array.from({ length: 60 }, (_, i) => `r${i}`);
  for (const id of ids) await simulation.deliver(stamped(reportMail(id, records(1)), "reporter.example"));
  for (const id of ids) await simulation.deliver(reportMail(id, records(1, 5)));
  await simulation.drain();
  const [found] = await ask(counted.ledger, doubtedConflictsQuery());
  const { account, kind, reporter, domain, conflicts } = found ?? expect.unreachable();
  expect(conflicts).toBe(60);
  const group = { account, kind, reporter, domain };
  let kept = 0;
  const queries = await queriesOf(counted, async () => {
    ({ kept } = await keepVerified(group, { by: "operator" }, simulation.invocation()));
  });
  expect(kept).toBe(60);
  expect(queries).toBeLessThan(maxQueriesPerInvocation);
  const { results } = await counted.ledger.prepare("SELECT decision, count(*) AS n FROM decisions GROUP BY 1").all();
  expect(results).toEqual([{ decision: "refused", n: 60 }]);
});

it("the largest hourly check of a domain stays below 50 subrequests and 50 queries", async () => {
  const { simulation, counted } = await countedSimulation();
  const zones: Zones = {
    "_dmarc.acme.example": ["TXT v=DMARC1; p=none; rua=mailto:dmarc@acme.example"],
    "acme.example": [
      `TXT v=spf1 ${Array.from({ length: 10 }, (_, i) => `include:s${i}.test mx:m${i}.test`).join(" ")} -all`,
    ],
  };
  for (let i = 0; i < 10; i++) {
    zones[`s${i}.test`] = ["TXT v=spf1 mx a -all", ...Array.from({ length: 9 }, (_, k) => `MX 10 m${k}.test`)];
    zones[`m${i}.test`] = Array.from({ length: 9 }, (_, k) => `MX 10 h${k}.test`);
  }
  await using server = await startDnsServer(zones);
  simulation.dnsUrl = server.url;
  simulation.dnsQuestions = 6000;
  await runDomainChecks(simulation.invocation());
  expect(server.asked.length).toBeGreaterThan(dnsQuestions);

  server.asked.length = 0;
  simulation.clock.nowMilliseconds += 86_400_000;
  simulation.dnsQuestions = dnsQuestions;
  const queries = await queriesOf(counted, () => runDomainChecks(simulation.invocation()));
  expect(server.asked.length).toBe(dnsQuestions);
  expect(queries).toBeGreaterThan(2);
  // And a file of MTA-STS.
  expect(queries + dnsQuestions + 1).toBeLessThanOrEqual(maxQueriesPerInvocation);
});

/** A domain with DNSSEC and three mail hosts, whose checks take more questions than a run of the free plan has. */
function zonesOfMany(): Zones {
  const zones: Zones = {
    "_dmarc.acme.example": ["TXT v=DMARC1; p=reject; rua=mailto:dmarc@acme.example", "DNSSEC"],
    "acme.example": [
      "TXT v=spf1 include:one.service.test include:two.service.test include:three.service.test mx -all",
      ...[1, 2, 3].map((i) => `MX 10 mx${i}.acme.example`),
      "DNSSEC",
    ],
    "one.service.test": ["TXT v=spf1 include:below.service.test -all"],
    "two.service.test": ["TXT v=spf1 mx a -all", "MX 10 mx.two.service.test"],
    "below.service.test": ["TXT v=spf1 ip4:192.0.2.0/24 -all"],
    "mx.two.service.test": ["A 192.0.2.9"],
    "three.service.test": ["TXT v=spf1 a ?include:four.service.test -all", "A 192.0.2.10"],
    "four.service.test": ["TXT v=spf1 a -all", "A 192.0.2.11"],
    "_mta-sts.acme.example": ["TXT v=STSv1; id=1"],
    "default._bimi.acme.example": ["TXT v=BIMI1; l=https://acme.example/logo.svg"],
  };
  for (const i of [1, 2, 3]) {
    zones[`mx${i}.acme.example`] = [`A 192.0.2.${i}`, "DNSSEC"];
    zones[`_25._tcp.mx${i}.acme.example`] = [`TLSA 3 1 1 ${"ab".repeat(32)}`, "DNSSEC"];
  }
  return zones;
}

it("a domain that takes more questions than a run has is checked in parts, and all of its records are looked at again", async () => {
  const zones = zonesOfMany();
  await using server = await startDnsServer(zones);
  const { simulation, counted } = await simulationWithReport(server.url);
  const run = async (): Promise<string[]> => {
    server.asked.length = 0;
    const queries = await queriesOf(counted, () => runDomainChecks(simulation.invocation()));
    expect(queries + server.asked.length + 1).toBeLessThanOrEqual(maxQueriesPerInvocation);
    simulation.clock.nowMilliseconds += 3_600_000;
    const kept = await ask(counted.ledger, checksQuery("acme.example", ["acme", "other"]));
    return kept.flatMap(({ check }) => unfinishedKinds(check));
  };
  expect(await run()).not.toEqual([]);
  expect(server.asked).toHaveLength(dnsQuestions);
  const later: string[][] = [];
  for (let hour = 1; hour < 48; hour++) later.push(await run());
  // The domain is in two accounts, each of which has its own check, and is checked again every other hour.
  expect(later.slice(5).flat()).toEqual([]);
  // What is published anew is found, whichever record it is.
  const names = ["_dmarc.acme.example", "acme.example", "_mta-sts.acme.example", "default._bimi.acme.example"];
  for (const name of names) zones[name] = (zones[name] ?? []).map((text) => text.replace(/^TXT v=(\S+)/, "TXT v=$1 "));
  for (let hour = 0; hour < 8 * 24; hour++) await run();
  const changes = await ask(counted.ledger, recordChangesQuery("acme.example", ["acme", "other"], 1000));
  expect([...new Set(changes.map(({ name }) => name))].toSorted()).toEqual(names.toSorted());
});

/** An SPF record that alone takes more: ten further names, each with nine mail hosts. */
function addLargeSpf(zones: Zones): void {
  const many = Array.from({ length: 10 }, (_, i) => i);
  zones["acme.example"] = [
    `TXT v=spf1 ${many.map((i) => `include:s${i}.test`).join(" ")} -all`,
    ...[1, 2, 3].map((i) => `MX 10 mx${i}.acme.example`),
    "DNSSEC",
  ];
  for (const i of many) {
    zones[`s${i}.test`] = ["TXT v=spf1 mx -all", ...many.slice(1).map((k) => `MX 10 m${i}-${k}.test`)];
    for (const k of many) zones[`m${i}-${k}.test`] = ["A 192.0.2.1"];
  }
}

it("records beside one that takes all questions are looked at again, whenever their checks come", async () => {
  const zones = zonesOfMany();
  await using server = await startDnsServer(zones);
  const { simulation, counted } = await simulationWithReport(server.url);
  const run = async (hours: number): Promise<void> => {
    await runDomainChecks(simulation.invocation());
    simulation.clock.nowMilliseconds += hours * 3_600_000;
  };
  for (let hour = 0; hour < 24; hour++) await run(1);
  addLargeSpf(zones);
  const names = ["_dmarc.acme.example", "_mta-sts.acme.example", "default._bimi.acme.example"];
  for (const name of names) zones[name] = (zones[name] ?? []).map((text) => text.replace(/^TXT v=(\S+)/, "TXT v=$1 "));
  const tlsa = [1, 2, 3].map((i) => `_25._tcp.mx${i}.acme.example`);
  for (const name of tlsa) zones[name] = [`TLSA 3 1 1 ${"cd".repeat(32)}`, "DNSSEC"];
  // Two accounts have the domain, and a run checks it for one of them: for each every 56 hours, a multiple of the seven checks.
  for (let i = 0; i < 20; i++) await run(28);
  for (const account of ["acme", "other"]) {
    const changes = await ask(counted.ledger, recordChangesQuery("acme.example", [account], 1000));
    const found = new Set(changes.map(({ name }) => name));
    for (const name of [...names, ...tlsa]) expect(found, account).toContain(name);
  }
});

it("a check that takes more questions than there are does not stay as it was found earlier", async () => {
  const zones = zonesOfMany();
  await using server = await startDnsServer(zones);
  const { simulation, counted } = await simulationWithReport(server.url);
  const statesOfSpf = async (): Promise<string[]> => {
    for (let hour = 0; hour < 8 * 24; hour++) {
      await runDomainChecks(simulation.invocation());
      simulation.clock.nowMilliseconds += 3_600_000;
    }
    const kept = await ask(counted.ledger, checksQuery("acme.example", ["acme", "other"]));
    return kept.flatMap(({ check }) => check.checks.filter(({ kind }) => kind === "spf").map(({ state }) => state));
  };
  expect(await statesOfSpf()).toEqual(["attention", "attention"]);
  addLargeSpf(zones);
  expect(await statesOfSpf()).toEqual(["broken", "broken"]);
});

it("a check that finds all records changed takes as few queries as one that finds none changed", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `s${i}.acme.example`);
  const zones: Zones = { "acme.example": [`TXT v=spf1 ${names.map((name) => `include:${name}`).join(" ")} -all`] };
  for (const name of names) zones[name] = ["TXT v=spf1 ip4:192.0.2.1 -all"];
  await using server = await startDnsServer(zones);
  const { simulation, counted } = await simulationWithReport(server.url);
  const nextDay = async (): Promise<number> => {
    simulation.clock.nowMilliseconds += 86_400_000;
    return await queriesOf(counted, () => runDomainChecks(simulation.invocation()));
  };
  await nextDay();
  const unchanged = await nextDay();
  for (const name of names) zones[name] = ["TXT v=spf1 ip4:192.0.2.2 -all"];
  expect(await nextDay()).toBeLessThanOrEqual(unchanged + 1);
  const { results } = await counted.ledger
    .prepare("SELECT name, before, after FROM record_changes ORDER BY name")
    .all();
  expect(results).toHaveLength(names.length);
  expect(results[0]).toEqual({
    name: "s0.acme.example",
    before: '["v=spf1 ip4:192.0.2.1 -all"]',
    after: '["v=spf1 ip4:192.0.2.2 -all"]',
  });
});

it("a set-up that no questions were left for stays as it was found", async () => {
  const simulation = registeredSimulation();
  simulation.dnsQuestions = dnsQuestions;
  const zones: Zones = {
    "_dmarc.acme.example": ["TXT v=DMARC1; p=none; rua=mailto:dmarc@acme.example"],
    "acme.example": [`TXT v=spf1 ${Array.from({ length: 10 }, (_, i) => `include:s${i}.test`).join(" ")} -all`],
    "_dmarc.new.example": ["TXT v=DMARC1; p=none; rua=mailto:dmarc@new.example"],
  };
  for (let i = 0; i < 10; i++) zones[`s${i}.test`] = ["TXT v=spf1 a -all"];
  await using server = await startDnsServer(zones);
  simulation.dnsUrl = server.url;
  await simulation.deliver(reportMail("one", records(3)));
  await simulation.drain();
  for (const domain of ["acme.example", "new.example"]) {
    const rua = `dmarc@${domain}`;
    await putRegistration(rua, { account: "acme", domains: [domain] }, simulation.invocation());
    await followAddress(rua, simulation.invocation());
  }
  const states: [string, unknown][] = [];
  for (let hour = 0; hour < 24; hour++) {
    server.asked.length = 0;
    await runDomainChecks(simulation.invocation());
    const [row] = simulation.rows<{ state: string }>(
      "SELECT state FROM registered_domains WHERE domain = 'new.example'",
    );
    states.push([server.asked.length === dnsQuestions ? "all asked" : "some asked", row?.state]);
    simulation.clock.nowMilliseconds += 3_600_000;
  }
  // Nothing was known at first.
  expect(states.slice(0, 2)).toEqual([
    ["all asked", "unknown"],
    ["some asked", "waiting"],
  ]);
  expect(states.slice(2)).toContainEqual(["all asked", "waiting"]);
  expect(states.slice(2).map(([, state]) => state)).not.toContain("unknown");
});

it.each([1, 2, 3, 20])("with %s databases every domain has its verdict within an hour", async (shards) => {
  const simulation = registeredSimulation({ shards });
  simulation.watchQueries = watchQueries;
  await simulation.deliver(reportMail("one", records(3)));
  await simulation.deliver(reportMail("two", records(3), "rua@other.example"));
  await simulation.drain();
  for (let minute = 0; minute < 60; minute++) {
    await runWatch(simulation.invocation());
    simulation.clock.nowMilliseconds += 60_000;
  }
  const judged = simulation.ledgers.flatMap(({ sqlite }) =>
    sqlite.prepare("SELECT account FROM domain_verdicts WHERE state <> ''").all(),
  );
  expect(judged.map(({ account }) => account).toSorted()).toEqual(["acme", "other"]);
});

it.each([1, 2, 3])(
  "with %s databases a round that a person asks for reaches each of them, one after the other",
  async (shards) => {
    const simulation = registeredSimulation({ shards });
    simulation.watchQueries = watchQueries;
    await simulation.deliver(reportMail("one", records(3)));
    await simulation.deliver(reportMail("two", records(3), "rua@other.example"));
    await simulation.drain();
    const answers: WantedWatchDone[] = [];
    let database: number | undefined;
    for (let i = 0; i < 10; i++) {
      const done = await watchWanted({ database }, simulation.invocation());
      answers.push(done);
      database = done.next ?? database;
      if (done.isDone && done.next === undefined) break;
    }
    expect(answers.reduce((sum, { computed }) => sum + computed, 0)).toBe(2);
    expect(answers.flatMap(({ next }) => next ?? [])).toEqual({ 1: [], 2: [1], 3: [1, 2] }[shards]);
  },
);

it("a file too large for the plan waits as a dead letter, and counts after an upgrade", async () => {
  const simulation = registeredSimulation();
  simulation.maxReportBytes = maxReportBytes;
  await simulation.deliver(reportMail("small", records(10)));
  await simulation.deliver(reportMail("large", records(2000)));
  await simulation.drain({ maxBatchSize });
  const filed = (await listDeadLetters({}, simulation.invocation())).items;
  expect(filed).toMatchObject([
    { code: "too_large_for_plan", message: expect.stringContaining(`the limit is ${maxReportBytes}`) },
  ]);
  simulation.maxReportBytes = 0;
  await requeueDeadLetters({ filter: { code: "too_large_for_plan" } }, simulation.invocation());
  await simulation.drain();
  expect((await listDeadLetters({}, simulation.invocation())).items).toEqual([]);
  expect(simulation.log.filter((line) => line.includes('"accepted"'))).toHaveLength(2);
});
