/** Several SPF records at a name: the one to publish in their place, what is said about it, and where none is given. */

import { describe, expect, it } from "vitest";
import type { Resolver } from "../../shared/dns/resolver.ts";
import { checkSpf } from "../../shared/guidance/spf-check.ts";
import { readSpfTerms } from "../../shared/guidance/spf-record.ts";
import { matchOf, resolveSpf } from "../../shared/guidance/spf-tree.ts";
import fc from "../support/properties.ts";

const BELOW: Record<string, string[]> = {
  "a.test": ["v=spf1 ip4:192.0.2.0/24 -all"],
  "b.test": ["v=spf1 ip4:198.51.100.0/24 ~all"],
  "redirected.test": ["v=spf1 redirect=b.test"],
  "broken.test": ["v=spf1 ip4:nowhere -all"],
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`n${index}.test`, [`v=spf1 ip4:203.0.113.${index} -all`]]),
  ),
};

function resolverOf(own: string[]): Resolver {
  const zones: Record<string, string[]> = { ...BELOW, "several.test": own };
  return {
    async lookup(name, type) {
      if (name === "silent.test") return { status: "servfail" };
      const records = zones[name];
      if (records === undefined) return { status: "nxdomain" };
      return type === "TXT" ? { status: "answers", records } : { status: "nodata" };
    },
  };
}

async function merged(...own: string[]) {
  const { findings } = await checkSpf("several.test", resolverOf(own));
  const found = findings.find(({ code }) => code === "several_records");
  return { value: found?.publish?.value, sentence: found?.sentence ?? "" };
}

function includes(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `include:n${first + index}.test`).join(" ");
}

