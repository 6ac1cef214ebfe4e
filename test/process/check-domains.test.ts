/** Domains checked by cron and by a person, on the simulated platform with DNS over HTTPS. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SenderState } from "../../shared/authentication/sender-state.ts";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER } from "../../shared/dns/resolver.ts";
import { addressNamesQuery } from "../../shared/ledger/address-names.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { checksQuery, dueDomains, recordChangesQuery } from "../../shared/ledger/domain-checks.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { checkAndKeep, checkDueDomains, checkNow } from "../../workers/process/domains/check-domains.ts";
import { type Lookups, lookupsOf } from "../../workers/process/domains/lookups.ts";
import { type DnsServer, startDnsServer, type Zones } from "../support/dns-server.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { Simulation } from "../support/simulation/simulation.ts";

let server: DnsServer;
let zones: Zones;
let simulation: Simulation;
let lookups: Lookups;

beforeEach(async () => {
  zones = {
    "_dmarc.shop.test": ["TXT v=DMARC1; p=none; rua=mailto:rua@shop.test"],
    "shop.test": ["TXT v=spf1 include:mail.service.test -all"],
    "mail.service.test": ["TXT v=spf1 ip4:192.0.2.0/24 -all"],
    "s1._domainkey.shop.test": ["TXT v=DKIM1; p="],
    "_dmarc.other.test": ["TXT v=DMARC1; p=reject; rua=mailto:rua@other.test"],
  };
  server = await startDnsServer(zones);
  lookups = {
    resolver: httpsResolver(server.url, fetch),
    nameResolver: httpsResolver(server.url, fetch),
    fetchPolicy: async () => ({ problem: "the server answers 404", isUnanswered: false }),
  };
  simulation = new Simulation();
  simulation.register("rua@shop.test", { account: "acme", domains: ["shop.test"] });
  await reportAbout("shop.test");
  await reportAbout("other.test");
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

async function reportAbout(domain: string, selectors: readonly string[] = ["s1"]): Promise<void> {
  const { ledger, nowSeconds } = simulation.invocation();
  const records = selectors.map((selector, i) =>
    sampleRecord(domain, {
      count: 10 - i,
      dkimResults: [{ domain, selector, result: "pass", rawResult: "pass", humanResult: "" }],
    }),
  );
  const report = aggregateReport(domain, { day: Math.floor(nowSeconds / 86_400) - 1, records });
  const uid = domain.length.toString(16).padStart(32, "0");
  await commitSamples(ledger, [{ account: "acme", uid, report, records, receivedSeconds: nowSeconds }], { nowSeconds });
}

async function kept(domain: string) {
  const [found] = await ask(simulation.ledger, checksQuery(domain, ["acme"]));
  return found;
}

function later(hours: number): void {
  simulation.clock.nowMilliseconds += hours * 3_600_000;
}

it("domains with reports or a registration are checked once a day, with the selectors from reports", async () => {
  simulation.register("rua@quiet.test", { account: "acme", domains: ["quiet.test"] });
  expect(await checkDueDomains(simulation.invocation(), lookups)).toBe(3);
  const shop = await kept("shop.test");
  expect(shop?.check.policies).toEqual({ domain: "none", subdomain: "none", nonexistent: "none" });
  expect(shop?.check.keys).toMatchObject([{ selector: "s1", domain: "shop.test", keyType: "revoked" }]);
  expect(shop?.check.spfLookups).toBe(1);
  expect((await kept("other.test"))?.check.policies.domain).toBe("reject");
  expect((await kept("quiet.test"))?.check.checks[0]?.summary).toBe("No DMARC record");
  later(1);
  expect(await checkDueDomains(simulation.invocation(), lookups)).toBe(0);
  later(24);
  expect(await checkDueDomains(simulation.invocation(), lookups)).toBe(3);
});

it("selectors of all sources are checked, not only of the largest", async () => {
  await reportAbout("several.test", ["s1", "s2", "s3"]);
  await checkDueDomains(simulation.invocation(), lookups);
  const selectors = (await kept("several.test"))?.check.keys.map(({ selector }) => selector);
  expect(selectors?.sort()).toEqual(["s1", "s2", "s3"]);
});

it("names of senders without a verdict are looked up with a separate budget of questions", async () => {
  const { ledger, nowSeconds } = simulation.invocation();
  const own = sampleRecord("open.test", { count: 100, sourceIp: "192.0.2.1" });
  const failing = { count: 10, dkim: "fail", spf: "fail" } as const;
  const lone = sampleRecord("open.test", { ...failing, dkimResults: [], spfResults: [], sourceIp: "198.51.100.7" });
  const records = [own, lone];
  const report = aggregateReport("open.test", { day: Math.floor(nowSeconds / 86_400) - 1, records });
  const uid = "f".repeat(32);
  await commitSamples(ledger, [{ account: "acme", uid, report, records, receivedSeconds: nowSeconds }], { nowSeconds });
  zones["7.100.51.198.in-addr.arpa"] = ["PTR mail.open.test."];
  zones["mail.open.test"] = ["A 198.51.100.7"];
  const addresses = ["192.0.2.1", "198.51.100.7"];
  const name = { account: "acme", domain: "open.test" };
  // Where the plan has too few questions none are asked; the check is kept all the same.
  await checkAndKeep(name, simulation.invocation(), { ...lookups, nameResolver: NO_RESOLVER });
  expect(await ask(ledger, addressNamesQuery(addresses, nowSeconds))).toEqual([]);
  await checkAndKeep(name, simulation.invocation(), lookups);
  const names = await ask(ledger, addressNamesQuery(addresses, nowSeconds));
  expect(names.find(({ address }) => address === "198.51.100.7")?.host).toBe("mail.open.test");
  const { length } = server.asked;
  await checkAndKeep(name, simulation.invocation(), lookups);
  expect(server.asked.slice(length).filter((question) => question.includes("7.100.51.198"))).toEqual([]);
});

it("mail that counts has its names looked up before that of forged reports, however much they claim", async () => {
  const { ledger, nowSeconds } = simulation.invocation();
  const day = Math.floor(nowSeconds / 86_400) - 1;
  const stranger: Partial<AggregateRecord> = { dkim: "fail", spf: "fail", dkimResults: [], spfResults: [] };
  const addNew = async (uid: string, records: AggregateRecord[], senderState: SenderState) => {
    const report = aggregateReport("forged.test", { day, records, reporter: senderState });
    const sender = { state: senderState, domain: "receiver.test" };
    const sample = { account: "acme", uid, report, records, receivedSeconds: nowSeconds, sender };
    await commitSamples(ledger, [sample], { nowSeconds });
  };
  const own = sampleRecord("forged.test", { count: 100, sourceIp: "192.0.2.1" });
  const lone = sampleRecord("forged.test", { ...stranger, count: 10, sourceIp: "198.51.100.7" });
  await addNew("a".repeat(32), [own, lone], "verified");
  const claimed = Array.from({ length: GUIDANCE_LIMITS.namedPerCheck + 5 }, (_, index) =>
    sampleRecord("forged.test", { ...stranger, count: 40 - index, sourceIp: `203.0.${index}.9` }),
  );
  await addNew("b".repeat(32), claimed, "unverified");
  await checkAndKeep({ account: "acme", domain: "forged.test" }, simulation.invocation(), lookups);
  const reverse = server.asked.filter((question) => question.includes("in-addr.arpa"));
  expect(reverse.some((question) => question.includes("7.100.51.198"))).toBe(true);
  // What is left of the look-ups serves the page that shows all mail.
  expect(reverse.some((question) => question.includes("203.in-addr"))).toBe(true);
});

it("names use only a part of a run's questions, and none if there are few", () => {
  const { env } = simulation.invocation();
  const resolverOf = (url: string, questions: number) =>
    lookupsOf({ ...env, DNS_OVER_HTTPS_URL: url, DNS_QUESTIONS_PER_RUN: questions }).nameResolver;
  expect(resolverOf("https://dns.test/query", 6000)).not.toBe(NO_RESOLVER);
  expect(resolverOf("https://dns.test/query", 30)).toBe(NO_RESOLVER);
  expect(resolverOf("", 6000)).toBe(NO_RESOLVER);
});

it("changes are kept for the domain's own names only, and not if DNS did not answer", async () => {
  await checkDueDomains(simulation.invocation(), lookups);
  zones["_dmarc.shop.test"] = ["TXT v=DMARC1; p=quarantine; rua=mailto:rua@shop.test"];
  zones["mail.service.test"] = ["TXT v=spf1 ip4:198.51.100.0/24 -all"];
  zones["s1._domainkey.shop.test"] = ["SERVFAIL"];
  later(24);
  await checkDueDomains(simulation.invocation(), lookups);
  const changes = await ask(simulation.ledger, recordChangesQuery("shop.test", ["acme"], 10));
  expect(changes).toMatchObject([
    {
      name: "_dmarc.shop.test",
      type: "TXT",
      before: ["v=DMARC1; p=none; rua=mailto:rua@shop.test"],
      after: ["v=DMARC1; p=quarantine; rua=mailto:rua@shop.test"],
    },
  ]);
  expect(await ask(simulation.ledger, recordChangesQuery("shop.test", ["another"], 10))).toEqual([]);
});

it("the previous check is kept if DNS does not answer, and the others follow later", async () => {
  await checkDueDomains(simulation.invocation(), lookups);
  const before = await kept("shop.test");
  later(24);
  expect(await checkDueDomains(simulation.invocation(), { ...lookups, resolver: NO_RESOLVER })).toBe(0);
  expect(await kept("shop.test")).toEqual(before);
  const name = { account: "acme", domain: "shop.test" };
  expect(await checkAndKeep(name, simulation.invocation(), { ...lookups, resolver: NO_RESOLVER })).toBeUndefined();
});

it("the oldest checks come first, a limited number per run", async () => {
  const { ledger } = simulation.invocation();
  const many = Array.from({ length: GUIDANCE_LIMITS.checksPerRun + 5 }, (_, index) => ({
    sql: "INSERT INTO domain_checks (account, domain, checked_seconds, state, result) VALUES ('acme', ?, ?, 'unknown', '{}')",
    parameters: [`d${index}.test`, index + 1],
  }));
  await change(ledger, many);
  const due = await dueDomains(ledger, { beforeSeconds: 1e9, limit: 3 });
  expect(due.map(({ domain }) => domain)).toEqual(["d0.test", "d1.test", "d2.test"]);
});

it("selectors that only unproven mail names are looked up where no other mail names any, and never before others", async () => {
  const { ledger, nowSeconds } = simulation.invocation();
  const forge = async (domain: string, uid: string): Promise<void> => {
    const records = Array.from({ length: GUIDANCE_LIMITS.maxSelectors + 1 }, (_, i) =>
      sampleRecord(domain, {
        count: 1000,
        dkimResults: [{ domain, selector: `forged${i}`, result: "pass", rawResult: "pass", humanResult: "" }],
      }),
    );
    const report = aggregateReport(domain, { day: Math.floor(nowSeconds / 86_400), records, reporter: "Forger" });
    const sender = { state: "unverified", domain: "" } as const;
    const sample = { account: "acme", uid, report, records, receivedSeconds: nowSeconds, sender };
    await commitSamples(ledger, [sample], { nowSeconds });
  };
  await forge("shop.test", "e".repeat(32));
  await forge("alone.test", "d".repeat(32));
  await checkAndKeep({ account: "acme", domain: "shop.test" }, simulation.invocation(), lookups);
  expect((await kept("shop.test"))?.check.keys.map(({ selector }) => selector)).toEqual(["s1"]);
  await checkAndKeep({ account: "acme", domain: "alone.test" }, simulation.invocation(), lookups);
  expect((await kept("alone.test"))?.check.keys).toHaveLength(GUIDANCE_LIMITS.maxSelectors);
});

it("a domain that only unproven mail names is checked when a person asks, and from then on", async () => {
  const { ledger, nowSeconds } = simulation.invocation();
  const name = { account: "acme", domain: "named-by-strangers.test" };
  const records = [sampleRecord(name.domain, { count: 10 })];
  const report = aggregateReport(name.domain, { day: Math.floor(nowSeconds / 86_400) - 1, records });
  const sender = { state: "unverified", domain: "" } as const;
  const sample = { account: "acme", uid: "e".repeat(32), report, records, receivedSeconds: nowSeconds, sender };
  await commitSamples(ledger, [sample], { nowSeconds });
  expect(await checkDueDomains(simulation.invocation(), lookups)).toBe(2);
  expect(await kept(name.domain)).toBeUndefined();
  simulation.dnsUrl = server.url;
  expect(await checkNow(name, simulation.invocation())).toMatchObject({ ok: true });
  later(25);
  expect(await checkDueDomains(simulation.invocation(), lookups)).toBe(3);
});

it("a person can request a check of the account's domains only", async () => {
  const invocation = simulation.invocation();
  const refused = await checkNow({ account: "acme", domain: "stranger.test" }, invocation);
  expect(refused).toMatchObject({ ok: false, error: { code: "not_found" } });
  expect(server.asked).toEqual([]);
  // No resolver is set in the simulation.
  const unanswered = await checkNow({ account: "acme", domain: "shop.test" }, invocation);
  expect(unanswered).toMatchObject({ ok: false, error: { code: "dns_unavailable" } });
  expect(JSON.stringify(unanswered)).toContain("No DNS server is set");
  const silent = { ...invocation, env: { ...invocation.env, DNS_OVER_HTTPS_URL: "https://127.0.0.1:9/dns-query" } };
  expect(JSON.stringify(await checkNow({ account: "acme", domain: "shop.test" }, silent))).toContain(
    "DNS gave no answer. What was found before is kept",
  );
});
