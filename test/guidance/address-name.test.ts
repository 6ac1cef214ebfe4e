import { afterAll, beforeAll, expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER, type Resolver } from "../../shared/dns/resolver.ts";
import { nameAddress } from "../../shared/guidance/address-name.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { addressZones } from "./zones.ts";

let server: DnsServer;
let resolver: Resolver;

beforeAll(async () => {
  server = await startDnsServer(addressZones());
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

it("no name is guessed for an unanswered question or an invalid address", async () => {
  expect(await nameAddress("192.0.2.77", resolver)).toBeUndefined();
  expect(await nameAddress("192.0.2.88", resolver)).toBeUndefined();
  expect(await nameAddress("192.0.2.25", NO_RESOLVER)).toBeUndefined();
  expect(await nameAddress("unknown", resolver)).toBeUndefined();
  expect(await nameAddress("2001:db8:1", resolver)).toBeUndefined();
});
