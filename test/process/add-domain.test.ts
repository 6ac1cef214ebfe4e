/** Adding a domain on the simulated platform, from the record to publish to its first report. */
import * as v from "valibot";
import { afterEach, beforeEach, expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER } from "../../shared/dns/resolver.ts";
import { addressesQuery, removeAddress } from "../../shared/ledger/addresses.ts";
import { ask, change, query } from "../../shared/ledger/database.ts";
import { putRegisteredDomains } from "../../shared/ledger/registered-domains.ts";
import { SETUP_LIMITS } from "../../shared/limits.ts";
import { checkDueSetups } from "../../workers/process/domains/domain-setup.ts";
import { followAddress, followWholeRegistry } from "../../workers/process/domains/follow-registry.ts";
import type { Lookups } from "../../workers/process/domains/lookups.ts";
import { addRegistration, putRegistration } from "../../workers/process/domains/registrations.ts";
import { addDomain, addDomains, domainSetup, removeDomain } from "../../workers/process/operations/add-domain.ts";
import { type DnsServer, startDnsServer, type Zones } from "../support/dns-server.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { Simulation } from "../support/simulation/simulation.ts";

let zones: Zones;
let server: DnsServer;
let lookups: Lookups;
let simulation: Simulation;

beforeEach(async () => {
  zones = {};
  server = await startDnsServer(zones);
  lookups = {
    resolver: httpsResolver(server.url, fetch),
    nameResolver: httpsResolver(server.url, fetch),
    fetchPolicy: async () => ({ problem: "none", isUnanswered: false }),
  };
  simulation = new Simulation();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

let seed = 1;
function randomBytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => (seed = (seed * 137 + 41) % 256));
}

const SHOP = { account: "acme", domain: "shop.test" };

async function add(domain: string = SHOP.domain) {
  const added = await addDomain({ ...SHOP, domain }, simulation.invocation(), { randomBytes, lookups });
  if (!added.ok) throw new Error(added.error.message);
  return added.value;
}

async function state(): Promise<string> {
  const found = await domainSetup(SHOP, simulation.invocation(), lookups);
  return found.ok ? found.value.state : found.error.code;
}

/** The list of registered domains, with how far each is. */
async function listed(): Promise<[string, string, string][]> {
  const found = await ask(
    simulation.ledger,
    query(
      "SELECT domain, rua, state FROM registered_domains ORDER BY domain",
      [],
      v.object({ domain: v.string(), rua: v.string(), state: v.string() }),
    ),
  );
  return found.map(({ domain, rua, state }) => [domain, rua, state]);
}

it("a new domain goes from no record to its first report", async () => {
  const { rua, records, isNew, state: first } = await add();
  expect(rua).toMatch(/^[a-z2-9]{16}@rua\.sim\.example$/);
  expect({ isNew, first }).toEqual({ isNew: true, first: "recordNotFound" });
  expect(records.map(({ name }) => name)).toEqual([
    "_dmarc.shop.test",
    "shop.test._report._dmarc.rua.sim.example",
    "_smtp._tls.shop.test",
  ]);
  zones["_dmarc.shop.test"] = ["TXT v=DMARC1; p=none; rua=mailto:somebody@shop.test"];
  expect(await state()).toBe("wrongAddress");
  const again = await add("https://Shop.test/");
  expect(again).toMatchObject({ rua, isNew: false });
  expect(again.records[0]?.value).toBe(`v=DMARC1; p=none; rua=mailto:somebody@shop.test,mailto:${rua}`);
  zones["_dmarc.shop.test"] = [`TXT ${again.records[0]?.value}`];
  expect(await state()).toBe("notPermitted");
  zones["shop.test._report._dmarc.rua.sim.example"] = ["SERVFAIL"];
  expect(await state()).toBe("unknown");
  zones["shop.test._report._dmarc.rua.sim.example"] = ["TXT v=DMARC1;"];
  expect(await state()).toBe("waiting");
  const { ledger, nowSeconds } = simulation.invocation();
  const cards = [sampleRecord("shop.test", { count: 3 })];
  const report = aggregateReport("shop.test", { day: Math.floor(nowSeconds / 86_400) - 1, records: cards });
  const sample = { account: "acme", uid: "1".repeat(32), report, records: cards, receivedSeconds: nowSeconds };
  await commitSamples(ledger, [sample], { nowSeconds });
  expect(await listed()).toEqual([["shop.test", rua, "waiting"]]);
  expect(await state()).toBe("receiving");
  expect(await listed()).toEqual([["shop.test", rua, "receiving"]]);
});

