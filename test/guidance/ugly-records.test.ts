/** The checks of published records, on what people really publish: records typed by hand, pasted, half changed, or left behind. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import type { Resolver } from "../../shared/dns/resolver.ts";
import { checkBimi } from "../../shared/guidance/bimi-check.ts";
import { checkDane } from "../../shared/guidance/dane-check.ts";
import { checkDkim } from "../../shared/guidance/dkim-check.ts";
import { checkDmarc } from "../../shared/guidance/dmarc-check.ts";
import { isDmarcRecord, readDmarcRecord } from "../../shared/guidance/dmarc-record.ts";
import { checkMtaSts } from "../../shared/guidance/mta-sts-check.ts";
import { setupState } from "../../shared/guidance/setup-state.ts";
import { checkSpf } from "../../shared/guidance/spf-check.ts";
import { checkTlsRpt } from "../../shared/guidance/tls-rpt-check.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { policiesOf, verdictOf } from "./check-line.ts";
import { uglyZones } from "./ugly-zones.ts";
import { zoo } from "./zones.ts";

let server: DnsServer;
let resolver: Resolver;

beforeAll(async () => {
  server = await startDnsServer({ ...zoo(), ...uglyZones() });
  resolver = httpsResolver(server.url, fetch);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe("DMARC", () => {
  // Domain, what is said, and the policies of the domain, a subdomain and a name that does not exist.
  test.each([
    ["space-after-colon.test", "broken destination_not_supported", "reject reject reject"],
    ["space-between.test", "broken destination_not_supported", "reject reject reject"],
    ["semicolon-between.test", "attention malformed_tag", "reject reject reject"],
    ["angle-brackets.test", "broken destination_not_supported", "reject reject reject"],
    ["quoted-value.test", "broken destination_not_supported", "reject reject reject"],
    ["quoted-policy.test", "broken invalid_tag policy_ignored", "none none none"],
    ["two-ats.test", "broken destination_not_supported", "reject reject reject"],
    ["comma-at-end.test", "attention empty_address", "reject reject reject"],
    ["size-in-megabytes.test", "broken destination_not_supported", "reject reject reject"],
    ["size-bare.test", "attention size_limit", "reject reject reject"],
    ["upper-scheme.test", "good", "reject reject reject"],
    ["subject.test", "good", "reject reject reject"],
    ["plus-tag.test", "good", "reject reject reject"],
    ["host-with-dot.test", "broken destination_not_supported", "reject reject reject"],
    ["no-host.test", "broken destination_not_supported", "reject reject reject"],
    ["single-label.test", "broken destination_not_supported", "reject reject reject"],
    ["u-label.test", "broken odd_character destination_not_supported", "reject reject reject"],
    ["encoded-at.test", "broken destination_not_supported", "reject reject reject"],
    ["bad-encoding.test", "broken destination_not_supported", "reject reject reject"],
    ["web-alone-no-policy.test", "broken policy_ignored destination_not_supported", "none none none"],
    ["semicolon-before.test", "good", "reject reject reject"],
    ["only-version.test", "broken no_policy no_rua", "-"],
    ["only-version-semicolon.test", "broken no_policy no_rua", "-"],
    ["policy-last.test", "good", "reject reject reject"],
    ["version-repeated.test", "broken repeated_tag", "reject reject reject"],
    ["repeated-same.test", "broken repeated_tag", "reject reject reject"],
    ["two-in-one.test", "broken repeated_tag policy_none destination_not_supported", "none none none"],
    ["new-line.test", "attention odd_character", "reject reject reject"],
    ["carriage-return.test", "attention odd_character", "reject reject reject"],
    ["tab-at-end.test", "good", "reject reject reject"],
    ["no-break-space.test", "broken malformed_tag odd_character policy_ignored", "none none none"],
    ["typographic-quotes.test", "broken mistaken_record", "-"],
    ["byte-order-mark.test", "broken mistaken_record", "-"],
    ["comma-separators.test", "broken mistaken_record", "-"],
    ["colon-for-equals.test", "broken malformed_tag policy_ignored", "none none none"],
    ["policy-monitor.test", "broken invalid_tag policy_ignored", "none none none"],
    ["policy-misspelled.test", "broken invalid_tag policy_ignored", "none none none"],
    ["policy-with-dot.test", "broken invalid_tag policy_ignored", "none none none"],
    ["two-policies.test", "broken invalid_tag policy_ignored", "none none none"],
    ["np-invalid.test", "broken invalid_tag policy_ignored", "none none none"],
    ["np-alone.test", "attention policy_none", "none none reject"],
    ["pct-zero.test", "attention historic_tag", "reject reject reject"],
    ["pct-percent.test", "attention invalid_tag", "reject reject reject"],
    ["pct-over.test", "attention invalid_tag", "reject reject reject"],
    ["psd-invalid.test", "attention invalid_tag", "reject reject reject"],
    ["psd-unknown.test", "good", "reject reject reject"],
    ["aspf-word.test", "attention invalid_tag", "reject reject reject"],
    ["fo-comma.test", "attention invalid_tag", "reject reject reject"],
    ["very-long.test", "attention unknown_tag", "reject reject reject"],
    ["hosted.test", "good", "reject reject reject"],
    ["hosted-chain.test", "good", "reject reject reject"],
    ["hosted-several.test", "broken several_records", "-"],
    ["hosted-silent.test", "unknown no_answer", "-"],
    ["catch-all.test", "attention wildcard_record", "reject reject none"],
    ["catch-all-spf.test", "good", "reject reject reject"],
    ["upper.middle.test", "broken policy_none destination_refused", "none none none"],
    ["suffix.above.test", "attention psd_on_ordinary_domain", "reject none none"],
    ["above.test", "good", "quarantine quarantine quarantine"],
    ["two.suffix.above.test", "good", "reject reject reject"],
    ["explicit.above.test", "good", "reject quarantine quarantine"],
    ["unanswered-above.test", "unknown no_answer", "-"],
    ["own.unanswered-above.test", "good", "reject reject reject"],
    ["b.c.d.e.f.seven.test", "attention policy_none", "none reject reject"],
    ["seven.test", "good", "reject reject reject"],
    ["alone.parent.test", "broken destination_refused", "reject reject reject"],
    ["permit-alias.test", "good", "reject reject reject"],
    ["permit-alias-nowhere.test", "broken destination_refused", "reject reject reject"],
    ["permit-lower.test", "broken destination_refused", "reject reject reject"],
    ["permit-quoted.test", "broken destination_refused", "reject reject reject"],
    ["permit-with-policy.test", "good", "reject reject reject"],
    ["two-collectors.test", "broken destination_refused", "reject reject reject"],
    ["upper-host.test", "good", "reject reject reject"],
    ["same-twice.test", "good", "reject reject reject"],
    ["new.catch-all.test", "attention policy_none record_of_wildcard", "none reject none"],
    ["new.catch-all-spf.test", "good", "reject reject reject"],
    ["below.upper.middle.test", "broken differs_by_rfc policy_none destination_refused", "none none none"],
    ["one.suffix.above.test", "attention differs_by_rfc policy_none record_of_public_suffix", "none none none"],
    ["x.two.suffix.above.test", "attention differs_by_rfc", "reject reject reject"],
    ["ghost.unanswered-above.test", "unknown no_answer", "-"],
    ["a.b.c.d.e.f.seven.test", "good", "reject reject reject"],
    ["middle.test", "broken no_record", "-"],
  ])("%s: %s, %s", async (domain, verdict, policies) => {
    const check = await checkDmarc(domain, resolver, "k7f3@rua.example");
    expect(verdictOf(check)).toBe(verdict);
    expect(policiesOf(check)).toBe(policies);
    for (const { rule, sentence, publish } of check.findings) {
      expect(rule).toMatch(/^RFC \d{4} /);
      expect(sentence).toMatch(/\.$/);
      if (publish !== undefined) expect(isDmarcRecord(publish.value)).toBe(true);
    }
  });

  test.each([
    ["space-after-colon.test", "v=DMARC1; p=reject; rua=mailto:x@space-after-colon.test"],
    ["space-between.test", "v=DMARC1; p=reject; rua=mailto:x@space-between.test,mailto:y@space-between.test"],
    [
      "semicolon-between.test",
      "v=DMARC1; p=reject; rua=mailto:x@semicolon-between.test,mailto:y@semicolon-between.test",
    ],
    ["angle-brackets.test", "v=DMARC1; p=reject; rua=mailto:x@angle-brackets.test"],
    ["quoted-value.test", "v=DMARC1; p=reject; rua=mailto:x@quoted-value.test"],
    ["quoted-policy.test", "v=DMARC1; p=reject; rua=mailto:x@quoted-policy.test"],
    ["comma-at-end.test", "v=DMARC1; p=reject; rua=mailto:x@comma-at-end.test"],
    ["size-in-megabytes.test", "v=DMARC1; p=reject; rua=mailto:x@size-in-megabytes.test"],
    ["host-with-dot.test", "v=DMARC1; p=reject; rua=mailto:x@host-with-dot.test"],
    ["new-line.test", "v=DMARC1; p=reject; rua=mailto:x@new-line.test"],
    ["no-break-space.test", "v=DMARC1; p=reject; rua=mailto:x@no-break-space.test"],
    ["typographic-quotes.test", "v=DMARC1; p=reject; rua=mailto:x@typographic-quotes.test"],
    ["byte-order-mark.test", "v=DMARC1; p=reject; rua=mailto:x@byte-order-mark.test"],
    ["comma-separators.test", "v=DMARC1; p=reject; rua=mailto:x@comma-separators.test"],
    ["colon-for-equals.test", "v=DMARC1; p=reject; rua=mailto:x@colon-for-equals.test"],
    ["missing-separator.test", "v=DMARC1; p=reject; rua=mailto:rua@missing-separator.test"],
  ])("%s: gives the record that was meant", async (domain, value) => {
    const { findings } = await checkDmarc(domain, resolver);
    const published = findings.flatMap(({ publish }) => publish ?? []);
    expect(published).toEqual([{ name: `_dmarc.${domain}`, type: "TXT", value }]);
    expect(readDmarcRecord(value).tags.every(({ standing }) => standing === "used")).toBe(true);
  });

  test("where two records were run together, or nobody can tell what was meant, no record is made up", async () => {
    for (const domain of ["two-in-one.test", "policy-misspelled.test", "two-policies.test", "np-invalid.test"]) {
      const { findings } = await checkDmarc(domain, resolver);
      expect(findings.flatMap(({ publish }) => publish ?? [])).toEqual([]);
    }
  });

  test("a mended record that makes receivers reject says so before it is published", async () => {
    const warned = async (domain: string) =>
      (await checkDmarc(domain, resolver)).findings.some(({ sentence }) =>
        sentence.includes("with reject mail that fails is no longer delivered as before. Write p=none until"),
      );
    expect(await warned("colon-for-equals.test")).toBe(true);
    expect(await warned("comma-separators.test")).toBe(true);
    // Receivers reject already, whatever becomes of its addresses.
    expect(await warned("space-between.test")).toBe(false);
  });

  test.each(["several.test", "hosted-several.test", "apex.test", "absent.test", "several.inherited.test"])(
    "%s is given no second record to publish at its name",
    async (domain) => {
      const { findings } = await checkDmarc(domain, resolver, "k7f3@rua.example");
      const own = findings.flatMap(({ publish }) => publish ?? []).filter(({ name }) => name === `_dmarc.${domain}`);
      expect(own.length).toBeLessThan(2);
      // What is behind an alias is not this domain's to change.
      if (domain.startsWith("hosted")) expect(own).toEqual([]);
    },
  );

  test("pct=0 is one level below for receivers that know pct, and nothing for the others", async () => {
    const { policies, older } = await checkDmarc("pct-zero.test", resolver);
    expect(policies).toEqual({ domain: "reject", subdomain: "reject", nonexistent: "reject" });
    expect(older.policies).toEqual({ domain: "quarantine", subdomain: "quarantine", nonexistent: "quarantine" });
    // Of a half of the mail nobody can say one policy.
    expect((await checkDmarc("historic.test", resolver)).older.policies.domain).toBe("reject");
  });

  test("the set-up of a domain names a second record, and does not wait", async () => {
    const { state, sentence } = setupState("k7f3@rua.example", await checkDmarc("several.test", resolver), false);
    expect(state).toBe("recordNotFound");
    expect(sentence).toContain("has 2 DMARC records, so receivers use none of them");
    const absent = setupState("k7f3@rua.example", await checkDmarc("absent.test", resolver), false);
    expect(absent.sentence).toContain("is not there yet");
  });

  test("an address above a subdomain that has the only record is of another organization by RFC 9990 alone", async () => {
    const { findings } = await checkDmarc("alone.parent.test", resolver);
    const refused = findings.find(({ code }) => code === "destination_refused");
    expect(refused?.sentence).toContain("Receivers that follow RFC 9990 send no reports to mailto:x@parent.test");
    expect(refused?.publish?.name).toBe("alone.parent.test._report._dmarc.parent.test");
  });
});

describe("SPF", () => {
  test.each([
    ["mx-unanswered.ugly-spf.test", "unknown no_answer", 1],
    ["silent.ugly-spf.test", "unknown no_answer", 0],
    ["mx-no-address.ugly-spf.test", "attention void_lookup", 1],
    ["redirect-dot.ugly-spf.test", "good", 1],
    ["redirect-self-dot.ugly-spf.test", "broken loop", 1],
    ["redirect-macro.ugly-spf.test", "good", 1],
    ["_spf.redirect-macro.ugly-spf.test", "good", 0],
    ["redirect-and-all.ugly-spf.test", "attention ignored_redirect", 0],
    ["redirect-first.ugly-spf.test", "good", 1],
    ["redirect-open.ugly-spf.test", "attention all_neutral", 1],
    ["ip-list.ugly-spf.test", "broken syntax_error", 0],
    ["ip-range.ugly-spf.test", "broken syntax_error", 0],
    ["ip-space.ugly-spf.test", "broken syntax_error", 0],
    ["ip-empty-length.ugly-spf.test", "broken syntax_error", 0],
    ["ip-over.ugly-spf.test", "broken syntax_error", 0],
    ["ip-three.ugly-spf.test", "broken syntax_error", 0],
    ["ip-host-bits.ugly-spf.test", "good", 0],
    ["six-brackets.ugly-spf.test", "broken syntax_error", 0],
    ["six-zone.ugly-spf.test", "broken syntax_error", 0],
    ["all-semicolon.ugly-spf.test", "broken syntax_error all_neutral", 0],
    ["all-twice.ugly-spf.test", "attention terms_after_all", 0],
    ["all-length.ugly-spf.test", "broken syntax_error all_neutral", 0],
    ["all-spaced.ugly-spf.test", "broken syntax_error all_pass", 0],
    ["spaces.ugly-spf.test", "good", 0],
    ["new-line.ugly-spf.test", "broken syntax_error all_neutral", 0],
    ["tab-between.ugly-spf.test", "broken syntax_error all_neutral", 0],
    ["no-break.ugly-spf.test", "broken syntax_error all_neutral", 0],
    ["quote-at-end.ugly-spf.test", "broken syntax_error all_neutral", 0],
    ["include-space.ugly-spf.test", "broken syntax_error", 0],
    ["include-address.ugly-spf.test", "broken syntax_error", 0],
    ["include-url.ugly-spf.test", "broken syntax_error", 0],
    ["include-at.ugly-spf.test", "broken syntax_error", 0],
    ["include-twice.ugly-spf.test", "attention repeated_term", 2],
    ["include-wildcard.ugly-spf.test", "broken syntax_error", 0],
    ["include-soft.ugly-spf.test", "good", 1],
    ["include-alias.ugly-spf.test", "good", 1],
    ["include-timeout.ugly-spf.test", "unknown no_answer", 1],
    ["late.ugly-spf.test", "unknown no_answer", 0],
    ["include-redirect.ugly-spf.test", "good", 2],
    ["include-other-text.ugly-spf.test", "broken include_without_record", 1],
    ["include-underscore.ugly-spf.test", "good", 1],
    ["include-plus.ugly-spf.test", "good", 3],
    ["exists-macros.ugly-spf.test", "good", 1],
    ["exists-upper.ugly-spf.test", "good", 1],
    ["exists-zero.ugly-spf.test", "broken syntax_error", 0],
    ["exists-percent.ugly-spf.test", "broken syntax_error", 0],
    ["exists-literal.ugly-spf.test", "good", 1],
    ["exists-bare-macro.ugly-spf.test", "good", 1],
    ["a-trailing-colon.ugly-spf.test", "broken syntax_error", 0],
    ["a-length-only.ugly-spf.test", "good", 2],
    ["a-label.ugly-spf.test", "broken syntax_error", 0],
    ["a-alias-nowhere.ugly-spf.test", "attention void_lookup", 1],
    ["dangling.ugly-spf.test", "attention no_record", 0],
    ["four-void.ugly-spf.test", "broken too_many_void_lookups void_lookup", 5],
    ["upper-mx.ugly-spf.test", "good", 1],
    ["ptr-twice.ugly-spf.test", "attention ptr all_neutral", 2],
    ["two-strings.ugly-spf.test", "good", 0],
    ["record-beside-mistaken.ugly-spf.test", "attention mistaken_record", 0],
    ["two-versions.ugly-spf.test", "broken several_records", 0],
    ["version-ten.ugly-spf.test", "broken mistaken_record", 0],
    ["unknown-equals.ugly-spf.test", "attention all_neutral", 0],
    ["exp-nothing.ugly-spf.test", "broken syntax_error", 0],
    ["unicode-name.ugly-spf.test", "broken syntax_error", 0],
  ])("%s: %s, %i lookups", async (domain, verdict, lookups) => {
    const check = await checkSpf(domain, resolver);
    expect(verdictOf(check)).toBe(verdict);
    expect(check.tree.lookups).toBe(lookups);
  });

  test.each([
    ["tab-between.ugly-spf.test", "a term with a tab or a line break in it, where only a space may be"],
    ["no-break.ugly-spf.test", "a term with an invisible character in it, such as a no-break space pasted from a text"],
    ["ip-list.ugly-spf.test", "a list or a range of addresses, and each needs a term of its own"],
    ["ip-range.ugly-spf.test", "a list or a range of addresses, and each needs a term of its own"],
    ["include-url.ugly-spf.test", "a web address where a domain name belongs"],
    ["all-spaced.ugly-spf.test", "a sign apart from its term"],
    ["exists-percent.ugly-spf.test", "a domain with a macro that does not exist"],
  ])("%s: says what is wrong with the term", async (domain, reason) => {
    const { findings } = await checkSpf(domain, resolver);
    expect(findings.find(({ code }) => code === "syntax_error")?.sentence).toContain(`is ${reason}: SPF fails`);
  });
});

describe("DKIM", () => {
  test.each([
    ["no-padding", "good", "rsa 4096"],
    ["quoted", "broken unusable_key", "other"],
    ["pem", "broken unusable_key", "other"],
    ["whole-curve", "broken unusable_key", "other"],
    ["curve-as-rsa", "broken unusable_key", "other"],
    ["upper-type", "good", "rsa 2048"],
    ["lower-version", "broken wrong_version", "rsa 2048"],
    ["semicolons", "good", "rsa 2048"],
    ["notes", "good", "rsa 2048"],
    ["cut-at-255", "broken unusable_key", "other"],
    ["strings-with-space", "good", "rsa 2048"],
    ["chain", "attention weak_key", "rsa 1024"],
    ["alias-revoked", "attention revoked_key", "revoked"],
    ["revoked-beside", "broken several_keys", "other"],
    ["strict-upper", "good", "rsa 2048"],
    ["test-word", "good", "rsa 2048"],
    ["service-star", "good", "rsa 2048"],
    ["service-both", "good", "rsa 2048"],
    ["url-base64", "broken unusable_key", "other"],
    ["leading-space", "good", "rsa 2048"],
    ["spf-wildcard", "attention missing_key", "missing"],
    ["p-word", "broken unusable_key", "other"],
    ["upper-p", "broken unusable_key", "other"],
    ["dot.ted", "good", "rsa 2048"],
  ])("%s: %s, %s", async (selector, verdict, key) => {
    const check = await checkDkim("ugly-dkim.test", [{ selector, domain: "ugly-dkim.test" }], resolver);
    expect(verdictOf(check)).toBe(verdict);
    const [found] = check.keys;
    expect([found?.keyType, found?.bits].filter((part) => part !== undefined).join(" ")).toBe(key);
  });

  test.each([
    ["quoted", "can't be read (quotation marks are part of the record)"],
    ["pem", "can't be read (the lines BEGIN and END of its file are in it)"],
    ["whole-curve", "can't be read (an Ed25519 key has 32 bytes, and this one has 44)"],
    ["cut-at-255", "can't be read (it is cut: "],
    ["url-base64", "can't be read (it has - and _ in place of + and /)"],
    ["upper-p", "has P, and receivers look for p, the key itself"],
    ["hash-empty", "allows no hash (h is empty); receivers need sha256"],
  ])("%s: says why", async (selector, reason) => {
    const check = await checkDkim("ugly-dkim.test", [{ selector, domain: "ugly-dkim.test" }], resolver);
    expect(check.findings.map(({ sentence }) => sentence).join(" ")).toContain(reason);
  });
});

describe("MTA-STS, TLS-RPT, DANE and BIMI", () => {
  const policy = "version: STSv1\nmode: enforce\nmx: *.sts.test\nmax_age: 1209600\n";

  test.each([
    ["upper-id.test", "broken bad_id"],
    ["spaced-id.test", "broken bad_id"],
    ["quoted-id.test", "broken bad_id"],
    ["two-ids.test", "good"],
    ["beside-sts.test", "good"],
    ["extended-sts.test", "good"],
    ["space-before-sts.test", "broken mistaken_record"],
    ["alias-nowhere-sts.test", "attention no_record"],
  ])("the record of MTA-STS of %s: %s", async (domain, verdict) => {
    expect(verdictOf(await checkMtaSts(domain, resolver, async () => ({ text: policy })))).toBe(verdict);
  });

  test.each([
    ["a byte order mark", `\ufeff${policy}`, "broken invalid_policy"],
    ["a no-break space", policy.replace("mode: ", "mode:\u00a0"), "broken invalid_policy"],
    ["a control character", policy.replace("mode", "mo\0de"), "broken invalid_policy"],
    ["the version twice", `${policy}version: STSv2\n`, "good"],
    ["empty lines", policy.replaceAll("\n", "\n\n"), "good"],
    ["a mode in capitals", policy.replace("enforce", "Enforce"), "broken invalid_policy"],
    ["a negative age", policy.replace("1209600", "-1"), "broken invalid_policy"],
    ["an age of nothing", policy.replace("1209600", "0"), "attention short_max_age"],
    ["an age with a sign", policy.replace("1209600", "+1209600"), "broken invalid_policy"],
    ["zeros before the age", policy.replace("1209600", "0001209600"), "good"],
    ["an address as host", policy.replace("*.sts.test", "192.0.2.1"), "broken uncovered_host"],
    ["any host", policy.replace("*.sts.test", "*"), "broken invalid_policy"],
    ["every host by name", policy.replace("mx: *.sts.test", "mx: mx1.sts.test\nmx: mx2.sts.test"), "good"],
    ["a host in capitals", policy.replace("*.sts.test", "*.STS.test"), "good"],
    ["two wildcards", policy.replace("*.sts.test", "*.*.test"), "broken invalid_policy"],
    ["no age in mode none", "version: STSv1\nmode: none\n", "broken invalid_policy"],
    ["another version", policy.replace("STSv1", "STSv2"), "broken invalid_policy"],
    ["nothing", "", "broken invalid_policy"],
    ["equals signs", policy.replaceAll(": ", "="), "broken invalid_policy"],
  ])("a policy file with %s", async (_, text, verdict) => {
    expect(verdictOf(await checkMtaSts("sts.test", resolver, async () => ({ text })))).toBe(verdict);
  });

  test.each([
    ["alias-tls.test", "good"],
    ["size-tls.test", "broken no_rua"],
    ["bare-address-tls.test", "broken no_rua"],
    ["insecure-tls.test", "broken no_rua"],
    ["beside-tls.test", "good"],
    ["no-semicolon-tls.test", "broken mistaken_record"],
    ["version-alone-tls.test", "broken no_rua"],
    ["space-between-tls.test", "broken no_rua"],
  ])("TLS reports of %s: %s", async (domain, verdict) => {
    expect(verdictOf(await checkTlsRpt(domain, resolver))).toBe(verdict);
  });

  test.each([
    ["rollover-dane.test", "good"],
    ["alias-dane.test", "good"],
    ["null-and-mx.test", "good"],
    ["upper-dane.test", "good"],
    ["usage-four-dane.test", "broken tlsa_unusable"],
  ])("DANE of %s: %s", async (domain, verdict) => {
    expect(verdictOf(await checkDane(domain, resolver))).toBe(verdict);
  });

  test.each([
    ["no-l.test", "broken bad_logo"],
    ["lower-bimi.test", "broken mistaken_record"],
    ["png.test", "broken bad_logo"],
    ["alias-bimi.test", "good"],
    ["empty-a.test", "good"],
    ["avp.test", "good"],
  ])("the logo of %s: %s", async (domain, verdict) => {
    expect(verdictOf(await checkBimi(domain, resolver, true))).toBe(verdict);
  });
});
