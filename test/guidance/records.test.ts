import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER, type Resolver } from "../../shared/dns/resolver.ts";
import { checkBimi } from "../../shared/guidance/bimi-check.ts";
import { checkDane } from "../../shared/guidance/dane-check.ts";
import { checkDkim } from "../../shared/guidance/dkim-check.ts";
import { checkDmarc } from "../../shared/guidance/dmarc-check.ts";
import { walkNames } from "../../shared/guidance/dmarc-walk.ts";
import { checkDomain, listChecks } from "../../shared/guidance/domain-check.ts";
import { checkMtaSts, coversHost, readPolicy } from "../../shared/guidance/mta-sts-check.ts";
import { checkSpf } from "../../shared/guidance/spf-check.ts";
import { expandMacros } from "../../shared/guidance/spf-record.ts";
import { checkTlsRpt } from "../../shared/guidance/tls-rpt-check.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { verdictOf } from "./check-line.ts";
import { zoo } from "./zones.ts";

let server: DnsServer;
let resolver: Resolver;

beforeAll(async () => {
  server = await startDnsServer(zoo());
  resolver = httpsResolver(server.url, fetch);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe("DMARC", () => {
  const expected: [string, string][] = [
    ["reject.test", "good"],
    ["none.test", "attention policy_none"],
    ["levels.test", "attention weaker_below"],
    ["testing.test", "attention testing weaker_below"],
    ["testing-none.test", "attention testing"],
    ["several.test", "broken several_records"],
    ["beside-others.test", "good"],
    ["unknown-tag.test", "attention unknown_tag"],
    ["historic.test", "attention historic_tag"],
    ["invalid-adkim.test", "attention invalid_tag"],
    ["invalid-sp.test", "broken invalid_tag policy_ignored"],
    ["no-policy.test", "broken policy_ignored"],
    ["no-policy-no-rua.test", "broken no_policy no_rua"],
    ["version-second.test", "broken mistaken_record"],
    ["version-lower.test", "broken mistaken_record"],
    ["repeated.test", "broken repeated_tag"],
    ["malformed.test", "attention malformed_tag"],
    ["psd-y.test", "attention psd_on_ordinary_domain"],
    ["no-rua.test", "attention no_rua"],
    ["apex.test", "broken record_at_apex"],
    ["absent.test", "broken no_record"],
    ["servfail.test", "unknown no_answer"],
    ["timeout.test", "unknown no_answer"],
    ["http500.test", "unknown no_answer"],
    ["garbage.test", "unknown no_answer"],
    ["alias.test", "good"],
    ["alias-loop.test", "broken no_answer alias_loop"],
    ["authorized.test", "good"],
    ["refused.test", "broken destination_refused"],
    ["redirected.test", "good"],
    ["redirected-away.test", "broken destination_refused"],
    ["unanswered-destination.test", "unknown destination_unknown"],
    ["web-destination.test", "broken destination_not_supported"],
    ["sized.test", "attention size_limit"],
    ["encoded.test", "good"],
    ["version-upper.test", "good"],
    ["white-space.test", "good"],
    ["leading-space.test", "broken mistaken_record"],
    ["quoted.test", "broken mistaken_record"],
    ["escaped.test", "broken mistaken_record"],
    ["no-semicolon.test", "broken mistaken_record"],
    ["mistaken-beside.test", "attention mistaken_record"],
    ["strings.test", "good"],
    ["missing-separator.test", "broken invalid_tag no_policy no_rua"],
    ["trailing.test", "attention malformed_tag"],
    ["empty-value.test", "broken invalid_tag policy_ignored"],
    ["invalid-pct.test", "attention invalid_tag"],
    ["full-pct.test", "good"],
    ["repeated-rua.test", "broken repeated_tag"],
    ["fo-both.test", "attention invalid_tag"],
    ["fo-every.test", "good"],
    ["fo-alone.test", "good"],
    ["testing-quarantine.test", "attention testing"],
    ["testing-invalid.test", "attention invalid_tag"],
    ["wildcard.test", "broken no_record"],
    ["alias-nowhere.test", "broken no_record"],
    ["refused-answer.test", "unknown no_answer"],
    ["truncated.test", "unknown no_answer"],
    ["child.inherited.test", "good"],
    ["ghost.inherited.test", "good"],
    ["own.inherited.test", "attention subdomain_policy_ignored"],
    ["several.inherited.test", "broken several_records differs_by_rfc"],
    ["unanswered.inherited.test", "unknown no_answer"],
    ["bare.registry", "attention differs_by_rfc record_of_public_suffix"],
    ["equipped.registry", "attention policy_none"],
    ["shop.brand", "attention differs_by_rfc"],
    ["division.brand", "attention policy_none"],
    ["wildcard-permit.test", "good"],
    ["permit-without-version.test", "broken destination_refused"],
    ["permit-beside-others.test", "good"],
    ["failure-refused.test", "attention destination_refused"],
    ["inside.test", "good"],
    ["inside-boundary.test", "broken destination_refused"],
    ["web-beside.test", "attention destination_not_supported"],
    ["no-scheme.test", "attention destination_not_supported"],
    ["slashes.test", "broken destination_not_supported"],
    ["three-addresses.test", "attention many_addresses"],
  ];
  test.each(expected)("%s: %s", async (domain, verdict) => {
    const check = await checkDmarc(domain, resolver);
    expect(verdictOf(check)).toBe(verdict);
    for (const { rule, sentence } of check.findings) {
      expect(rule).toMatch(/^RFC \d{4} /);
      expect(sentence).toMatch(/\.$/);
    }
  });

  test("has policies for a domain, its subdomains and names that do not exist", async () => {
    const levels = await checkDmarc("levels.test", resolver);
    expect(levels.policies).toEqual({ domain: "reject", subdomain: "quarantine", nonexistent: "none" });
    // RFC 7489 knows no np: sp holds.
    expect(levels.older.policies).toEqual({ domain: "reject", subdomain: "quarantine", nonexistent: "quarantine" });
    const testing = await checkDmarc("testing.test", resolver);
    expect(testing.policies).toEqual({ domain: "quarantine", subdomain: "none", nonexistent: "none" });
    expect(testing.older.policies).toEqual({ domain: "reject", subdomain: "quarantine", nonexistent: "quarantine" });
    const below = await checkDmarc("mail.levels.test", resolver);
    expect(below.policies.domain).toBe("quarantine");
    expect(below.policyDomain).toBe("levels.test");
  });

  // RFC 9989 section 4.7: np is for names that DNS answers NXDOMAIN about; RFC 7489 knows no difference.
  test("a name that does not exist takes np", async () => {
    const ghost = await checkDmarc("ghost.levels.test", resolver);
    expect(ghost.policies).toEqual({ domain: "none", subdomain: "quarantine", nonexistent: "none" });
    expect(ghost.older.policies.domain).toBe("quarantine");
    expect((await checkDmarc("ghost.inherited.test", resolver)).policies.domain).toBe("quarantine");
    expect((await checkDmarc("child.inherited.test", resolver)).policies.domain).toBe("reject");
  });

  // RFC 9989 section 4.10.1: own record, else that of the organizational domain; those between are passed over.
  test("what is below a subdomain with a record takes that of the organization", async () => {
    const own = await checkDmarc("own.inherited.test", resolver);
    expect(own.policies).toEqual({ domain: "quarantine", subdomain: "reject", nonexistent: "quarantine" });
    expect(own.older.policies).toEqual({ domain: "quarantine", subdomain: "reject", nonexistent: "reject" });
    const several = await checkDmarc("several.inherited.test", resolver);
    expect(several.policies.domain).toBe("reject");
    expect(several.older.policies.domain).toBeUndefined();
  });

  test("records of top-level domains: a public suffix says so by psd=y", async () => {
    const bare = await checkDmarc("bare.registry", resolver);
    expect(bare).toMatchObject({ organizationalDomain: "bare.registry", policyDomain: "registry" });
    expect(bare.policies).toEqual({ domain: "quarantine", subdomain: "quarantine", nonexistent: "reject" });
    const equipped = await checkDmarc("equipped.registry", resolver);
    expect(equipped).toMatchObject({ organizationalDomain: "equipped.registry", policyDomain: "equipped.registry" });
    // Without psd the record with the fewest labels makes the organization, though it is that of a top-level domain.
    const shop = await checkDmarc("shop.brand", resolver);
    expect(shop).toMatchObject({ organizationalDomain: "brand", policyDomain: "brand" });
    const division = await checkDmarc("division.brand", resolver);
    expect(division).toMatchObject({ organizationalDomain: "brand", policyDomain: "division.brand" });
    expect(division.policies).toEqual({ domain: "none", subdomain: "reject", nonexistent: "reject" });
  });

  test.each([
    ["version-second.test", "it does not begin with v=DMARC1", "v=DMARC1; p=reject"],
    ["version-lower.test", "DMARC1 has to be in capitals", "v=DMARC1; p=reject"],
    ["leading-space.test", "it begins with white space", "v=DMARC1; p=reject; rua=mailto:rua@leading-space.test"],
    ["quoted.test", "quotation marks are part of it", "v=DMARC1; p=reject; rua=mailto:rua@quoted.test"],
    ["escaped.test", "it has \\; instead of ;", "v=DMARC1; p=reject; rua=mailto:rua@escaped.test"],
    ["no-semicolon.test", "there is no ; after v=DMARC1", "v=DMARC1; p=reject; rua=mailto:rua@no-semicolon.test"],
  ])("%s: says why it is not a record, and gives the one that was meant", async (domain, reason, value) => {
    const check = await checkDmarc(domain, resolver, "k7f3@rua.example");
    const found = check.findings.find(({ code }) => code === "mistaken_record");
    expect(found?.sentence).toContain(`is not a DMARC record for receivers: ${reason}. Publish it like this.`);
    expect(found?.publish).toEqual({ name: `_dmarc.${domain}`, type: "TXT", value });
  });

  test("the sentences of an invalid policy do not contradict each other", async () => {
    const said = async (domain: string) => (await checkDmarc(domain, resolver)).findings.map((one) => one.sentence);
    expect(await said("invalid-sp.test")).toEqual([
      "sp=blok is not a valid value. Valid are none, quarantine and reject.",
      "A policy of the record at _dmarc.invalid-sp.test is missing or invalid, so receivers act as if p=none.",
    ]);
    expect(await said("missing-separator.test")).toContain(
      "p=reject rua=mailto:rua@missing-separator.test is not a valid value. A ; is missing in it.",
    );
    expect(await said("testing.test")).toEqual([
      "t=y: receivers apply quarantine instead of reject; older ones, which don't know t, do not. Remove it when the reports show no problem.",
      "sp=quarantine is weaker than p=reject: failing mail in the name of its subdomains is treated less strictly than that of testing.test. Raise it once the reports show that nothing of yours fails there.",
    ]);
    expect(await said("no-scheme.test")).toContain(
      "y@no-scheme.test is not a mailto address, so no reports go there. Write mailto:y@no-scheme.test. Publish it like this.",
    );
  });

  test("psd=n ends the tree walk and starts a new organization", async () => {
    const check = await checkDmarc("www.division.boundary.test", resolver);
    expect(check.organizationalDomain).toBe("division.boundary.test");
    expect(check.policyDomain).toBe("division.boundary.test");
    // The public suffix list knows nothing of it: an older receiver takes the record of boundary.test.
    expect(check.older.policyDomain).toBe("boundary.test");
    expect(verdictOf(check)).toBe("attention differs_by_rfc policy_none");
  });

  test("cuts a name of many labels to its last seven", async () => {
    expect(walkNames("a.b.c.d.e.f.g.h.i.j.mail.example.com")).toEqual([
      "a.b.c.d.e.f.g.h.i.j.mail.example.com",
      "g.h.i.j.mail.example.com",
      "h.i.j.mail.example.com",
      "i.j.mail.example.com",
      "j.mail.example.com",
      "mail.example.com",
      "example.com",
      "com",
    ]);
    expect(walkNames("a.example.com")).toEqual(["a.example.com", "example.com", "com"]);
    const check = await checkDmarc("a.b.c.d.e.f.g.h.i.eight.test", resolver);
    // The record at d.e.f.g.h.i.eight.test is never asked for.
    expect(check.policyDomain).toBe("e.f.g.h.i.eight.test");
    expect(check.asked.map(({ name }) => name)).not.toContain("_dmarc.d.e.f.g.h.i.eight.test");
    expect(check.findings.map(({ code }) => code)).toContain("name_too_long");
  });

  test("suggests a record with the address for reports", async () => {
    const check = await checkDmarc("absent.test", resolver, "k7f3@rua.example");
    expect(check.findings.find(({ code }) => code === "no_record")?.publish).toEqual({
      name: "_dmarc.absent.test",
      type: "TXT",
      value: "v=DMARC1; p=none; rua=mailto:k7f3@rua.example",
    });
  });
});

describe("SPF", () => {
  const expected: [string, string, number][] = [
    ["good.spf.test", "good", 0],
    ["none.spf.test", "attention no_record", 0],
    ["several.spf.test", "broken several_records", 0],
    ["eight.spf.test", "attention many_lookups", 8],
    ["ten.spf.test", "attention many_lookups", 10],
    ["eleven.spf.test", "broken too_many_lookups", 11],
    ["nested.spf.test", "broken too_many_lookups", 12],
    ["loop.spf.test", "broken loop", 2],
    ["self.spf.test", "broken loop", 1],
    ["void.spf.test", "broken too_many_void_lookups void_lookup", 3],
    ["two-void.spf.test", "attention void_lookup", 2],
    ["include-nothing.spf.test", "broken include_without_record", 1],
    ["include-several.spf.test", "broken include_of_several_records", 1],
    ["include-broken.spf.test", "broken syntax_error", 1],
    ["syntax.spf.test", "broken syntax_error", 0],
    ["typo.spf.test", "broken syntax_error", 0],
    ["address-alone.spf.test", "broken syntax_error", 0],
    ["plus-all.spf.test", "broken all_pass", 0],
    ["bare-all.spf.test", "broken all_pass", 0],
    ["neutral.spf.test", "attention all_neutral", 0],
    ["no-all.spf.test", "attention all_neutral", 0],
    ["after-all.spf.test", "attention terms_after_all", 0],
    ["redirect.spf.test", "good", 1],
    ["redirect-ignored.spf.test", "attention ignored_redirect", 0],
    ["redirect-nothing.spf.test", "broken include_without_record", 1],
    ["ptr.spf.test", "attention ptr", 1],
    ["macro.spf.test", "good", 1],
    ["mx.spf.test", "good", 1],
    ["many-mx.spf.test", "broken too_many_mx_hosts", 1],
    ["long.spf.test", "attention long_record", 0],
    ["unanswered.spf.test", "unknown no_answer", 0],
    ["include-unanswered.spf.test", "unknown no_answer", 1],
    ["unknown-modifier.spf.test", "good", 0],
    ["eleven-behind-all.spf.test", "attention terms_after_all", 0],
    ["eleven-by-redirect.spf.test", "broken too_many_lookups", 11],
    ["ten-by-redirect.spf.test", "attention many_lookups", 10],
    ["redirect-loop.spf.test", "broken loop", 1],
    ["two-redirects.spf.test", "broken syntax_error", 1],
    ["two-exps.spf.test", "broken syntax_error", 0],
    ["exp.spf.test", "good", 0],
    ["redirect-colon.spf.test", "broken syntax_error all_neutral", 0],
    ["equals.spf.test", "attention ignored_modifier", 0],
    ["version-twice.spf.test", "attention ignored_modifier", 0],
    ["upper-case.spf.test", "good", 1],
    ["no-space.spf.test", "broken mistaken_record", 0],
    ["quoted.spf.test", "broken mistaken_record", 0],
    ["leading-space.spf.test", "broken mistaken_record", 0],
    ["no-version.spf.test", "broken mistaken_record", 0],
    ["version-two.spf.test", "attention no_record", 0],
    ["tab.spf.test", "broken mistaken_record", 0],
    ["strings.spf.test", "good", 1],
    ["strings-without-space.spf.test", "broken syntax_error", 0],
    ["address-of-a.spf.test", "broken syntax_error", 0],
    ["ip6-as-ip4.spf.test", "broken syntax_error", 0],
    ["dual.spf.test", "good", 1],
    ["dual-reversed.spf.test", "broken syntax_error", 0],
    ["dual-beyond.spf.test", "broken syntax_error", 0],
    ["include-length.spf.test", "broken syntax_error", 0],
    ["six-forms.spf.test", "good", 0],
    ["six-wrong.spf.test", "broken syntax_error", 0],
    ["six-short.spf.test", "broken syntax_error", 0],
    ["leading-zero.spf.test", "broken syntax_error", 0],
    ["dash.spf.test", "broken syntax_error all_neutral", 0],
    ["dot-at-end.spf.test", "good", 1],
    ["everybody-included.spf.test", "broken all_pass", 1],
    ["everybody-not-included.spf.test", "good", 1],
    ["everybody-by-redirect.spf.test", "broken all_pass", 1],
    ["everybody-by-network.spf.test", "broken all_pass", 0],
    ["halves.spf.test", "attention wide_network", 0],
    ["macro-domain.spf.test", "good", 2],
    ["macro-nowhere.spf.test", "broken include_without_record", 1],
    ["macro-mail.spf.test", "good", 1],
    ["macro-unknown.spf.test", "broken syntax_error", 0],
    ["macro-open.spf.test", "broken syntax_error", 0],
    ["macro-time.spf.test", "broken syntax_error", 0],
    ["macro-slash.spf.test", "attention void_lookup", 1],
    ["exists-nothing.spf.test", "attention void_lookup", 1],
    ["exists-six.spf.test", "attention void_lookup", 1],
    ["a-of-six.spf.test", "good", 1],
    ["mx-nowhere.spf.test", "attention void_lookup", 1],
    ["mx-null.spf.test", "attention void_lookup", 1],
    ["ten-mx.spf.test", "good", 1],
    ["ptr-of.spf.test", "attention ptr", 1],
    ["refused.spf.test", "unknown no_answer", 0],
    ["truncated.spf.test", "unknown no_answer", 0],
    ["include-refused.spf.test", "unknown no_answer", 1],
    ["alias.spf.test", "good", 0],
    ["any.wild.spf.test", "good", 0],
  ];
  test.each(expected)("%s: %s, %i lookups", async (domain, verdict, lookups) => {
    const check = await checkSpf(domain, resolver);
    expect(verdictOf(check)).toBe(verdict);
    expect(check.tree.lookups).toBe(lookups);
  });

  test("resolves terms to addresses", async () => {
    const networks = async (domain: string) => (await checkSpf(domain, resolver)).tree.root.terms[0]?.networks;
    expect(await networks("mx.spf.test")).toEqual(["192.0.2.25/32", "2001:db8::25/128"]);
    expect(await networks("dual.spf.test")).toEqual(["192.0.2.25/24", "2001:db8::25/64"]);
  });

  test.each([
    ["address-of-a.spf.test", "an address where a domain name belongs (write it as ip4)"],
    ["ip6-as-ip4.spf.test", "an IPv6 address (write it as ip6)"],
    ["redirect-colon.spf.test", "a modifier, which has = after its name and no sign before it"],
    ["two-redirects.spf.test", "a second redirect"],
    ["macro-unknown.spf.test", "a domain with a macro that does not exist"],
    ["dash.spf.test", "all after a sign that is neither the hyphen nor the tilde of a keyboard"],
  ])("%s: says what is wrong with the term", async (domain, reason) => {
    const { findings } = await checkSpf(domain, resolver);
    expect(findings.find(({ code }) => code === "syntax_error")?.sentence).toContain(
      `in the record of ${domain} is ${reason}: SPF fails for every sender`,
    );
  });

  test("a record that lets everybody in is not one that can't be used", async () => {
    expect((await checkSpf("plus-all.spf.test", resolver)).summary).toBe("Everyone may send; 0 of 10 lookups");
    expect((await checkSpf("syntax.spf.test", resolver)).summary).toBe(
      "Receivers can't use the record; 0 of 10 lookups",
    );
  });

  test.each([
    ["no-space.spf.test", "v=spf1 include:good.spf.test -all"],
    ["quoted.spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["leading-space.spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["no-version.spf.test", "v=spf1 ip4:192.0.2.1 -all"],
    ["tab.spf.test", "v=spf1 ip4:192.0.2.1 -all"],
  ])("%s: gives the record that was meant", async (domain, value) => {
    const { findings } = await checkSpf(domain, resolver);
    expect(findings[0]?.publish).toEqual({ name: domain, type: "TXT", value });
  });

  // RFC 7208 section 7.4.
  test.each([
    ["%{d}", "email.example.com"],
    ["%{d4}", "email.example.com"],
    ["%{d2}", "example.com"],
    ["%{d1}", "com"],
    ["%{dr}", "com.example.email"],
    ["%{d2r}", "example.email"],
    ["%{o}", "strong-bad.example.com"],
    ["%{o1-}", "bad.example.com"],
    ["%{or-}", "bad.example.com.strong"],
    ["%{i}._spf.%{d2}", "%{i}._spf.example.com"],
  ])("the macro %s stands for %s", (spec, name) => {
    const values = { domain: "email.example.com", sender: "strong-bad.example.com" };
    expect(expandMacros(spec, values)).toBe(name);
  });
});

describe("DKIM", () => {
  const expected: [string, string, string][] = [
    ["strong", "good", "rsa 2048"],
    ["plain", "good", "rsa 2048"],
    ["pkcs1", "good", "rsa 2048"],
    ["alias", "good", "rsa 2048"],
    ["curve", "good", "ed25519"],
    ["weak", "attention weak_key", "rsa 1024"],
    ["short", "broken short_key", "rsa 768"],
    ["revoked", "attention revoked_key", "revoked"],
    ["testing", "attention testing_key", "rsa 2048"],
    ["garbled", "broken unusable_key", "other"],
    ["sha1", "broken no_sha256", "rsa 2048"],
    ["twice", "broken several_keys", "other"],
    ["tiny", "broken short_key", "rsa 512"],
    ["almost", "attention weak_key", "rsa 2040"],
    ["large", "good", "rsa 4096"],
    ["huge", "attention long_key", "rsa 8192"],
    ["strings", "good", "rsa 2048"],
    ["spaced", "good", "rsa 2048"],
    ["cut", "broken unusable_key", "other"],
    ["no-base64", "broken unusable_key", "other"],
    ["escaped", "broken escaped_record", "other"],
    ["strict", "good", "rsa 2048"],
    ["testing-strict", "attention testing_key", "rsa 2048"],
    ["both-hashes", "good", "rsa 2048"],
    ["granularity", "good", "rsa 2048"],
    ["version-two", "broken wrong_version", "rsa 2048"],
    ["version-last", "attention version_not_first", "rsa 2048"],
    ["no-p", "broken unusable_key", "other"],
    ["repeated", "broken repeated_tag", "rsa 2048"],
    ["other-service", "broken not_for_mail", "rsa 2048"],
    ["mail-service", "good", "rsa 2048"],
    ["other-type", "broken unusable_key", "other"],
    ["short-curve", "broken unusable_key", "other"],
    ["beside", "good", "rsa 2048"],
    ["alias-nowhere", "attention missing_key", "missing"],
    ["refused", "unknown no_answer", "unknown"],
    ["truncated", "unknown no_answer", "unknown"],
    ["absent", "attention missing_key", "missing"],
    ["unanswered", "unknown no_answer", "unknown"],
  ];
  test.each(expected)("%s: %s, %s", async (selector, verdict, key) => {
    const check = await checkDkim("dkim.test", [{ selector, domain: "dkim.test", lastSeenDay: 20_000 }], resolver);
    expect(verdictOf(check)).toBe(verdict);
    const [found] = check.keys;
    expect([found?.keyType, found?.bits].filter((part) => part !== undefined).join(" ")).toBe(key);
  });

  test("has no result without a known selector", async () => {
    expect(verdictOf(await checkDkim("dkim.test", [], resolver))).toBe("attention no_selector");
  });
});

describe("MTA-STS, TLS-RPT, DANE and BIMI", () => {
  const enforced = "version: STSv1\nmode: enforce\nmx: *.sts.test\nmax_age: 1209600\n";
  const serve = (text: string) => async () => ({ text });

  test.each([
    ["enforced", enforced, "good"],
    ["testing", enforced.replace("enforce", "testing"), "attention mode_testing"],
    ["a host that it does not name", enforced.replace("*.sts.test", "mx1.sts.test"), "broken uncovered_host"],
    ["a pattern two labels above", enforced.replace("*.sts.test", "*.test"), "broken uncovered_host"],
    ["a short age", enforced.replace("1209600", "60"), "attention short_max_age"],
    ["no version", enforced.replace("version: STSv1\n", ""), "broken invalid_policy"],
    ["no host", enforced.replace("mx: *.sts.test\n", ""), "broken invalid_policy"],
    ["CR LF at line ends", enforced.replaceAll("\n", "\r\n"), "good"],
    ["CR alone at line ends", enforced.replaceAll("\n", "\r"), "broken invalid_policy"],
    ["no line end at the end", enforced.trimEnd(), "good"],
    ["white space around values", enforced.replaceAll(": ", " :\t "), "good"],
    ["keys in another order", enforced.split("\n").reverse().join("\n"), "good"],
    ["no space after the colon", enforced.replaceAll(": ", ":"), "good"],
    ["a key in capitals", enforced.replace("mode", "MODE"), "broken invalid_policy"],
    ["mode none", "version: STSv1\nmode: none\nmax_age: 86400\n", "attention mode_none"],
    ["the longest age", enforced.replace("1209600", "31557600"), "good"],
    ["one second more", enforced.replace("1209600", "31557601"), "broken invalid_policy"],
    ["an age with a unit", enforced.replace("1209600", "14d"), "broken invalid_policy"],
    ["hosts in one line", enforced.replace("*.sts.test", "mx1.sts.test, mx2.sts.test"), "broken invalid_policy"],
    ["a dot at the end of a host", enforced.replace("*.sts.test", "mx1.sts.test."), "broken invalid_policy"],
    ["a wildcard within a name", enforced.replace("*.sts.test", "mx*.sts.test"), "broken invalid_policy"],
    ["HTML", "<!doctype html><title>Not found</title>", "broken invalid_policy"],
    ["an age beyond a year", enforced.replace("1209600", "99999999"), "broken invalid_policy"],
  ])("a policy file: %s", async (_, text, verdict) => {
    expect(verdictOf(await checkMtaSts("sts.test", resolver, serve(text)))).toBe(verdict);
  });

  test("rejects unusable records and files", async () => {
    const missing = async () => ({ problem: "the server answers 404", isUnanswered: false });
    const silent = async () => ({ problem: "no answer", isUnanswered: true });
    expect(verdictOf(await checkMtaSts("sts.test", resolver, missing))).toBe("broken no_policy_file");
    expect(verdictOf(await checkMtaSts("sts.test", resolver, silent))).toBe("unknown no_policy_file");
    // The host of the file is not in DNS at all.
    expect(verdictOf(await checkMtaSts("lost-sts.test", resolver, silent))).toBe("broken no_policy_file");
    expect(verdictOf(await checkMtaSts("several-sts.test", resolver, missing))).toBe("broken several_records");
    expect(verdictOf(await checkMtaSts("bad-id.test", resolver, missing))).toBe("broken bad_id");
    expect(verdictOf(await checkMtaSts("bare-mail.test", resolver, missing))).toBe("attention no_record");
    expect(verdictOf(await checkMtaSts("absent.test", resolver, missing))).toBe("good");
    // Without MX records the domain itself is its mail host.
    expect(verdictOf(await checkMtaSts("implicit-sts.test", resolver, serve(enforced)))).toBe("broken uncovered_host");
    expect(verdictOf(await checkMtaSts("null-mx.test", resolver, missing))).toBe("good");
    expect(verdictOf(await checkMtaSts("lower-sts.test", resolver, missing))).toBe("broken mistaken_record");
    expect(verdictOf(await checkMtaSts("long-id.test", resolver, missing))).toBe("broken bad_id");
    expect(verdictOf(await checkMtaSts("no-id.test", resolver, missing))).toBe("broken bad_id");
    // RFC 8461 section 8.2: the record may be at a provider.
    expect(verdictOf(await checkMtaSts("alias-sts.test", resolver, serve(enforced)))).toBe("good");
  });

  test("uses the first of repeated keys in a policy file and ignores unknown ones", () => {
    const read = readPolicy("version: STSv1\r\nmode: testing\r\nmode: enforce\r\nx: 1\r\nmx: a.test\r\nmax_age: 1\r\n");
    expect(read).toEqual({ policy: { mode: "testing", mx: ["a.test"], maxAgeSeconds: 1 } });
    expect(coversHost("*.example.com", "mail.example.com")).toBe(true);
    expect(coversHost("*.example.com", "a.mail.example.com")).toBe(false);
    expect(coversHost("*.example.com", "example.com")).toBe(false);
  });

  test.each([
    ["sts.test", "good"],
    ["several-tls.test", "broken several_records"],
    ["no-address.test", "broken no_rua"],
    ["web-address.test", "good"],
    ["bare-mail.test", "attention no_record"],
    ["absent.test", "good"],
    ["null-mx.test", "good"],
    ["both-tls.test", "good"],
    ["half-tls.test", "attention unusable_address"],
    ["lower-tls.test", "broken mistaken_record"],
    ["extended-tls.test", "good"],
  ])("TLS reports of %s: %s", async (domain, verdict) => {
    expect(verdictOf(await checkTlsRpt(domain, resolver))).toBe(verdict);
  });

  test.each([
    ["sts.test", "good", "2 of 2 mail hosts"],
    ["half-dane.test", "attention no_tlsa", "1 of 2 mail hosts"],
    ["unsigned-dane.test", "attention tlsa_without_dnssec", "Not set up"],
    ["web-dane.test", "broken tlsa_unusable", "Not set up"],
    ["null-mx.test", "good", "The domain takes no mail"],
    ["absent.test", "good", "The domain takes no mail"],
    ["insecure-mx.test", "attention mx_without_dnssec", "1 of 1 mail hosts"],
    ["address-alone.test", "good", "1 of 1 mail hosts"],
    ["authority-dane.test", "good", "1 of 1 mail hosts"],
    ["public-dane.test", "broken tlsa_unusable", "Not set up"],
    ["short-dane.test", "broken tlsa_unusable", "Not set up"],
    ["whole-dane.test", "good", "1 of 1 mail hosts"],
    ["selector-dane.test", "broken tlsa_unusable", "Not set up"],
    ["lame-dane.test", "unknown no_answer", "Not set up"],
  ])("DANE of %s: %s", async (domain, verdict, summary) => {
    const check = await checkDane(domain, resolver);
    expect(verdictOf(check)).toBe(verdict);
    expect(check.summary).toBe(summary);
  });

  test("needs an enforced policy for a logo to be shown", async () => {
    expect(verdictOf(await checkBimi("sts.test", resolver, true))).toBe("good");
    expect(verdictOf(await checkBimi("sts.test", resolver, false))).toBe("attention policy_too_weak");
    expect(verdictOf(await checkBimi("no-logo.test", resolver, true))).toBe("broken bad_logo");
    expect(verdictOf(await checkBimi("declined.test", resolver, true))).toBe("good");
    expect(verdictOf(await checkBimi("several-bimi.test", resolver, true))).toBe("broken several_records");
    expect(verdictOf(await checkBimi("certified.test", resolver, true))).toBe("good");
    expect(verdictOf(await checkBimi("bad-certificate.test", resolver, true))).toBe("attention bad_certificate");
  });

  test.each([
    ["sts.test", "good"],
    ["weak-subdomains.test", "attention policy_too_weak"],
    ["half-pct.test", "attention policy_too_weak"],
  ])("the logo of %s: %s", async (domain, verdict) => {
    const fetchPolicy = serve(enforced);
    const { bimi } = await checkDomain(domain, { resolver, fetchPolicy, selectors: [] });
    expect(verdictOf(bimi)).toBe(verdict);
  });
});

test("without a resolver every check says unknown", async () => {
  const fetchPolicy = async () => ({ problem: "not asked", isUnanswered: true });
  const selectors = [{ selector: "a", domain: "example.com" }];
  const check = await checkDomain("example.com", { resolver: NO_RESOLVER, fetchPolicy, selectors });
  expect(listChecks(check).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    "dmarc unknown",
    "spf unknown",
    "dkim unknown",
    "mtaSts unknown",
    "tlsRpt unknown",
    "dane unknown",
    "bimi unknown",
  ]);
});
