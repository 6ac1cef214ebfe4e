/** Adding a domain on the simulated platform, from the record to publish to its first report. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER } from "../../shared/dns/resolver.ts";
import { addressesQuery } from "../../shared/ledger/addresses.ts";
import { ask } from "../../shared/ledger/database.ts";
import { addDomain, domainSetup, removeDomain } from "../../workers/process/add-domain.ts";
import type { OutsideWorld } from "../../workers/process/check-domains.ts";
import { type DnsServer, startDnsServer, type Zones } from "../support/dns-server.ts";
import { aggregateReport, sampleRecord, settleSamples } from "../support/ledger-fill.ts";
import { World } from "../support/simulation/world.ts";

let zones: Zones;
let server: DnsServer;
let outside: OutsideWorld;
let world: World;

beforeEach(async () => {
  zones = {};
  server = await startDnsServer(zones);
  outside = {
    resolver: httpsResolver(server.url, fetch),
    fetchPolicy: async () => ({ problem: "none", isUnanswered: false }),
  };
  world = new World();
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
  const added = await addDomain({ ...SHOP, domain }, world.invocation(), { randomBytes, outside });
  if (!added.ok) throw new Error(added.error.message);
  return added.value;
}

async function state(): Promise<string> {
  const found = await domainSetup(SHOP, world.invocation(), outside);
  return found.ok ? found.value.state : found.error.code;
}

it("goes from no record to the first report", async () => {
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
  const { ledger, nowSeconds } = world.invocation();
  const cards = [sampleRecord("shop.test", { count: 3 })];
  const report = aggregateReport("shop.test", { day: Math.floor(nowSeconds / 86_400) - 1, records: cards });
  const sample = { account: "acme", uid: "1".repeat(32), report, records: cards, receivedSeconds: nowSeconds };
  await settleSamples(ledger, [sample], { nowSeconds });
  expect(await state()).toBe("receiving");
});

it("makes another address for another account and another domain, none of which can be guessed from the other", async () => {
  const first = await add();
  const second = await add("other.test");
  const third = await addDomain({ account: "beta", domain: "shop.test" }, world.invocation(), { randomBytes, outside });
  const ruas = [first.rua, second.rua, third.ok ? third.value.rua : ""];
  expect(new Set(ruas).size).toBe(3);
  const registered = await ask(world.ledger, addressesQuery());
  expect(registered.map(({ rua, entry }) => [rua, entry.account, entry.domains])).toEqual(
    expect.arrayContaining([
      [first.rua, "acme", ["shop.test"]],
      [second.rua, "acme", ["other.test"]],
    ]),
  );
});

it("adds without DNS, and says that nothing is known", async () => {
  const nobody = { ...outside, resolver: NO_RESOLVER };
  const added = await addDomain(SHOP, world.invocation(), { randomBytes, outside: nobody });
  expect(added).toMatchObject({ ok: true, value: { state: "unknown", isNew: true } });
});

it("refuses what is no domain name, and what was never added", async () => {
  const refused = await addDomain({ ...SHOP, domain: "not a name" }, world.invocation(), { randomBytes, outside });
  expect(refused).toMatchObject({ ok: false, error: { code: "bad_request" } });
  expect(await state()).toBe("not_found");
  expect(await removeDomain(SHOP, world.invocation())).toMatchObject({ ok: false, error: { code: "not_found" } });
});

it("removes the address, and makes a new one when the domain is added again", async () => {
  const { rua } = await add();
  expect(await removeDomain(SHOP, world.invocation())).toEqual({ ok: true, value: { rua } });
  expect((await add()).rua).not.toBe(rua);
});

it("makes sub-addresses of one address where that is what is routed", async () => {
  world.ruaHost = "dmarc@rua.sim.example";
  const { rua, records } = await add();
  expect(rua).toMatch(/^dmarc\+[a-z2-9]{16}@rua\.sim\.example$/);
  expect(records[0]?.value).toContain(`rua=mailto:${rua}`);
});