it("a domain is given p=reject only where neither keys nor reports suggest that it sends mail", async () => {
  zones["parked.test"] = ["TXT v=spf1 -all"];
  zones["signing.test"] = ["TXT v=spf1 -all"];
  zones["s1._domainkey.signing.test"] = ["TXT v=DKIM1; k=ed25519; p=AAAA"];
  zones["revoked.test"] = ["MX 0 ."];
  zones["*._domainkey.revoked.test"] = ["TXT v=DKIM1; p="];
  zones["wildcard.test"] = ["TXT v=spf1 -all"];
  zones["*._domainkey.wildcard.test"] = ["CNAME keys.service.test"];
  zones["keys.service.test"] = ["TXT v=DKIM1; k=ed25519; p=AAAA"];
  // A server that never says that a name does not exist.
  zones["signed.test"] = ["TXT v=spf1 -all"];
  zones["*.signed.test"] = ["A 192.0.2.1"];
  zones["slow.test"] = ["TXT v=spf1 -all"];
  zones["_domainkey.slow.test"] = ["SERVFAIL"];
  const policies: Record<string, string | undefined> = {};
  for (const domain of Object.keys(zones).filter((name) => /^[a-z]+\.test$/.test(name))) {
    policies[domain] = /p=(\w+)/.exec((await add(domain)).records[0]?.value ?? "")?.[1];
  }
  expect(policies).toEqual({
    "parked.test": "reject",
    "signing.test": "none",
    "revoked.test": "reject",
    "wildcard.test": "none",
    "signed.test": "reject",
    "slow.test": "none",
  });
  const { ledger, nowSeconds } = simulation.invocation();
  const cards = [sampleRecord("parked.test", { count: 3 })];
  const report = aggregateReport("parked.test", { day: Math.floor(nowSeconds / 86_400) - 1, records: cards });
  const sample = { account: "acme", uid: "1".repeat(32), report, records: cards, receivedSeconds: nowSeconds };
  await commitSamples(ledger, [sample], { nowSeconds });
  expect((await add("parked.test")).records[0]?.value).toMatch(/^v=DMARC1; p=none; /);
});

it("cron follows a set-up until the first report, then stops asking", async () => {
  const { rua, records } = await add();
  zones["_dmarc.shop.test"] = [`TXT ${records[0]?.value}`];
  zones["shop.test._report._dmarc.rua.sim.example"] = ["TXT v=DMARC1;"];
  expect(await checkDueSetups(simulation.invocation(), lookups)).toBe(0);
  simulation.clock.nowMilliseconds += 3_600_000;
  expect(await checkDueSetups(simulation.invocation(), lookups)).toBe(1);
  expect(await listed()).toEqual([["shop.test", rua, "waiting"]]);
  await change(simulation.ledger, [{ sql: "UPDATE registered_domains SET state = 'receiving'", parameters: [] }]);
  simulation.clock.nowMilliseconds += 3_600_000;
  expect(await checkDueSetups(simulation.invocation(), lookups)).toBe(0);
});

it("a list is added with a result per line, repeated domains once, and invalid lines left out", async () => {
  const { rua } = await add();
  const lines = ["one.test", "https://ONE.test/page", "shop.test", "not a name", "b\u00fccher.test"];
  const answer = await addDomains({ account: "acme", domains: lines }, simulation.invocation(), randomBytes);
  if (!answer.ok) throw new Error(answer.error.message);
  const { items } = answer.value;
  expect(items.map(({ typed, domain, isNew }) => [typed, domain, isNew])).toEqual([
    ["one.test", "one.test", true],
    // It is added once.
    ["https://ONE.test/page", "one.test", false],
    ["shop.test", "shop.test", false],
    ["not a name", undefined, undefined],
    ["b\u00fccher.test", "xn--bcher-kva.test", true],
  ]);
  expect(items[0]?.rua).toBe(items[1]?.rua);
  expect(items[2]?.rua).toBe(rua);
  expect(items[3]?.problem).toContain("not a domain name");
  expect((await listed()).map(([domain]) => domain)).toEqual(["one.test", "shop.test", "xn--bcher-kva.test"]);
  // Ingest knows them: from KV, or by asking D1.
  const found = await ask(simulation.ledger, addressesQuery());
  expect(found.find((one) => one.rua === items[4]?.rua)?.entry).toEqual({
    account: "acme",
    domains: ["xn--bcher-kva.test"],
  });
});

