/** The checks of published records at domains in use: names, aliases, wildcards, signatures, changed keys, repairs of SPF. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import type { Resolver } from "../../shared/dns/resolver.ts";
import { checkDane } from "../../shared/guidance/dane-check.ts";
import { checkDkim } from "../../shared/guidance/dkim-check.ts";
import { checkDmarc } from "../../shared/guidance/dmarc-check.ts";
import { checkMtaSts } from "../../shared/guidance/mta-sts-check.ts";
import { setupState } from "../../shared/guidance/setup-state.ts";
import { checkSpf } from "../../shared/guidance/spf-check.ts";
import { checkTlsRpt } from "../../shared/guidance/tls-rpt-check.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { policiesOf, verdictOf } from "./check-line.ts";
import { LONG, livedInZones } from "./lived-in-zones.ts";
import { uglyZones } from "./ugly-zones.ts";
import { zoo } from "./zones.ts";

let server: DnsServer;
let resolver: Resolver;

beforeAll(async () => {
  server = await startDnsServer({ ...zoo(), ...uglyZones(), ...livedInZones() });
  resolver = httpsResolver(server.url, fetch);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function finding(check: Promise<{ findings: { code: string; sentence: string }[] }>, code: string) {
  return (await check).findings.find((one) => one.code === code);
}

describe("DMARC", () => {
  // Domain, what is said, and the policies of the domain, a subdomain and a name that does not exist.
  test.each([
    ["doubled.test", "broken record_at_wrong_name", "-"],
    ["bare-name.test", "broken record_at_wrong_name", "-"],
    ["doubled-beside.test", "good", "reject reject reject"],
    ["catch-text.test", "broken no_record", "-"],
    ["catch-alias.test", "broken no_record", "-"],
    ["np-wild.test", "attention np_without_effect", "quarantine quarantine quarantine"],
    ["np-same.test", "good", "reject reject reject"],
    ["x.whole-wild.test", "attention record_of_wildcard", "reject reject reject"],
    ["whole-wild.test", "attention wildcard_record", "reject reject reject"],
    ["several-wild.test", "attention wildcard_record", "reject reject reject"],
    ["beside-wildcard.test", "broken destination_refused", "reject reject reject"],
    ["by-wildcard.brand", "good", "reject reject reject"],
    [LONG, "broken destination_refused", "reject reject reject"],
    ["one-of-three.test", "broken many_addresses destination_refused", "reject reject reject"],
    ["sp-none.test", "attention weaker_below", "reject none none"],
    ["np-none.test", "attention weaker_below", "quarantine quarantine none"],
    ["sp-strict.test", "attention policy_none", "none reject reject"],
    ["old-tags.test", "good", "reject reject reject"],
    ["ri-word.test", "attention invalid_tag", "reject reject reject"],
    ["no-p.test", "broken policy_ignored", "none none none"],
    ["empty-p.test", "broken invalid_tag policy_ignored", "none none none"],
    ["no-p-sp.test", "broken policy_ignored", "none none none"],
    ["eleven-addresses.test", "attention policy_none many_addresses", "none none none"],
    ["control.test", "attention malformed_tag odd_character no_rua", "reject reject reject"],
    ["null-byte.test", "broken invalid_tag odd_character policy_ignored", "none none none"],
    ["empty-text.test", "broken no_record", "-"],
    ["four-thousand.test", "attention unknown_tag", "reject reject reject"],
    ["five-aliases.test", "good", "reject reject reject"],
    ["two-loop.test", "broken no_answer alias_loop", "-"],
    ["alias-left.test", "broken no_record", "-"],
    ["bogus.test", "broken no_answer dnssec_bogus", "-"],
    ["lame.test", "unknown no_answer", "-"],
    ["part-bogus.test", "broken destination_unknown dnssec_bogus", "reject reject reject"],
  ])("%s: %s, %s", async (domain, verdict, policies) => {
    const check = await checkDmarc(domain, resolver, "k7f3@rua.example");
    expect(verdictOf(check)).toBe(verdict);
    expect(policiesOf(check)).toBe(policies);
  });

  test("a record at a wrong name is given to be published at the right one, and the set-up says so", async () => {
    const check = await checkDmarc("doubled.test", resolver);
    const [first] = check.findings;
    expect(first).toMatchObject({
      publish: { name: "_dmarc.doubled.test", value: "v=DMARC1; p=reject; rua=mailto:x@doubled.test" },
    });
    expect(first?.sentence).toContain('your DNS service adds doubled.test by itself, so enter "_dmarc" as the name');
    expect(first?.sentence).toContain("Write p=none until the reports show");
    const { state, sentence } = setupState("x@doubled.test", check, false);
    expect([state, sentence]).toEqual(["recordNotFound", first?.sentence]);
  });

  test("an alias of nothing can't have a record beside it, and each check says so", async () => {
    const policy = async () => ({ text: "" });
    const said = [
      await finding(checkDmarc("alias-left.test", resolver), "no_record"),
      await finding(checkMtaSts("alias-left.test", resolver, policy), "no_record"),
      await finding(checkTlsRpt("alias-left.test", resolver), "no_record"),
    ];
    for (const one of said)
      expect(one?.sentence).toMatch(/ is an alias \(CNAME\) of \S+, where there is none: publish it/);
  });

  test("a permission that has no room is not given to be published", async () => {
    const check = await checkDmarc(LONG, resolver);
    const refused = check.findings.find(({ code }) => code === "destination_refused");
    expect(refused?.publish).toBeUndefined();
    expect(refused?.sentence).toContain("longer than DNS allows. Use an address in your own domain.");
    const setup = setupState("x@collector.test", check, false);
    expect(setup).toMatchObject({ state: "notPermitted", sentence: expect.stringContaining("longer than DNS allows") });
    expect(setup.missing).toBeUndefined();
  });

  test("a wildcard that may be the domain's own record is not to be removed first", async () => {
    const own = await finding(checkDmarc("whole-wild.test", resolver), "wildcard_record");
    expect(own?.sentence).toContain("First publish the same at _dmarc.whole-wild.test itself");
    const other = await finding(checkDmarc("several-wild.test", resolver), "wildcard_record");
    expect(other?.sentence).not.toContain("First publish");
  });

  test("p is proposed where it is simply missing, and not where another tag would come into force with it", async () => {
    const value = async (domain: string) =>
      (await checkDmarc(domain, resolver)).findings.flatMap(({ publish }) => publish?.value ?? []);
    expect(await value("no-p.test")).toEqual(["v=DMARC1; p=none; rua=mailto:x@no-p.test; adkim=s"]);
    expect(await value("no-p-sp.test")).toEqual([]);
    expect(await value("empty-p.test")).toEqual([]);
    expect(await value("control.test")).toEqual(["v=DMARC1; p=reject; rua=mailto:x@control.test"]);
  });
});

describe("SPF", () => {
  test.each([
    ["doubled-spf.test", "broken record_at_wrong_name", 0],
    // Another name's record is its own.
    ["_namesake.lived.test", "attention no_record", 0],
    ["alone.lived.test", "attention all_neutral", 0],
    ["bogus.lived.test", "broken no_answer dnssec_bogus", 0],
    ["below-bogus.lived.test", "broken no_answer dnssec_bogus", 1],
    ["three-redirects.lived.test", "good", 3],
    ["redirect-to-nothing-below.lived.test", "broken include_without_record", 2],
    ["seven-bits.lived.test", "attention wide_network", 0],
    ["eight-bits.lived.test", "good", 0],
    ["three-bits-six.lived.test", "attention wide_network", 0],
    ["no-space-all.lived.test", "broken include_without_record all_neutral", 1],
    ["no-space-four.lived.test", "broken syntax_error all_neutral", 0],
    ["no-space-macro.lived.test", "broken syntax_error all_neutral", 0],
    ["run-together.lived.test", "broken syntax_error", 0],
    ["control.lived.test", "broken syntax_error", 0],
    ["comma-between.lived.test", "broken syntax_error", 0],
    ["ipv4-word.lived.test", "broken syntax_error", 0],
    ["three-mistakes.lived.test", "broken syntax_error all_neutral", 0],
    ["repair-and-lost.lived.test", "broken ignored_modifier include_without_record", 1],
    ["twice-free.lived.test", "good", 0],
    ["twice-costly.lived.test", "attention many_lookups repeated_term", 8],
    ["mx-eleven-below.lived.test", "broken too_many_mx_hosts", 2],
    ["exp-missing.lived.test", "good", 0],
    ["ptr-below.lived.test", "attention ptr", 2],
    ["neutral-below.lived.test", "good", 1],
    ["two-all-below.lived.test", "good", 1],
    ["mixed-case.lived.test", "good", 3],
    ["three-records.lived.test", "broken several_records", 0],
    ["wild-spf.test", "attention no_record", 0],
  ])("%s: %s, %i lookups", async (domain, verdict, lookups) => {
    const check = await checkSpf(domain, resolver);
    expect(verdictOf(check)).toBe(verdict);
    expect(check.tree.lookups).toBe(lookups);
  });

  test.each([
    ["no-space-all.lived.test", "v=spf1 include:good.spf.test -all"],
    ["no-space-four.lived.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["no-space-macro.lived.test", "v=spf1 exists:%{i}.allow.spf.test ~all"],
    ["control.lived.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["comma-between.lived.test", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"],
    ["ipv4-word.lived.test", "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"],
    ["three-mistakes.lived.test", "v=spf1 ip4:192.0.2.1 include:good.spf.test ip4:198.51.100.1 -all"],
    ["typo.spf.test", "v=spf1 include:good.spf.test -all"],
    ["redirect-colon.spf.test", "v=spf1 redirect=good.spf.test"],
    ["equals.spf.test", "v=spf1 ip4:192.0.2.1 include:good.spf.test -all"],
    ["version-twice.spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["address-of-a.spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["ip6-as-ip4.spf.test", "v=spf1 ip6:2001:db8::1 -all"],
    ["dash.spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["ip-list.ugly-spf.test", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"],
    ["all-spaced.ugly-spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["no-break.ugly-spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["include-space.ugly-spf.test", "v=spf1 include:good.spf.test -all"],
    ["include-url.ugly-spf.test", "v=spf1 include:good.spf.test -all"],
    // What was meant is not known, or the record would be no better.
    ["run-together.lived.test", undefined],
    ["repair-and-lost.lived.test", undefined],
    ["ip-range.ugly-spf.test", undefined],
    ["ip-three.ugly-spf.test", undefined],
    ["include-at.ugly-spf.test", undefined],
    ["macro-unknown.spf.test", undefined],
  ])("%s is repaired: %s", async (domain, value) => {
    const { findings } = await checkSpf(domain, resolver);
    expect(findings.flatMap(({ publish }) => publish?.value ?? [])).toEqual(value === undefined ? [] : [value]);
  });
});

describe("DKIM", () => {
  const seen = (selector: string, lastSeenDay: number) => ({ selector, domain: "lived-dkim.test", lastSeenDay });

  test.each([
    ["a key that was changed and removed", [seen("new", 20), seen("left", 10)], "good"],
    ["one that was changed and revoked", [seen("new", 20), seen("emptied", 10)], "good"],
    ["one that still signed yesterday", [seen("new", 20), seen("left", 19)], "attention missing_key"],
    [
      "one whose successor has no key either",
      [seen("emptied", 20), seen("left", 10)],
      "attention revoked_key missing_key",
    ],
    ["one at a doubled name", [seen("key-doubled", 20)], "broken record_at_wrong_name"],
    ["one whose signatures do not validate", [seen("signed-badly", 20)], "broken no_answer dnssec_bogus"],
  ])("%s", async (_, selectors, verdict) => {
    expect(verdictOf(await checkDkim("lived-dkim.test", selectors, resolver))).toBe(verdict);
  });

  test("an alias of nothing is named with its target", async () => {
    const found = await finding(checkDkim("lived-dkim.test", [seen("left", 20)], resolver), "missing_key");
    expect(found?.sentence).toContain("is an alias (CNAME) of left.dkim.gone-vendor.test, which has no key");
  });
});

test.each([
  ["bogus-mx.test", "broken no_answer dnssec_bogus"],
  ["bogus-tlsa.test", "broken no_answer dnssec_bogus"],
])("DANE of %s: %s", async (domain, verdict) => {
  expect(verdictOf(await checkDane(domain, resolver))).toBe(verdict);
});

test("a policy of mode none says when record and file may go", async () => {
  const text = "version: STSv1\nmode: none\nmax_age: 86400\n";
  const found = await finding(
    checkMtaSts("sts-none.test", resolver, async () => ({ text })),
    "mode_none",
  );
  expect(found?.sentence).toContain("Keep the record and the file until the max_age of the earlier policy has passed");
});