describe("several records", () => {
  it.each([
    [["v=spf1 include:a.test -all", "v=spf1 include:b.test -all"], "v=spf1 include:a.test include:b.test -all"],
    [["v=spf1 include:a.test ~all", "v=spf1 include:b.test ~all"], "v=spf1 include:a.test include:b.test ~all"],
    [["v=spf1 include:a.test -all", "v=spf1 include:b.test ~all"], "v=spf1 include:a.test include:b.test ~all"],
    [["v=spf1 -all", "v=spf1 include:a.test -all"], "v=spf1 include:a.test -all"],
    [["v=spf1 include:a.test -all", "v=spf1 include:A.test. +all"], "v=spf1 include:a.test ~all"],
    [["v=spf1 +all", "v=spf1 ip4:192.0.2.1 +all"], "v=spf1 ip4:192.0.2.1 ~all"],
    [["v=spf1 ip4:192.0.2.1", "v=spf1 ip4:192.0.2.2"], "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ~all"],
    // What one of them mistypes is in it as it was meant.
    [["v=spf1 include:a.test -all", "v=spf1 inlcude:b.test -all"], "v=spf1 include:a.test include:b.test -all"],
    [["v=spf1 ~ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1 -all"], "v=spf1 ip4:192.0.2.1 -all"],
    [["v=spf1 redirect=b.test", "v=spf1 redirect=b.test"], "v=spf1 redirect=b.test"],
    [["v=spf1 ip4:192.0.2.1 redirect=b.test", "v=spf1 redirect=B.TEST"], "v=spf1 ip4:192.0.2.1 redirect=b.test"],
    [["v=spf1 redirect=a.test", "v=spf1 ip4:203.0.113.1 -all"], "v=spf1 include:a.test ip4:203.0.113.1 -all"],
    [["v=spf1 redirect=b.test", "v=spf1 ip4:203.0.113.1 -all"], "v=spf1 include:b.test ip4:203.0.113.1 ~all"],
    [["v=spf1 redirect=b.test -all", "v=spf1 ip4:203.0.113.1 -all"], "v=spf1 ip4:203.0.113.1 -all"],
    [["v=spf1 exp=why.a.test -all", "v=spf1 exp=why.b.test ra=x mx -all"], "v=spf1 mx exp=why.a.test ra=x -all"],
    [[`v=spf1 ${includes(0, 5)} -all`, `v=spf1 ${includes(5, 5)} -all`], `v=spf1 ${includes(0, 10)} -all`],
    [[`v=spf1 ${includes(0, 8)} -all`, `v=spf1 ${includes(0, 8)} -all`], `v=spf1 ${includes(0, 8)} -all`],
    [["v=spf1 -all", "v=spf1 -all", "v=spf1 -all"], "v=spf1 -all"],
  ])("%j become %s", async (own, value) => {
    const { value: proposed, sentence } = await merged(...own);
    expect(proposed).toBe(value);
    expect(sentence).toContain(`Publish this one in place of all ${own.length}`);
    const { findings, tree } = await checkSpf("several.test", resolverOf([value]));
    expect(findings.filter(({ state }) => state === "broken")).toEqual([]);
    expect(sentence).toContain(`It needs ${tree.lookups} of the 10 lookups allowed.`);
  });

  it("say which end is the stricter, where they do not agree", async () => {
    const said = async (...own: string[]) => (await merged(...own)).sentence;
    expect(await said("v=spf1 -all", "v=spf1 mx ~all")).toContain(
      "They end differently (-all, ~all): this one ends in ~all",
    );
    expect(await said("v=spf1 -all", "v=spf1 mx ~all")).toContain("Write -all, the stricter end, once");
    expect(await said("v=spf1 mx ?all", "v=spf1 a ?all")).toContain("It ends in ~all: ?all says nothing about other");
    expect(await said("v=spf1 mx -all", "v=spf1 a -all")).not.toContain("all:");
  });

  it("leave out what no receiver can use, and say so", async () => {
    const { value, sentence } = await merged(
      "v=spf1 ip4:192.0.2.1 include:gone.test -all ip4:192.0.2.9",
      "v=spf1 ip4:300.1.1.1 -all",
    );
    expect(value).toBe("v=spf1 ip4:192.0.2.1 -all");
    expect(sentence).toContain("Left out: include:gone.test (it leads to a name without an SPF record)");
    expect(sentence).toContain("ip4:192.0.2.9 (it stands behind all, where nobody reads it)");
    expect(sentence).toContain("ip4:300.1.1.1 (not an IPv4 address)");
  });

  it.each([
    ["eleven lookups", [`v=spf1 ${includes(0, 6)} -all`, `v=spf1 ${includes(6, 5)} -all`], "needs 11 lookups with all"],
    [
      "three that find nothing",
      ["v=spf1 a:x.test a:y.test -all", "v=spf1 a:z.test -all"],
      "there are 3, and receivers",
    ],
    ["no answer", ["v=spf1 include:silent.test -all", "v=spf1 -all"], "no answer for include:silent.test"],
    ["a broken record below", ["v=spf1 include:broken.test -all", "v=spf1 -all"], "without ip4:nowhere"],
    ["a loop", ["v=spf1 include:several.test -all", "v=spf1 -all"], "without include:several.test"],
  ])("with %s are given no record", async (_, own, words) => {
    const { value, sentence } = await merged(...own);
    expect(value).toBeUndefined();
    expect(sentence).toContain(words);
  });

  it("of any terms let in whom one of them lets in, and nobody else", async () => {
    const term = fc.constantFrom(
      "ip4:192.0.2.0/25",
      "ip4:192.0.2.1",
      "?ip4:198.51.100.0/24",
      "include:a.test",
      "include:redirected.test",
      "include:n3.test",
      "~include:b.test",
    );
    const end = fc.constantFrom("-all", "~all", "?all", "redirect=a.test", "redirect=redirected.test", "");
    const record = fc
      .tuple(fc.uniqueArray(term, { maxLength: 3 }), end)
      .map(([terms, last]) => ["v=spf1", ...terms, last].filter((part) => part !== "").join(" "));
    const addresses = ["192.0.2.1", "192.0.2.200", "198.51.100.7", "203.0.113.3", "203.0.113.99"];
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 2, maxLength: 3 }), async (own) => {
        const { value = "" } = await merged(...own);
        expect(readSpfTerms(value).every(({ kind }) => kind !== "broken")).toBe(true);
        const matches = async (text: string, address: string) =>
          matchOf(
            (await resolveSpf("several.test", (name, type) => resolverOf([text]).lookup(name, type))).root,
            address,
          );
        // Two records that each take something out of their own networks may take it out of the other's.
        fc.pre(own.filter((text) => /[?~-](ip4|include)\S+ (?!\S+all)/.test(text)).length < 2);
        for (const address of addresses) {
          const said = await Promise.all(own.map((text) => matches(text, address)));
          expect((await matches(value, address)) === "+", `${value} of ${address}`).toBe(said.includes("+"));
        }
      }),
      { numRuns: 200 },
    );
  });
});