it("domains are added to an existing address and removed from it", async () => {
  const rua = "dmarc@shop.test";
  const own = (domain: string, account = "acme") =>
    addDomain({ account, domain, rua }, simulation.invocation(), { randomBytes, lookups });
  expect(await own("shop.test")).toMatchObject({ ok: true, value: { rua, isNew: true } });
  expect(await own("second.test")).toMatchObject({ ok: true, value: { rua, isNew: true } });
  expect(await own("second.test")).toMatchObject({ ok: true, value: { rua, isNew: false } });
  const accepted = async () => (await ask(simulation.ledger, addressesQuery()))[0]?.entry.domains;
  expect(await accepted()).toEqual(["second.test", "shop.test"]);
  expect(await own("third.test", "beta")).toMatchObject({ ok: false, error: { code: "already_exists" } });
  const remove = (domain: string) => removeDomain({ account: "acme", domain }, simulation.invocation());
  expect(await remove("second.test")).toEqual({ ok: true, value: { rua, isAddressRemoved: false } });
  expect(await accepted()).toEqual(["shop.test"]);
  expect(await remove("shop.test")).toEqual({ ok: true, value: { rua, isAddressRemoved: true } });
  expect(await ask(simulation.ledger, addressesQuery())).toEqual([]);
});

it("domains can use an address that accepts any, which stays when they are removed", async () => {
  const rua = "dmarc@any.test";
  await putRegistration(rua, { account: "acme" }, simulation.invocation());
  await addDomain({ account: "acme", domain: "shop.test", rua }, simulation.invocation(), { randomBytes, lookups });
  expect(await listed()).toEqual([["shop.test", rua, "recordNotFound"]]);
  await followWholeRegistry(simulation.invocation());
  expect(await listed()).toHaveLength(1);
  expect(await removeDomain(SHOP, simulation.invocation())).toMatchObject({ value: { isAddressRemoved: false } });
  expect(await ask(simulation.ledger, addressesQuery())).toEqual([{ rua, entry: { account: "acme" }, shard: 0 }]);
});

it("the answer says what to do when addresses cannot be made", async () => {
  const { env, ...others } = simulation.invocation();
  const without = { ...others, env: { ...env, RUA_HOST: "" } };
  const refused = await addDomain(SHOP, without, { randomBytes, lookups });
  expect(refused).toMatchObject({ ok: false, error: { code: "not_configured" } });
  expect(refused.ok ? "" : refused.error.message).toContain("your own address");
});

it("an account cannot have more domains than the limit", async () => {
  const full = Array.from({ length: SETUP_LIMITS.domainsOfAccount }, (_, i) => ({
    account: "acme",
    domain: `d${i}.test`,
    rua: "dmarc@any.test",
  }));
  await change(simulation.ledger, [putRegisteredDomains(full, 1)]);
  const refused = await addDomain(SHOP, simulation.invocation(), { randomBytes, lookups });
  expect(refused).toMatchObject({ ok: false, error: { code: "too_large" } });
  expect(
    await addDomain({ ...SHOP, account: "beta" }, simulation.invocation(), { randomBytes, lookups }),
  ).toMatchObject({
    ok: true,
  });
});

it("the list follows the domains that addresses name", async () => {
  const rua = "dmarc@own.test";
  const put = async (domains: string[], account = "acme") => {
    await putRegistration(rua, { account, domains }, simulation.invocation());
    await followAddress(rua, simulation.invocation());
  };
  await put(["a.test", "b.test"]);
  expect((await listed()).map(([domain]) => domain)).toEqual(["a.test", "b.test"]);
  await put(["b.test", "c.test"]);
  expect((await listed()).map(([domain]) => domain)).toEqual(["b.test", "c.test"]);
  await change(simulation.ledger, [{ sql: "DELETE FROM registered_domains", parameters: [] }]);
  await followWholeRegistry(simulation.invocation());
  expect(await listed()).toHaveLength(2);
  const place = { directory: simulation.ledger, copy: simulation.invocation().env.KV_DMARC_REPORTS };
  await removeAddress(rua, place, 1);
  await followWholeRegistry(simulation.invocation());
  expect(await listed()).toEqual([]);
});

