import { afterAll, beforeAll, expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER, type Resolver } from "../../shared/dns/resolver.ts";
import { nameAddress, reverseLabels } from "../../shared/guidance/address-name.ts";
import { addressNamesQuery } from "../../shared/ledger/address-names.ts";
import { ask } from "../../shared/ledger/database.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { nameAddresses } from "../../workers/process/name-addresses.ts";
import { type DnsServer, startDnsServer, type Zones } from "../support/dns-server.ts";
import { World } from "../support/simulation/world.ts";

const SIX = reverseLabels("2001:db8::25")?.text ?? "";

const ZONES: Zones = {
  "25.2.0.192.in-addr.arpa": ["PTR mail.service.test"],
  "mail.service.test": ["A 192.0.2.25", "AAAA 2001:db8::25"],
  "25.2.0.192.origin.asn.cymru.com": ["TXT 64500 | 192.0.2.0/24 | DE | ripencc | 2001-02-03"],
  "as64500.asn.cymru.com": ["TXT 64500 | DE | ripencc | 2001-02-03 | SERVICE - Service GmbH, DE"],
  [`${SIX}.ip6.arpa`]: ["PTR mail.service.test"],
  [`${SIX}.origin6.asn.cymru.com`]: ["TXT 64500 64501 | 2001:db8::/32 | DE | ripencc | 2001-02-03"],
  // It says that it is somebody else, who does not say so.
  "66.2.0.192.in-addr.arpa": ["PTR mail.service.test"],
  "77.2.0.192.in-addr.arpa": ["PTR lost.service.test"],
  "lost.service.test": ["SERVFAIL"],
  "88.2.0.192.origin.asn.cymru.com": ["SERVFAIL"],
  "99.2.0.192.origin.asn.cymru.com": ["TXT nonsense"],
};

let server: DnsServer;
let resolver: Resolver;

beforeAll(async () => {
  server = await startDnsServer(ZONES);
  resolver = httpsResolver(server.url, fetch);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const SERVICE = { asn: 64_500, holder: "SERVICE - Service GmbH", country: "DE" };
const NO_NETWORK = { asn: 0, holder: "", country: "" };

it.each([
  ["a name that leads back, and a network", "192.0.2.25", { host: "mail.service.test", ...SERVICE }],
  ["IPv6, announced by two networks", "2001:db8::25", { host: "mail.service.test", ...SERVICE }],
  ["a name that does not lead back is none", "192.0.2.66", { host: "", ...NO_NETWORK }],
  ["nothing known", "192.0.2.1", { host: "", ...NO_NETWORK }],
  ["an answer that makes no sense", "192.0.2.99", { host: "", ...NO_NETWORK }],
])("%s", async (_, address, expected) => {
  expect(await nameAddress(address, resolver)).toEqual({ address, ...expected });
});

it("is not guessed where a question was not answered, nor for what is no address", async () => {
  expect(await nameAddress("192.0.2.77", resolver)).toBeUndefined();
  expect(await nameAddress("192.0.2.88", resolver)).toBeUndefined();
  expect(await nameAddress("192.0.2.25", NO_RESOLVER)).toBeUndefined();
  expect(await nameAddress("unknown", resolver)).toBeUndefined();
  expect(await nameAddress("2001:db8:1", resolver)).toBeUndefined();
});

it("is asked once, kept, and bounded for one page", async () => {
  const world = new World();
  world.register("rua@acme.test", { account: "acme" });
  const addresses = ["192.0.2.25", "192.0.2.77", "2001:db8::25"];
  expect(await nameAddresses({ account: "acme", addresses }, world.invocation(), { resolver })).toBe(2);
  const { nowSeconds } = world.invocation();
  const kept = await ask(world.ledger, addressNamesQuery(addresses, nowSeconds));
  expect(kept.map(({ address }) => address).sort()).toEqual(["192.0.2.25", "2001:db8::25"]);
  const before = server.asked.length;
  expect(await nameAddresses({ account: "acme", addresses }, world.invocation(), { resolver })).toBe(0);
  expect(
    server.asked.slice(before).every((question) => question.includes("77.2.0.192") || question.includes("lost")),
  ).toBe(true);
  const later = nowSeconds + GUIDANCE_LIMITS.keptNameSeconds + 1;
  expect(await ask(world.ledger, addressNamesQuery(addresses, later))).toEqual([]);
  const many = Array.from({ length: 200 }, (_, index) => `198.51.100.${index}`);
  const named = await nameAddresses({ account: "acme", addresses: many }, world.invocation(), { resolver });
  expect(named).toBe(GUIDANCE_LIMITS.namedAtOnce);
});
