/** SPF before and after: what is proposed for a source, what it costs, when it is refused, and when SPF can't help. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER, type Resolver } from "../../shared/dns/resolver.ts";
import { serviceGuide } from "../../shared/guidance/known-services.ts";
import { addressTerms, networkHolds } from "../../shared/guidance/networks.ts";
import { adviseSpf, type SpfSender, withTerm } from "../../shared/guidance/spf-advice.ts";
import { readSpfTerms } from "../../shared/guidance/spf-record.ts";
import { quotedTxt } from "../../shared/guidance/txt-strings.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import fc from "../support/properties.ts";
import { spfZones } from "./zones.ts";

let server: DnsServer;
let resolver: Resolver;

beforeAll(async () => {
  server = await startDnsServer(spfZones());
  resolver = httpsResolver(server.url, fetch);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const ADDRESS: SpfSender = {
  name: "203.0.113.7",
  networks: ["203.0.113.7"],
  service: "",
  returnPaths: undefined,
  isForwarder: false,
};
const GOOGLE: SpfSender = { ...ADDRESS, name: "Google Workspace", networks: [], service: "Google Workspace" };

function advise(domain: string, sender: Partial<SpfSender> = {}, by: SpfSender = ADDRESS) {
  return adviseSpf(domain, { ...by, ...sender }, resolver);
}

describe("the new record", () => {
  it.each([
    ["none.add.test", "v=spf1 ip4:203.0.113.7 ~all", 0],
    ["one.add.test", "v=spf1 ip4:192.0.2.0/24 ip4:203.0.113.7 -all", 0],
    ["redirect.add.test", "v=spf1 ip4:203.0.113.7 redirect=one.add.test", 1],
    ["no-all.add.test", "v=spf1 ip4:192.0.2.1 ip4:203.0.113.7", 0],
    ["exp.add.test", "v=spf1 ip4:192.0.2.1 exp=%{ir}.why.add.test ip4:203.0.113.7", 0],
    ["exp-all.add.test", "v=spf1 exp=why.add.test ip4:192.0.2.1 ip4:203.0.113.7 -all", 0],
    ["macro.add.test", "v=spf1 exists:%{i}.allow.add.test include:%{d}.spf.vendor.test ip4:203.0.113.7 -all", 2],
    // What comes after all is never read.
    // A term with another sign would say something else of the address first.
    ["soft.add.test", "v=spf1 ip4:203.0.113.7 ~ip4:203.0.113.0/24 ?include:n1.spf.test -all", 1],
    ["refused-before.add.test", "v=spf1 ip4:203.0.113.7 -ip4:203.0.113.0/24 ip4:192.0.2.0/24 -all", 0],
    ["behind-all.add.test", "v=spf1 ip4:192.0.2.1 ip4:203.0.113.7 -all ip4:203.0.113.7", 0],
  ])("for %s has the address before the final term", async (domain, text, lookups) => {
    const advice = await advise(domain);
    expect(advice).toMatchObject({ code: "add", state: "good", term: "ip4:203.0.113.7", after: { text, lookups } });
    expect(advice.before?.lookups).toBe(lookups);
  });

  it("uses the include of a known service, although addresses would need no lookups", async () => {
    const advice = await advise("one.add.test", { networks: ["203.0.113.7"] }, GOOGLE);
    expect(advice).toMatchObject({
      code: "add",
      term: "include:_spf.google.com",
      before: { text: "v=spf1 ip4:192.0.2.0/24 -all", lookups: 0 },
      after: { text: "v=spf1 ip4:192.0.2.0/24 include:_spf.google.com -all", lookups: 2 },
      choices: [{ term: "include:_spf.google.com", lookups: 2, isUsable: true }],
    });
  });

  it("prefers terms without lookups to a and mx, but lists those too", async () => {
    const a = await advise("one.add.test", { networks: ["198.51.100.10"] });
    expect(a.choices).toEqual([
      { term: "ip4:198.51.100.10", lookups: 0, isUsable: true },
      { term: "a", lookups: 1, isUsable: true },
    ]);
    const mx = await advise("one.add.test", { networks: ["198.51.100.25", "2001:db8::25"] });
    expect(mx.choices.map(({ term }) => term)).toEqual(["ip4:198.51.100.25 ip6:2001:db8::25", "mx"]);
  });

  it("belongs to the domain of the return path, which inherits nothing", async () => {
    const advice = await advise("one.add.test", { returnPaths: ["other.test", "bounce.one.add.test"] });
    expect(advice).toMatchObject({
      domain: "bounce.one.add.test",
      after: { text: "v=spf1 include:one.add.test ip4:203.0.113.7 ~all", lookups: 1 },
    });
  });

  it("gets the term before all and redirect, in any form", () => {
    expect(withTerm("v=spf1 a -ALL", "mx")).toBe("v=spf1 a mx -ALL");
    expect(withTerm("v=spf1 all", "mx")).toBe("v=spf1 mx all");
    expect(withTerm("v=spf1  include:all.test ?all exp=x.test", "mx")).toBe(
      "v=spf1 include:all.test mx ?all exp=x.test",
    );
    expect(withTerm("v=spf1 REDIRECT=x.test", "mx")).toBe("v=spf1 mx REDIRECT=x.test");
  });
});

it("says how a record is published that is longer than a string, and warns where it no longer fits an answer", async () => {
  const short = await advise("one.add.test");
  expect(short.sentence).not.toContain("255");
  const long = await advise("long.add.test");
  expect(long.after?.text.length).toBeGreaterThan(255);
  expect(long.sentence).toContain("longer than 255 characters");
  expect(long.sentence).not.toContain("RFC 7208 section 3.4");
  const longer = await advise("longer.add.test");
  expect(longer.sentence).toContain(`${longer.after?.text.length} octets; beyond 450 some receivers`);
  const strings = quotedTxt(longer.after?.text ?? "").match(/"[^"]*"/g) ?? [];
  expect(strings.map((string) => string.length - 2)).toEqual([255, (longer.after?.text.length ?? 0) - 255]);
  expect(strings.map((string) => string.slice(1, -1)).join("")).toBe(longer.after?.text);
  expect(quotedTxt("v=spf1 -all")).toBe('"v=spf1 -all"');
});

describe("the lookups", () => {
  it.each([
    // seven and two are nine; nine and two are eleven.
    ["seven.add.test", "add", "attention", 9],
    ["nine.add.test", "tooManyLookups", "broken", 11],
    ["ten.add.test", "tooManyLookups", "broken", 12],
  ])("of %s after an include: %s", async (domain, code, state, lookups) => {
    const advice = await advise(domain, {}, GOOGLE);
    expect(advice).toMatchObject({ code, state, after: { lookups } });
    expect(advice.choices[0]?.isUsable).toBe(lookups <= GUIDANCE_LIMITS.maxSpfLookups);
  });

  it("cause a warning from eight on, even if the new term needs none", async () => {
    expect(await advise("ten.add.test")).toMatchObject({ code: "add", state: "attention", after: { lookups: 10 } });
    expect(await advise("seven.add.test")).toMatchObject({ code: "add", state: "good", after: { lookups: 7 } });
  });
});

describe("there is nothing to add", () => {
  it("if the record already covers the source", async () => {
    const advice = await advise("one.add.test", { networks: ["192.0.2.9", "192.0.2.128/25"] });
    expect(advice).toMatchObject({ code: "listed", state: "good" });
    expect(advice.after).toBeUndefined();
  });

  it("if the service is included, whatever its addresses are", async () => {
    for (const domain of ["google.add.test", "google-below.add.test", "google-redirect.add.test"]) {
      expect(await advise(domain, {}, GOOGLE), domain).toMatchObject({ code: "listed" });
      expect(await advise(domain, { networks: ["198.51.100.200"] }, GOOGLE), domain).toMatchObject({ code: "listed" });
    }
    expect((await advise("google-neutral.add.test", {}, GOOGLE)).code).toBe("add");
    expect((await advise("google-behind-all.add.test", {}, GOOGLE)).code).toBe("add");
  });

  it("unless it is covered only by a softfail or a neutral include", async () => {
    expect((await advise("soft.add.test")).code).toBe("add");
    expect((await advise("soft.add.test", { networks: ["192.0.2.1"] })).code).toBe("add");
    expect((await advise("one.add.test", { networks: ["192.0.2.9", "203.0.113.7"] })).code).toBe("add");
  });

  it.each([
    ["eleven.add.test", "brokenRecord"],
    ["three-void.add.test", "brokenRecord"],
    ["syntax.add.test", "brokenRecord"],
    ["several.add.test", "brokenRecord"],
    ["mistaken.add.test", "brokenRecord"],
    ["unanswered.add.test", "unknown"],
    ["below-unanswered.add.test", "unknown"],
  ])("for %s: %s", async (domain, code) => {
    const advice = await advise(domain);
    expect([advice.code, advice.after]).toEqual([code, undefined]);
  });

  it("if DNS does not answer, even only for the include", async () => {
    expect(await adviseSpf("one.add.test", ADDRESS, NO_RESOLVER)).toMatchObject({ code: "unknown", state: "unknown" });
    const fastmail = await advise("one.add.test", { service: "Fastmail" }, GOOGLE);
    expect(fastmail).toMatchObject({ code: "unknown", state: "unknown" });
  });

  it("says that a proposed network holds other addresses, too", async () => {
    const three = await advise("one.add.test", { networks: ["203.0.113.1", "203.0.113.2", "203.0.113.9"] });
    expect(three.sentence).toContain("203.0.113.0/28 also holds other addresses");
    const asked = await advise("one.add.test", { networks: ["203.0.113.0/28"] });
    expect(asked.sentence).not.toContain("other addresses");
  });

  it("if there are too many addresses to list", async () => {
    const networks = Array.from({ length: GUIDANCE_LIMITS.maxAddedSpfTerms + 1 }, (_, index) => `198.18.${index}.1`);
    expect((await advise("one.add.test", { networks })).code).toBe("tooManyAddresses");
    expect((await advise("one.add.test", { networks: networks.slice(1) })).code).toBe("add");
    expect((await advise("one.add.test", { networks: [] })).code).toBe("tooManyAddresses");
  });
});

describe("of any record", () => {
  const ADDRESSES = [
    "192.0.2.1",
    "192.0.2.3",
    "192.0.2.77",
    "203.0.113.7",
    "203.0.113.8",
    "198.51.100.25",
    "2001:db8::25",
  ];
  const sign = fc.constantFrom("", "", "", "+", "-", "~", "?");
  const terms = fc.array(
    fc
      .tuple(
        sign,
        fc.constantFrom(
          "ip4:192.0.2.0/24",
          "ip4:203.0.113.0/28",
          "ip4:203.0.113.7",
          "ip6:2001:db8::/64",
          "include:n1.spf.test",
          "include:n3.spf.test",
          "include:inner.property.test",
          "include:soft.property.test",
          "include:open.property.test",
          "a:mx.add.test",
          "mx:one.add.test",
          "exists:%{i}.x.property.test",
        ),
      )
      .map(([before, term]) => `${before}${term}`),
    { maxLength: 6 },
  );
  const end = fc.constantFrom(
    "",
    "-all",
    "~all",
    "?all",
    "+all",
    "redirect=good.spf.test",
    "redirect=inner.property.test",
  );

  /** What a receiver finds: RFC 7208 section 4.6, written anew for the zones of these tests. */
  function verdictOf(text: string, address: string): { result: string; lookups: number } {
    let result = "neutral";
    let lookups = 0;
    let isDecided = false;
    const parts = text.split(" ").slice(1);
    const hasAll = parts.some((part) => /^[+?~-]?all$/.test(part));
    for (const part of parts) {
      const [, qualifier = "", rest = ""] = /^([+?~-]?)(.*)$/.exec(part) ?? [];
      const [name = "", value = ""] = rest.split(/[:=](.*)/s);
      if (name === "redirect" && hasAll) continue;
      const below = name === "include" || name === "redirect" ? verdictOf(recordAt(value), address) : undefined;
      lookups += name === "ip4" || name === "ip6" || name === "all" ? 0 : 1 + (below?.lookups ?? 0);
      const isMatch =
        name === "all" ||
        (name === "include" && below?.result === "+") ||
        ((name === "ip4" || name === "ip6") && networkHolds(rest.slice(4), address)) ||
        ((name === "a" || name === "mx") && ["198.51.100.25", "2001:db8::25"].includes(address));
      if (isDecided) continue;
      if (name === "redirect") result = below?.result ?? "none";
      else if (isMatch) result = qualifier === "" ? "+" : qualifier;
      isDecided = isMatch || name === "redirect";
    }
    return { result, lookups };
  }

  function recordAt(domain: string): string {
    return (spfZones()[domain] ?? []).find((record) => record.startsWith("TXT v=spf1"))?.slice(4) ?? "";
  }

  it("the new record passes the address asked about and nobody else, and its lookups are counted rightly", async () => {
    const zones = spfZones();
    await using changing = await startDnsServer(zones);
    const asking = httpsResolver(changing.url, fetch);
    let added = 0;
    await fc.assert(
      fc.asyncProperty(terms, end, fc.constantFrom(...ADDRESSES), async (list, last, address) => {
        const text = ["v=spf1", ...list, last].filter((part) => part !== "").join(" ");
        zones["of.property.test"] = [`TXT ${text}`];
        const advice = await adviseSpf("of.property.test", { ...ADDRESS, name: address, networks: [address] }, asking);
        const before = verdictOf(text, address);
        expect(advice.before).toEqual({ text, lookups: before.lookups });
        expect(advice.code === "listed").toBe(before.result === "+" && before.lookups <= 10);
        if (advice.code !== "add" || advice.after === undefined) return;
        added += 1;
        expect(verdictOf(advice.after.text, address)).toEqual({ result: "+", lookups: advice.after.lookups });
        for (const other of ADDRESSES.filter((one) => one !== address)) {
          if (advice.term === "a" || advice.term === "mx") continue;
          expect(verdictOf(advice.after.text, other).result).toBe(verdictOf(text, other).result);
        }
      }),
      { numRuns: 400 },
    );
    expect(added).toBeGreaterThan(50);
  });
});

