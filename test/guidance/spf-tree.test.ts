/** What a record says of an address, and of a network as a whole. */
import { expect, it } from "vitest";
import { matchOf, resolveSpf } from "../../shared/guidance/spf-tree.ts";

const BELOW: Record<string, string> = {
  "a.test": "v=spf1 ip4:192.0.2.0/24 -all",
  "part.test": "v=spf1 ip4:192.0.2.0/25 ~all",
};

it.each([
  ["v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.7", "+"],
  ["v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.0/24", "+"],
  ["v=spf1 ?ip4:192.0.2.0/24 -all", "192.0.2.0/28", "?"],
  ["v=spf1 ip4:192.0.2.0/24 ~all", "198.51.100.1", "~"],
  ["v=spf1 ip4:192.0.2.0/24", "198.51.100.1", "none"],
  ["v=SPF1 IP4:192.0.2.0/24 -ALL", "192.0.2.7", "+"],
  ["v=spf1 IP6:2001:DB8::/32 -all", "2001:db8::1", "+"],
  ["v=spf1 Include:A.test ?all", "192.0.2.7", "+"],
  // The first that matches decides.
  ["v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all", "192.0.2.7", "-"],
  ["v=spf1 -all ip4:192.0.2.0/24", "192.0.2.7", "-"],
  // Of a network: a part of it is let in, or taken out before.
  ["v=spf1 ip4:192.0.2.0/25 -all", "192.0.2.0/24", "some"],
  ["v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all", "192.0.2.0/24", "some"],
  // A record with a mistake is none.
  ["v=spf1 ip4:nowhere ip4:192.0.2.0/24 -all", "192.0.2.7", "some"],
  ["v=spf1 exp=why.test ip4:192.0.2.0/24 -all", "192.0.2.7", "+"],
  // What an include does not let in is for the terms after it.
  ["v=spf1 ~include:a.test ?all", "192.0.2.7", "~"],
  ["v=spf1 include:a.test ?all", "198.51.100.1", "?"],
  ["v=spf1 include:part.test ?all", "192.0.2.0/24", "some"],
  ["v=spf1 redirect=a.test", "192.0.2.7", "+"],
  ["v=spf1 redirect=a.test", "198.51.100.1", "-"],
  ["v=spf1 redirect=part.test", "192.0.2.0/24", "some"],
  ["v=spf1 redirect=a.test ?all", "198.51.100.1", "?"],
])("'%s' says of %s: %s", async (text, network, said) => {
  const records: Record<string, string> = { ...BELOW, "own.test": text };
  const { root } = await resolveSpf("own.test", async (name) => {
    const record = records[name];
    return record === undefined ? { status: "nxdomain" } : { status: "answers", records: [record] };
  });
  expect(matchOf(root, network)).toBe(said);
});