it("registering an address again is refused and changes nothing", async () => {
  const rua = "dmarc@once.test";
  const add = (account: string) => addRegistration(rua, { account }, simulation.invocation());
  expect(await add("acme")).toMatchObject({ ok: true });
  expect(await add("beta")).toMatchObject({ ok: false, error: { code: "already_exists" } });
  expect((await ask(simulation.ledger, addressesQuery()))[0]?.entry.account).toBe("acme");
});

it("each account and domain gets its own address, which cannot be guessed from another", async () => {
  const first = await add();
  const second = await add("other.test");
  const third = await addDomain({ account: "beta", domain: "shop.test" }, simulation.invocation(), {
    randomBytes,
    lookups,
  });
  const ruas = [first.rua, second.rua, third.ok ? third.value.rua : ""];
  expect(new Set(ruas).size).toBe(3);
  const registered = await ask(simulation.ledger, addressesQuery());
  expect(registered.map(({ rua, entry }) => [rua, entry.account, entry.domains])).toEqual(
    expect.arrayContaining([
      [first.rua, "acme", ["shop.test"]],
      [second.rua, "acme", ["other.test"]],
    ]),
  );
});

it("adding without DNS works and says that nothing is known", async () => {
  const nobody = { ...lookups, resolver: NO_RESOLVER };
  const added = await addDomain(SHOP, simulation.invocation(), { randomBytes, lookups: nobody });
  expect(added).toMatchObject({ ok: true, value: { state: "unknown", isNew: true } });
});

it("an invalid or unknown domain is refused", async () => {
  const refused = await addDomain({ ...SHOP, domain: "not a name" }, simulation.invocation(), { randomBytes, lookups });
  expect(refused).toMatchObject({ ok: false, error: { code: "bad_request" } });
  expect(await state()).toBe("not_found");
  expect(await removeDomain(SHOP, simulation.invocation())).toMatchObject({ ok: false, error: { code: "not_found" } });
});

it("removing a domain removes its address, and adding it again makes a new one", async () => {
  const { rua } = await add();
  expect(await removeDomain(SHOP, simulation.invocation())).toEqual({
    ok: true,
    value: { rua, isAddressRemoved: true },
  });
  expect(await listed()).toEqual([]);
  expect((await add()).rua).not.toBe(rua);
});

it("what is published already is amended, also above, behind an alias and for TLS reports", async () => {
  zones["_dmarc.shop.test"] = ["CNAME shop.hosted.test"];
  zones["shop.hosted.test"] = ["TXT v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@shop.test"];
  zones["_smtp._tls.shop.test"] = ["TXT v=TLSRPTv1; rua=mailto:tls@shop.test"];
  const own = await add();
  expect(own.records[0]?.value).toBe(`v=DMARC1; p=reject; sp=quarantine; rua=mailto:a@shop.test,mailto:${own.rua}`);
  expect(own.records[0]?.sentence).toContain("is an alias (CNAME) of shop.hosted.test");
  expect(own.records.at(-1)?.value).toBe(`v=TLSRPTv1; rua=mailto:tls@shop.test,mailto:${own.rua}`);
  zones["mail.shop.test"] = ["A 192.0.2.1"];
  const below = await add("mail.shop.test");
  expect(below.records[0]?.value).toBe(`v=DMARC1; p=quarantine; rua=mailto:${below.rua}`);
  zones["_dmarc.typed.test"] = ["TXT v=DMARC1\\; p=reject"];
  const typed = await add("typed.test");
  expect(typed).toMatchObject({ state: "recordNotFound", sentence: expect.stringContaining("instead of ;") });
  expect(typed.records[0]?.value).toBe(`v=DMARC1; p=reject; rua=mailto:${typed.rua}`);
  zones["_dmarc.silent.test"] = ["SERVFAIL"];
  expect((await add("silent.test")).records[0]?.sentence).toContain("DNS gave no answer");
});

it("sub-addresses are made if one address is routed", async () => {
  simulation.ruaHost = "dmarc@rua.sim.example";
  const { rua, records } = await add();
  expect(rua).toMatch(/^dmarc\+[a-z2-9]{16}@rua\.sim\.example$/);
  expect(records[0]?.value).toContain(`rua=mailto:${rua}`);
});