describe("SPF can't help", () => {
  it("if the service uses its own return path, and name it", async () => {
    const advice = await advise("one.add.test", { name: "helpdesk.test", returnPaths: ["bounce.helpdesk.test"] });
    expect(advice.code).toBe("otherReturnPath");
    expect(advice.sentence).toContain("uses bounce.helpdesk.test as its return path");
    const known = await advise("one.add.test", { service: "Mailchimp", name: "Mailchimp" }, GOOGLE);
    expect(known.code).toBe("otherReturnPath");
  });

  it("if mail is forwarded", async () => {
    expect((await advise("one.add.test", { isForwarder: true })).code).toBe("forwarder");
  });
});

describe("SPF networks", () => {
  it("contain addresses and narrower networks of the same family", () => {
    expect(networkHolds("192.0.2.0/24", "192.0.2.255")).toBe(true);
    expect(networkHolds("192.0.2.0/25", "192.0.2.128")).toBe(false);
    expect(networkHolds("192.0.2.1", "192.0.2.0/24")).toBe(false);
    expect(networkHolds("2001:db8::/32", "2001:db8:1::1")).toBe(true);
    expect(networkHolds("0.0.0.0/0", "2001:db8::1")).toBe(false);
    expect(networkHolds("nonsense/24", "192.0.2.1")).toBe(false);
    expect(networkHolds("192.0.2.0/24", "192.0.2.999")).toBe(false);
    for (const length of ["", "x", "33", "-1", "1e1", " 8", "8/8"]) {
      expect(networkHolds(`192.0.2.0/${length}`, "192.0.2.1"), length).toBe(false);
    }
  });

  it("contain the addresses whose numbers begin with the same bits", () => {
    const family = fc.constantFrom(4, 16);
    const bytes = (size: number) =>
      fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 255)), { minLength: size, maxLength: size });
    const pair = family.chain((size) => fc.tuple(bytes(size), bytes(size), fc.nat(8 * size), fc.nat(size)));
    fc.assert(
      fc.property(pair, ([one, other, length, same]) => {
        const near = [...one.slice(0, same), ...other.slice(same)];
        const isSame =
          numberOf(one) >> BigInt(8 * one.length - length) === numberOf(near) >> BigInt(8 * one.length - length);
        expect(networkHolds(`${addressOf(one)}/${length}`, addressOf(near))).toBe(isSame);
      }),
      { numRuns: 1000 },
    );
  });

  it("proposed for any addresses hold each of them", () => {
    const four = fc.tuple(fc.constantFrom("192.0.2", "192.0.3"), fc.nat(255)).map(([net, last]) => `${net}.${last}`);
    const six = fc.tuple(fc.nat(2), fc.nat(0xffff)).map(([net, last]) => `2001:db8:0:${net}::${last.toString(16)}`);
    const network = fc.integer({ min: 16, max: 32 }).map((length) => `192.0.2.0/${length}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(four, six, network), { maxLength: 12 }), (networks) => {
        const terms = addressTerms(networks);
        const held = networks.filter((one) => terms.some((term) => networkHolds(term.slice("ip4:".length), one)));
        expect(held).toEqual(networks);
        expect(readSpfTerms(["v=spf1", ...terms].join(" ")).every(({ kind }) => kind === "mechanism")).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("are listed for three or more adjacent addresses, never wider than needed or than /24 and /64", () => {
    expect(addressTerms(["192.0.2.1", "192.0.2.200", "198.51.100.1"])).toEqual([
      "ip4:192.0.2.1",
      "ip4:192.0.2.200",
      "ip4:198.51.100.1",
    ]);
    expect(addressTerms(["192.0.2.33", "192.0.2.34", "192.0.2.47", "192.0.2.33"])).toEqual(["ip4:192.0.2.32/28"]);
    expect(addressTerms(["192.0.2.1", "192.0.2.2", "192.0.2.200"])).toEqual(["ip4:192.0.2.0/24"]);
    expect(addressTerms(["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:9::3"])).toEqual([
      "ip6:2001:db8:0:1::/64",
    ]);
  });
});

it("guides of services are https pages, and their includes are domain names", () => {
  for (const name of ["Google Workspace", "Microsoft 365", "Mailchimp", "Zendesk", "Twilio SendGrid", "Amazon SES"]) {
    const guide = serviceGuide(name);
    expect(URL.parse(guide?.url ?? "")?.protocol, name).toBe("https:");
    expect(guide?.setting, name).toBeTruthy();
  }
  expect(serviceGuide("Nobody")).toBeUndefined();
  expect(serviceGuide("constructor")).toBeUndefined();
});

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** An address as it is written; IPv6 as the URL standard does it. */
function addressOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => numberOf(bytes.slice(2 * i, 2 * i + 2)).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
