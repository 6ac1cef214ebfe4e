/** Names of addresses on the simulated platform, with DNS over HTTPS. */
import { expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { addressNamesQuery } from "../../shared/ledger/address-names.ts";
import { ask } from "../../shared/ledger/database.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { nameAddresses } from "../../workers/process/domains/name-unknown.ts";
import { addressZones } from "../guidance/zones.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { Simulation } from "../support/simulation/simulation.ts";

it("names of addresses are asked once, kept, and limited per page", async () => {
  await using server = await startDnsServer(addressZones());
  const resolver = httpsResolver(server.url, fetch);
  const simulation = new Simulation();
  simulation.register("rua@acme.test", { account: "acme" });
  const addresses = ["192.0.2.25", "192.0.2.77", "2001:db8::25"];
  expect(await nameAddresses({ account: "acme", addresses }, simulation.invocation(), { resolver })).toBe(2);
  const { nowSeconds } = simulation.invocation();
  const kept = await ask(simulation.ledger, addressNamesQuery(addresses, nowSeconds));
  expect(kept.map(({ address }) => address).sort()).toEqual(["192.0.2.25", "2001:db8::25"]);
  const before = server.asked.length;
  expect(await nameAddresses({ account: "acme", addresses }, simulation.invocation(), { resolver })).toBe(0);
  expect(
    server.asked.slice(before).every((question) => question.includes("77.2.0.192") || question.includes("lost")),
  ).toBe(true);
  const later = nowSeconds + GUIDANCE_LIMITS.keptNameSeconds + 1;
  expect(await ask(simulation.ledger, addressNamesQuery(addresses, later))).toEqual([]);
  const many = Array.from({ length: 200 }, (_, index) => `198.51.100.${index}`);
  const named = await nameAddresses({ account: "acme", addresses: many }, simulation.invocation(), { resolver });
  expect(named).toBe(GUIDANCE_LIMITS.namedAtOnce);
});
