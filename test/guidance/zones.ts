/**
 * A zoo of zones, each named for its fault, all under `test`: what the checks of published records are tried on. The keys
 * of RSA are made when the zones are.
 */
import { generateKeyPairSync } from "node:crypto";
import { reverseLabels } from "../../shared/guidance/address-name.ts";
import { withMailServers, type Zones } from "../support/dns-server.ts";

function rsaKey(bits: number): string {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return publicKey.export({ type: "spki", format: "der" }).toString("base64");
}

function pkcs1Key(bits: number): string {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return publicKey.export({ type: "pkcs1", format: "der" }).toString("base64");
}

function ed25519Key(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  return publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
}

const DMARC: Zones = {
  "_dmarc.reject.test": ["TXT v=DMARC1; p=reject; rua=mailto:rua@reject.test"],
  "_dmarc.none.test": ["TXT v=DMARC1;p=none;rua=mailto:rua@none.test"],
  "mail.levels.test": ["A 192.0.2.1"],
  "_dmarc.levels.test": ["TXT v=DMARC1; p=reject; sp=quarantine; np=none; rua=mailto:rua@levels.test"],
  "_dmarc.testing.test": ["TXT v=DMARC1; p=reject; sp=quarantine; t=y; rua=mailto:rua@testing.test"],
  "_dmarc.testing-none.test": ["TXT v=DMARC1; p=none; t=y; rua=mailto:rua@testing-none.test"],
  "_dmarc.several.test": ["TXT v=DMARC1; p=none", "TXT v=DMARC1; p=reject"],
  "_dmarc.beside-others.test": [
    "TXT google-site-verification=1",
    "TXT v=DMARC1; p=reject; rua=mailto:a@beside-others.test",
  ],
  "_dmarc.unknown-tag.test": ["TXT v=DMARC1; p=reject; color=blue; rua=mailto:rua@unknown-tag.test"],
  "_dmarc.historic.test": ["TXT v=DMARC1; p=reject; pct=50; ri=86400; rua=mailto:rua@historic.test"],
  "_dmarc.invalid-adkim.test": ["TXT v=DMARC1; p=reject; adkim=x; rua=mailto:rua@invalid-adkim.test"],
  "_dmarc.invalid-sp.test": ["TXT v=DMARC1; p=reject; sp=blok; rua=mailto:rua@invalid-sp.test"],
  "_dmarc.no-policy.test": ["TXT v=DMARC1; rua=mailto:rua@no-policy.test"],
  "_dmarc.no-policy-no-rua.test": ["TXT v=DMARC1; adkim=s"],
  "_dmarc.version-second.test": ["TXT p=reject; v=DMARC1"],
  "_dmarc.version-lower.test": ["TXT v=dmarc1; p=reject"],
  "_dmarc.repeated.test": ["TXT v=DMARC1; p=reject; p=none; rua=mailto:rua@repeated.test"],
  "_dmarc.malformed.test": ["TXT v=DMARC1; p=reject; oops; rua=mailto:rua@malformed.test"],
  "_dmarc.psd-y.test": ["TXT v=DMARC1; p=reject; psd=y; rua=mailto:rua@psd-y.test"],
  "_dmarc.no-rua.test": ["TXT v=DMARC1; p=reject"],
  "apex.test": ["TXT v=DMARC1; p=reject"],
  "_dmarc.servfail.test": ["SERVFAIL"],
  "_dmarc.timeout.test": ["TIMEOUT"],
  "_dmarc.http500.test": ["HTTP500"],
  "_dmarc.garbage.test": ["GARBAGE"],
  "_dmarc.alias.test": ["CNAME policies.reject.test"],
  "policies.reject.test": ["TXT v=DMARC1; p=quarantine; rua=mailto:rua@alias.test"],
  "_dmarc.alias-loop.test": ["CNAME _dmarc.alias-loop.test"],
  // How records are written: what is one, and what only looks like one.
  "_dmarc.version-upper.test": ["TXT V=DMARC1; P=Reject; RUA=mailto:rua@version-upper.test"],
  "_dmarc.white-space.test": ["TXT v = DMARC1 ;\tp = reject ; rua = mailto:rua@white-space.test ; "],
  "_dmarc.leading-space.test": ["TXT  v=DMARC1; p=reject; rua=mailto:rua@leading-space.test"],
  "_dmarc.quoted.test": ['TXT "v=DMARC1; p=reject; rua=mailto:rua@quoted.test"'],
  "_dmarc.escaped.test": ["TXT v=DMARC1\\; p=reject\\; rua=mailto:rua@escaped.test"],
  "_dmarc.no-semicolon.test": ["TXT v=DMARC1 p=reject; rua=mailto:rua@no-semicolon.test"],
  "_dmarc.mistaken-beside.test": [
    "TXT v=DMARC1; p=reject; rua=mailto:rua@mistaken-beside.test",
    "TXT v=dmarc1; p=none",
  ],
  "_dmarc.strings.test": ['TXT "v=DMARC1; p=rej" "ect; rua=mailto:rua@strings.test"'],
  "_dmarc.missing-separator.test": ["TXT v=DMARC1; p=reject rua=mailto:rua@missing-separator.test"],
  "_dmarc.trailing.test": ["TXT v=DMARC1; p=reject; rua=mailto:rua@trailing.test; -- end"],
  "_dmarc.empty-value.test": ["TXT v=DMARC1; p=reject; sp=; rua=mailto:rua@empty-value.test"],
  "_dmarc.invalid-pct.test": ["TXT v=DMARC1; p=reject; pct=half; rua=mailto:rua@invalid-pct.test"],
  "_dmarc.full-pct.test": ["TXT v=DMARC1; p=reject; pct=100; rf=afrf; rua=mailto:rua@full-pct.test"],
  "_dmarc.repeated-rua.test": [
    "TXT v=DMARC1; p=reject; rua=mailto:a@repeated-rua.test; rua=mailto:b@repeated-rua.test",
  ],
  "_dmarc.fo-both.test": ["TXT v=DMARC1; p=reject; fo=0:1:d:s; rua=mailto:a@fo-both.test; ruf=mailto:a@fo-both.test"],
  "_dmarc.fo-every.test": ["TXT v=DMARC1; p=reject; fo=1:d:s; rua=mailto:a@fo-every.test; ruf=mailto:a@fo-every.test"],
  "_dmarc.fo-alone.test": ["TXT v=DMARC1; p=reject; fo=1; rua=mailto:a@fo-alone.test"],
  "_dmarc.testing-quarantine.test": ["TXT v=DMARC1; p=quarantine; t=y; rua=mailto:rua@testing-quarantine.test"],
  "_dmarc.testing-invalid.test": ["TXT v=DMARC1; p=reject; t=yes; rua=mailto:rua@testing-invalid.test"],
  "*.wildcard.test": ["TXT v=spf1 -all"],
  "wildcard.test": ["A 192.0.2.1"],
  "_dmarc.alias-nowhere.test": ["CNAME nowhere.reject.test"],
  "_dmarc.refused-answer.test": ["REFUSED"],
  "_dmarc.truncated.test": ["TRUNCATED"],
  // Subdomains: what holds for them, and what does not.
  "_dmarc.inherited.test": ["TXT v=DMARC1; p=none; sp=reject; np=quarantine; rua=mailto:rua@inherited.test"],
  "child.inherited.test": ["A 192.0.2.1"],
  "_dmarc.own.inherited.test": ["TXT v=DMARC1; p=quarantine; sp=none; rua=mailto:rua@inherited.test"],
  "_dmarc.several.inherited.test": ["TXT v=DMARC1; p=none", "TXT v=DMARC1; p=reject"],
  "several.inherited.test": ["A 192.0.2.1"],
  "_dmarc.unanswered.inherited.test": ["SERVFAIL"],
  // Top-level domains: one that says that it is a public suffix, and one that only has a record.
  "_dmarc.registry": ["TXT v=DMARC1; p=reject; sp=quarantine; np=reject; psd=y; rua=mailto:rua@nic.registry"],
  "bare.registry": ["A 192.0.2.1"],
  "_dmarc.equipped.registry": ["TXT v=DMARC1; p=none; rua=mailto:rua@equipped.registry"],
  "_dmarc.brand": ["TXT v=DMARC1; p=reject; rua=mailto:rua@nic.brand"],
  "shop.brand": ["A 192.0.2.1"],
  "_dmarc.division.brand": ["TXT v=DMARC1; p=none; rua=mailto:rua@division.brand"],
  // A subdomain's own boundary: psd=n at it makes it an organizational domain of its own.
  "_dmarc.division.boundary.test": ["TXT v=DMARC1; p=none; psd=n; rua=mailto:rua@division.boundary.test"],
  "_dmarc.boundary.test": ["TXT v=DMARC1; p=reject; sp=reject; rua=mailto:rua@boundary.test"],
  // Nine labels: names between the full one and the last seven are never asked.
  "_dmarc.e.f.g.h.i.eight.test": ["TXT v=DMARC1; p=reject; rua=mailto:rua@eight.test"],
  "_dmarc.d.e.f.g.h.i.eight.test": ["TXT v=DMARC1; p=none; rua=mailto:rua@eight.test"],
};

const DESTINATIONS: Zones = {
  "_dmarc.authorized.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@collector.test"],
  "authorized.test._report._dmarc.collector.test": ["TXT v=DMARC1"],
  "_dmarc.refused.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@closed.test"],
  "_dmarc.redirected.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@collector.test"],
  "redirected.test._report._dmarc.collector.test": ["TXT v=DMARC1; rua=mailto:other@collector.test"],
  "_dmarc.redirected-away.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@collector.test"],
  "redirected-away.test._report._dmarc.collector.test": ["TXT v=DMARC1; rua=mailto:other@elsewhere.test"],
  "_dmarc.unanswered-destination.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@slow.test"],
  "unanswered-destination.test._report._dmarc.slow.test": ["SERVFAIL"],
  "_dmarc.web-destination.test": ["TXT v=DMARC1; p=reject; rua=https://web-destination.test/rua"],
  "_dmarc.sized.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@sized.test!10m"],
  "*._report._dmarc.open.test": ["TXT v=DMARC1;"],
  "_dmarc.wildcard-permit.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@open.test"],
  "_dmarc.permit-without-version.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@collector.test"],
  "permit-without-version.test._report._dmarc.collector.test": ["TXT ok"],
  "_dmarc.permit-beside-others.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@collector.test"],
  "permit-beside-others.test._report._dmarc.collector.test": ["TXT ok", "TXT v=DMARC1"],
  "_dmarc.failure-refused.test": [
    "TXT v=DMARC1; p=reject; rua=mailto:x@failure-refused.test; ruf=mailto:x@closed.test",
  ],
  "_dmarc.inside.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@rua.inside.test"],
  "_dmarc.inside-boundary.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@own.inside-boundary.test"],
  "_dmarc.own.inside-boundary.test": ["TXT v=DMARC1; p=reject; psd=n; rua=mailto:x@own.inside-boundary.test"],
  "_dmarc.web-beside.test": ["TXT v=DMARC1; p=reject; rua=https://web-beside.test/rua,mailto:x@web-beside.test"],
  "_dmarc.no-scheme.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@no-scheme.test, y@no-scheme.test"],
  "_dmarc.slashes.test": ["TXT v=DMARC1; p=reject; rua=mailto://x@slashes.test"],
  "_dmarc.three-addresses.test": [
    "TXT v=DMARC1; p=reject; rua=mailto:a@three-addresses.test,mailto:b@three-addresses.test,mailto:c@three-addresses.test",
  ],
  "_dmarc.encoded.test": ["TXT v=DMARC1; p=reject; rua=mailto:x%2Cy@encoded.test"],
};

const SPF: Zones = {
  "good.spf.test": ["TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"],
  "none.spf.test": ["TXT hello"],
  "several.spf.test": ["TXT v=spf1 -all", "TXT v=spf1 ~all"],
  "ten.spf.test": [`TXT v=spf1 ${includes("n", 10)} -all`],
  "eleven.spf.test": [`TXT v=spf1 ${includes("n", 11)} -all`],
  "eight.spf.test": [`TXT v=spf1 ${includes("n", 8)} -all`],
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [`n${index}.spf.test`, [`TXT v=spf1 ip4:192.0.2.${index} -all`]]),
  ),
  "nested.spf.test": ["TXT v=spf1 include:ten-below.spf.test include:n0.spf.test -all"],
  "ten-below.spf.test": [`TXT v=spf1 ${includes("n", 10)} -all`],
  "loop.spf.test": ["TXT v=spf1 include:loop-two.spf.test -all"],
  "loop-two.spf.test": ["TXT v=spf1 include:loop.spf.test -all"],
  "self.spf.test": ["TXT v=spf1 include:self.spf.test -all"],
  "void.spf.test": ["TXT v=spf1 a:void1.spf-empty.test a:void2.spf-empty.test mx:void3.spf-empty.test -all"],
  "two-void.spf.test": ["TXT v=spf1 a:void1.spf-empty.test a:void2.spf-empty.test -all"],
  "include-nothing.spf.test": ["TXT v=spf1 include:void1.spf-empty.test -all"],
  "include-several.spf.test": ["TXT v=spf1 include:several.spf.test -all"],
  "include-broken.spf.test": ["TXT v=spf1 include:syntax.spf.test -all"],
  "syntax.spf.test": ["TXT v=spf1 ip4:192.0.2.256 -all"],
  "typo.spf.test": ["TXT v=spf1 inlcude:good.spf.test -all"],
  "address-alone.spf.test": ["TXT v=spf1 192.0.2.1 -all"],
  "plus-all.spf.test": ["TXT v=spf1 +all"],
  "bare-all.spf.test": ["TXT v=spf1 all"],
  "neutral.spf.test": ["TXT v=spf1 ip4:192.0.2.1 ?all"],
  "no-all.spf.test": ["TXT v=spf1 ip4:192.0.2.1"],
  "after-all.spf.test": ["TXT v=spf1 -all ip4:192.0.2.1"],
  "redirect.spf.test": ["TXT v=spf1 redirect=good.spf.test"],
  "redirect-ignored.spf.test": ["TXT v=spf1 redirect=void1.spf-empty.test -all"],
  "redirect-nothing.spf.test": ["TXT v=spf1 redirect=void1.spf-empty.test"],
  "ptr.spf.test": ["TXT v=spf1 ptr -all"],
  "macro.spf.test": ["TXT v=spf1 exists:%{i}.allow.spf.test -all"],
  "mx.spf.test": ["TXT v=spf1 mx -all", "MX 10 mail.spf.test"],
  "mail.spf.test": ["A 192.0.2.25", "AAAA 2001:db8::25"],
  "many-mx.spf.test": ["TXT v=spf1 mx -all", ...Array.from({ length: 11 }, (_, index) => `MX 10 m${index}.spf.test`)],
  "long.spf.test": [`TXT v=spf1 ${Array.from({ length: 40 }, (_, index) => `ip4:198.51.100.${index}`).join(" ")} -all`],
  "unanswered.spf.test": ["SERVFAIL"],
  "include-unanswered.spf.test": ["TXT v=spf1 include:unanswered.spf.test -all"],
  "eleven-behind-all.spf.test": [`TXT v=spf1 ip4:192.0.2.1 -all ${includes("n", 11)}`],
  "eleven-by-redirect.spf.test": [`TXT v=spf1 ${includes("n", 5)} redirect=five-more.spf.test`],
  "five-more.spf.test": [`TXT v=spf1 ${includes("n", 5)} -all`],
  "ten-by-redirect.spf.test": [`TXT v=spf1 ${includes("n", 4)} redirect=five-more.spf.test`],
  "redirect-loop.spf.test": ["TXT v=spf1 redirect=redirect-loop.spf.test"],
  "two-redirects.spf.test": ["TXT v=spf1 redirect=good.spf.test redirect=good.spf.test"],
  "two-exps.spf.test": ["TXT v=spf1 exp=why.spf.test exp=why.spf.test -all"],
  "exp.spf.test": ["TXT v=spf1 -all exp=%{ir}.why.spf.test"],
  "redirect-colon.spf.test": ["TXT v=spf1 redirect:good.spf.test"],
  "equals.spf.test": ["TXT v=spf1 ip4=192.0.2.1 include=good.spf.test -all"],
  "version-twice.spf.test": ["TXT v=spf1 ip4:192.0.2.1 v=spf1 -all"],
  "upper-case.spf.test": ["TXT V=SPF1 IP4:192.0.2.1 IP6:2001:DB8::/32 INCLUDE:GOOD.SPF.TEST -ALL"],
  "no-space.spf.test": ["TXT v=spf1include:good.spf.test -all"],
  "quoted.spf.test": ['TXT "v=spf1 ip4:192.0.2.1 -all"'],
  "leading-space.spf.test": ["TXT  v=spf1 ip4:192.0.2.1 -all"],
  "no-version.spf.test": ["TXT spf1 ip4:192.0.2.1 -all"],
  "version-two.spf.test": ["TXT spf2.0/pra ip4:192.0.2.1 -all"],
  "tab.spf.test": ["TXT v=spf1\tip4:192.0.2.1 -all"],
  "strings.spf.test": ['TXT "v=spf1 include:go" "od.spf.test -all"'],
  "strings-without-space.spf.test": ['TXT "v=spf1 include:good.spf.test" "ip4:192.0.2.1 -all"'],
  "address-of-a.spf.test": ["TXT v=spf1 a:192.0.2.1 -all"],
  "ip6-as-ip4.spf.test": ["TXT v=spf1 ip4:2001:db8::1 -all"],
  "dual.spf.test": ["TXT v=spf1 a:mail.spf.test/24//64 -all"],
  "dual-reversed.spf.test": ["TXT v=spf1 a:mail.spf.test//64/24 -all"],
  "dual-beyond.spf.test": ["TXT v=spf1 mx//129 -all"],
  "include-length.spf.test": ["TXT v=spf1 include:good.spf.test/24 -all"],
  "six-forms.spf.test": ["TXT v=spf1 ip6:::1 ip6:2001:db8:0:0:0:0:0:1/128 ip6:::ffff:192.0.2.1 ip6:::/16 -all"],
  "six-wrong.spf.test": ["TXT v=spf1 ip6:2001:db8::1::2 -all"],
  "six-short.spf.test": ["TXT v=spf1 ip6:2001:db8:1 -all"],
  "leading-zero.spf.test": ["TXT v=spf1 ip4:192.0.2.0/024 -all"],
  "dash.spf.test": ["TXT v=spf1 ip4:192.0.2.1 \u2013all"],
  "dot-at-end.spf.test": ["TXT v=spf1 include:good.spf.test. -all"],
  "everybody-included.spf.test": ["TXT v=spf1 include:plus-all.spf.test -all"],
  "everybody-not-included.spf.test": ["TXT v=spf1 ?include:plus-all.spf.test -all"],
  "everybody-by-redirect.spf.test": ["TXT v=spf1 redirect=plus-all.spf.test"],
  "everybody-by-network.spf.test": ["TXT v=spf1 ip4:0.0.0.0/0 -all"],
  "halves.spf.test": ["TXT v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"],
  "macro-domain.spf.test": ["TXT v=spf1 include:_%{d} -all"],
  "_macro-domain.spf.test": ["TXT v=spf1 include:%{o2}.allow.spf.test -all"],
  "spf.test.allow.spf.test": ["TXT v=spf1 ip4:192.0.2.1 -all"],
  "macro-nowhere.spf.test": ["TXT v=spf1 include:%{dr}.nowhere.spf.test -all"],
  "macro-mail.spf.test": ["TXT v=spf1 include:%{i}._ip.%{h}._ehlo.%{d}._spf.vendor.test ~all"],
  "macro-unknown.spf.test": ["TXT v=spf1 exists:%{x}.allow.spf.test -all"],
  "macro-open.spf.test": ["TXT v=spf1 exists:%{i.allow.spf.test -all"],
  "macro-time.spf.test": ["TXT v=spf1 exists:%{t}.allow.spf.test -all"],
  "macro-slash.spf.test": ["TXT v=spf1 exists:%{d1r/}.allow.spf.test -all"],
  "exists-nothing.spf.test": ["TXT v=spf1 exists:void1.spf-empty.test -all"],
  "exists-six.spf.test": ["TXT v=spf1 exists:six-only.spf.test -all"],
  "six-only.spf.test": ["AAAA 2001:db8::1"],
  "a-of-six.spf.test": ["TXT v=spf1 a:six-only.spf.test -all"],
  "mx-nowhere.spf.test": ["TXT v=spf1 mx:void1.spf-empty.test -all"],
  "mx-null.spf.test": ["TXT v=spf1 mx -all", "MX 0 ."],
  "ten-mx.spf.test": ["TXT v=spf1 mx -all", ...Array.from({ length: 10 }, (_, index) => `MX 10 m${index}.spf.test`)],
  ...Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`m${index}.spf.test`, [`A 198.51.100.${index}`]])),
  "ptr-of.spf.test": ["TXT v=spf1 ptr:spf.test -all"],
  "refused.spf.test": ["REFUSED"],
  "truncated.spf.test": ["TRUNCATED"],
  "include-refused.spf.test": ["TXT v=spf1 include:refused.spf.test -all"],
  "alias.spf.test": ["CNAME good.spf.test"],
  "*.wild.spf.test": ["TXT v=spf1 -all"],
  "unknown-modifier.spf.test": ["TXT v=spf1 ip4:192.0.2.1 ra=postmaster -all"],
};

function includes(prefix: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `include:${prefix}${index}.spf.test`).join(" ");
}

/** A record of three strings, cut where a person would not. */
function inStrings(text: string): string {
  return `TXT ${[text.slice(0, 9), text.slice(9, 200), text.slice(200)].map((string) => `"${string}"`).join(" ")}`;
}

/** The form of a key of 8192 bits, as RSAPublicKey: making a real one takes a minute, and only its length is looked at. */
const HUGE_KEY = Buffer.concat([
  Buffer.from([0x30, 0x82, 0x04, 0x0a, 0x02, 0x82, 0x04, 0x01, 0x00]),
  Buffer.alloc(1024, 0xff),
  Buffer.from([0x02, 0x03, 0x01, 0x00, 0x01]),
]).toString("base64");

const DKIM: Zones = {
  "strong._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${rsaKey(2048)}`],
  "plain._domainkey.dkim.test": [`TXT p=${rsaKey(2048)}`],
  "pkcs1._domainkey.dkim.test": [`TXT v=DKIM1; p=${pkcs1Key(2048)}`],
  "weak._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${rsaKey(1024)}`],
  "short._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${rsaKey(768)}`],
  "curve._domainkey.dkim.test": [`TXT v=DKIM1; k=ed25519; p=${ed25519Key()}`],
  "revoked._domainkey.dkim.test": ["TXT v=DKIM1; p="],
  "testing._domainkey.dkim.test": [`TXT v=DKIM1; t=y; p=${rsaKey(2048)}`],
  "garbled._domainkey.dkim.test": ["TXT v=DKIM1; p=MIIB"],
  "sha1._domainkey.dkim.test": [`TXT v=DKIM1; h=sha1; p=${rsaKey(2048)}`],
  "twice._domainkey.dkim.test": [`TXT v=DKIM1; p=${rsaKey(2048)}`, `TXT v=DKIM1; p=${rsaKey(2048)}`],
  "alias._domainkey.dkim.test": ["CNAME strong._domainkey.dkim.test"],
  "tiny._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${rsaKey(512)}`],
  "almost._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${rsaKey(2040)}`],
  "large._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${rsaKey(4096)}`],
  "huge._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${HUGE_KEY}`],
  "strings._domainkey.dkim.test": [inStrings(`v=DKIM1; k=rsa; p=${rsaKey(2048)}`)],
  "spaced._domainkey.dkim.test": [`TXT v = DKIM1 ; k = rsa ; p = ${rsaKey(2048).replace(/.{40}/g, "$& ")}`],
  "cut._domainkey.dkim.test": [`TXT v=DKIM1; k=rsa; p=${rsaKey(2048).slice(0, 230)}`],
  "no-base64._domainkey.dkim.test": ["TXT v=DKIM1; p=-----BEGIN PUBLIC KEY-----"],
  "escaped._domainkey.dkim.test": [`TXT v=DKIM1\\; k=rsa\\; p=${rsaKey(1024)}`],
  "strict._domainkey.dkim.test": [`TXT v=DKIM1; t=s; p=${rsaKey(2048)}`],
  "testing-strict._domainkey.dkim.test": [`TXT v=DKIM1; t=s:y; p=${rsaKey(2048)}`],
  "both-hashes._domainkey.dkim.test": [`TXT v=DKIM1; h=sha1:sha256; p=${rsaKey(2048)}`],
  "granularity._domainkey.dkim.test": [`TXT v=DKIM1; g=*; k=rsa; p=${rsaKey(2048)}`],
  "version-two._domainkey.dkim.test": [`TXT v=DKIM2; p=${rsaKey(2048)}`],
  "version-last._domainkey.dkim.test": [`TXT k=rsa; p=${rsaKey(2048)}; v=DKIM1`],
  "no-p._domainkey.dkim.test": ["TXT v=DKIM1; k=rsa"],
  "repeated._domainkey.dkim.test": [`TXT v=DKIM1; p=${rsaKey(2048)}; p=`],
  "other-service._domainkey.dkim.test": [`TXT v=DKIM1; s=tlsrpt; p=${rsaKey(2048)}`],
  "mail-service._domainkey.dkim.test": [`TXT v=DKIM1; s=email; p=${rsaKey(2048)}`],
  "other-type._domainkey.dkim.test": [`TXT v=DKIM1; k=dsa; p=${rsaKey(2048)}`],
  "short-curve._domainkey.dkim.test": ["TXT v=DKIM1; k=ed25519; p=AAAA"],
  "beside._domainkey.dkim.test": [`TXT v=DKIM1; p=${rsaKey(2048)}`, "TXT v=spf1 -all"],
  "alias-nowhere._domainkey.dkim.test": ["CNAME nowhere._domainkey.dkim.test"],
  "refused._domainkey.dkim.test": ["REFUSED"],
  "truncated._domainkey.dkim.test": ["TRUNCATED"],
  "unanswered._domainkey.dkim.test": ["SERVFAIL"],
};

/** The digits of a SHA-256. */
const HASH = "ab".repeat(32);

const MAIL_HOSTS: Zones = {
  "sts.test": ["MX 10 mx1.sts.test", "MX 20 mx2.sts.test", "DNSSEC"],
  "mta-sts.sts.test": ["A 192.0.2.1"],
  "mx1.sts.test": ["A 192.0.2.26"],
  "_mta-sts.lost-sts.test": ["TXT v=STSv1; id=1;"],
  "_mta-sts.sts.test": ["TXT v=STSv1; id=20261127;"],
  "_smtp._tls.sts.test": ["TXT v=TLSRPTv1; rua=mailto:tls@sts.test"],
  "_25._tcp.mx1.sts.test": [`TLSA 3 1 1 ${HASH}`, "DNSSEC"],
  "_25._tcp.mx2.sts.test": [`TLSA 3 1 1 ${HASH}`, "DNSSEC"],
  "default._bimi.sts.test": ["TXT v=BIMI1; l=https://sts.test/logo.svg;"],
  "_dmarc.sts.test": ["TXT v=DMARC1; p=reject; rua=mailto:rua@sts.test"],
  "_mta-sts.several-sts.test": ["TXT v=STSv1; id=1;", "TXT v=STSv1; id=2;"],
  "_mta-sts.bad-id.test": ["TXT v=STSv1; id=2026-11-27;"],
  "_smtp._tls.several-tls.test": ["TXT v=TLSRPTv1; rua=mailto:a@x.test", "TXT v=TLSRPTv1; rua=mailto:b@x.test"],
  "_smtp._tls.no-address.test": ["TXT v=TLSRPTv1; rua=ftp://x"],
  "_smtp._tls.web-address.test": ["TXT v=TLSRPTv1; rua=https://web-address.test/report"],
  "half-dane.test": ["MX 10 a.half-dane.test", "MX 20 b.half-dane.test", "DNSSEC"],
  "_25._tcp.a.half-dane.test": [`TLSA 3 1 1 ${HASH}`, "DNSSEC"],
  "unsigned-dane.test": ["MX 10 a.unsigned-dane.test"],
  "_25._tcp.a.unsigned-dane.test": [`TLSA 3 1 1 ${HASH}`],
  "web-dane.test": ["MX 10 a.web-dane.test"],
  "_25._tcp.a.web-dane.test": [`TLSA 1 0 1 ${HASH}`, "DNSSEC"],
  "null-mx.test": ["MX 0 ."],
  "bare-mail.test": ["A 192.0.2.1"],
  "_mta-sts.implicit-sts.test": ["TXT v=STSv1; id=1;"],
  "implicit-sts.test": ["A 192.0.2.1"],
  "insecure-mx.test": ["MX 10 a.insecure-mx.test"],
  "_25._tcp.a.insecure-mx.test": [`TLSA 3 1 1 ${HASH}`, "DNSSEC"],
  "address-alone.test": ["A 192.0.2.1", "DNSSEC"],
  "_25._tcp.address-alone.test": [`TLSA 3 1 1 ${HASH}`, "DNSSEC"],
  "authority-dane.test": ["MX 10 a.authority-dane.test", "DNSSEC"],
  "_25._tcp.a.authority-dane.test": [`TLSA 2 0 1 ${HASH}`, `TLSA 0 0 1 ${HASH}`, "DNSSEC"],
  "public-dane.test": ["MX 10 a.public-dane.test", "DNSSEC"],
  "_25._tcp.a.public-dane.test": [`TLSA 0 0 1 ${HASH}`, "DNSSEC"],
  "short-dane.test": ["MX 10 a.short-dane.test", "DNSSEC"],
  "_25._tcp.a.short-dane.test": ["TLSA 3 1 1 aabb", "DNSSEC"],
  "whole-dane.test": ["MX 10 a.whole-dane.test", "DNSSEC"],
  "_25._tcp.a.whole-dane.test": ["TLSA 3 0 0 3082aabb", `TLSA 3 1 2 ${HASH}${HASH}`, "DNSSEC"],
  "selector-dane.test": ["MX 10 a.selector-dane.test", "DNSSEC"],
  "_25._tcp.a.selector-dane.test": [`TLSA 3 2 1 ${HASH}`, "DNSSEC"],
  "lame-dane.test": ["MX 10 a.lame-dane.test", "DNSSEC"],
  "_25._tcp.a.lame-dane.test": ["SERVFAIL"],
  "_mta-sts.lower-sts.test": ["TXT v=stsv1; id=1;"],
  "_mta-sts.long-id.test": [`TXT v=STSv1; id=${"1".repeat(33)};`],
  "_mta-sts.no-id.test": ["TXT v=STSv1;"],
  "_mta-sts.alias-sts.test": ["CNAME _mta-sts.sts.test"],
  "alias-sts.test": ["MX 10 mx1.sts.test"],
  "_smtp._tls.both-tls.test": ["TXT v=TLSRPTv1; rua=mailto:a@both-tls.test,https://both-tls.test/report"],
  "_smtp._tls.half-tls.test": ["TXT v=TLSRPTv1; rua=mailto:a@half-tls.test, b@half-tls.test"],
  "_smtp._tls.lower-tls.test": ["TXT v=tlsrptv1; rua=mailto:a@lower-tls.test"],
  "_smtp._tls.extended-tls.test": ["TXT v=TLSRPTv1;rua=mailto:a@extended-tls.test;ext=1;"],
  "default._bimi.several-bimi.test": ["TXT v=BIMI1; l=https://a.test/l.svg", "TXT v=BIMI1; l=https://b.test/l.svg"],
  "default._bimi.certified.test": ["TXT v=BIMI1; l=https://certified.test/l.svg; a=https://certified.test/vmc.pem"],
  "default._bimi.bad-certificate.test": [
    "TXT v=BIMI1; l=https://certified.test/l.svg; a=http://certified.test/vmc.pem",
  ],
  "default._bimi.weak-subdomains.test": ["TXT v=BIMI1; l=https://weak-subdomains.test/l.svg"],
  "_dmarc.weak-subdomains.test": ["TXT v=DMARC1; p=reject; sp=none; rua=mailto:a@weak-subdomains.test"],
  "default._bimi.half-pct.test": ["TXT v=BIMI1; l=https://half-pct.test/l.svg"],
  "_dmarc.half-pct.test": ["TXT v=DMARC1; p=quarantine; pct=50; rua=mailto:a@half-pct.test"],
  "default._bimi.no-logo.test": ["TXT v=BIMI1; l=http://no-logo.test/logo.svg"],
  "default._bimi.declined.test": ["TXT v=BIMI1; l=; "],
};

/** All of them, made anew: a test may change its own. */
export function zoo(): Zones {
  return withMailServers({ ...DMARC, ...DESTINATIONS, ...SPF, ...DKIM, ...MAIL_HOSTS });
}

const SIX = reverseLabels("2001:db8::25")?.text ?? "";

const ADDRESSES: Zones = {
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

/** Addresses with names, without, and with false ones. */
export function addressZones(): Zones {
  return { ...ADDRESSES };
}

/** Domains that a source is to be let in by, each named for what its record is like. */
const TO_BE_ADDED: Zones = {
  "none.add.test": ["A 192.0.2.10"],
  "one.add.test": ["TXT other=1", "TXT v=spf1 ip4:192.0.2.0/24 -all", "A 198.51.100.10", "MX 10 mx.add.test"],
  "mx.add.test": ["A 198.51.100.25", "AAAA 2001:db8::25"],
  "bounce.one.add.test": ["TXT v=spf1 include:one.add.test ~all"],
  "redirect.add.test": ["TXT v=spf1 redirect=one.add.test"],
  "no-all.add.test": ["TXT v=spf1 ip4:192.0.2.1"],
  "seven.add.test": [`TXT v=spf1 ${includes("n", 7)} -all`],
  "nine.add.test": [`TXT v=spf1 ${includes("n", 9)} -all`],
  "ten.add.test": [`TXT v=spf1 ${includes("n", 10)} -all`],
  "eleven.add.test": [`TXT v=spf1 ${includes("n", 11)} -all`],
  "soft.add.test": ["TXT v=spf1 ~ip4:203.0.113.0/24 ?include:n1.spf.test -all"],
  "refused-before.add.test": ["TXT v=spf1 -ip4:203.0.113.0/24 ip4:192.0.2.0/24 -all"],
  "google.add.test": ["TXT v=spf1 INCLUDE:_SPF.google.com -all"],
  "google-below.add.test": ["TXT v=spf1 include:google.add.test -all"],
  "google-redirect.add.test": ["TXT v=spf1 redirect=_spf.google.com"],
  "google-neutral.add.test": ["TXT v=spf1 ?include:_spf.google.com -all"],
  "google-behind-all.add.test": ["TXT v=spf1 -all include:_spf.google.com"],
  "mistaken.add.test": ["TXT v=spf1include:one.add.test -all"],
  "inner.property.test": ["TXT v=spf1 -ip4:203.0.113.7 ip4:203.0.113.0/24 -all"],
  "soft.property.test": ["TXT v=spf1 ~ip4:192.0.2.0/25 ip4:192.0.2.0/24 ~all"],
  "open.property.test": ["TXT v=spf1 include:inner.property.test ?all"],
  "syntax.add.test": ["TXT v=spf1 ip4:192.0.2.256 -all"],
  "several.add.test": ["TXT v=spf1 -all", "TXT v=spf1 ~all"],
  "unanswered.add.test": ["SERVFAIL"],
  "below-unanswered.add.test": ["TXT v=spf1 include:unanswered.add.test -all"],
  "exp.add.test": ["TXT v=spf1 ip4:192.0.2.1 exp=%{ir}.why.add.test"],
  "exp-all.add.test": ["TXT v=spf1 exp=why.add.test ip4:192.0.2.1 -all"],
  "macro.add.test": ["TXT v=spf1 exists:%{i}.allow.add.test include:%{d}.spf.vendor.test -all"],
  "macro.add.test.spf.vendor.test": ["TXT v=spf1 ip4:192.0.2.1 -all"],
  "behind-all.add.test": ["TXT v=spf1 ip4:192.0.2.1 -all ip4:203.0.113.7"],
  "three-void.add.test": ["TXT v=spf1 a:v1.spf-empty.test a:v2.spf-empty.test a:v3.spf-empty.test -all"],
  "long.add.test": [`TXT v=spf1 ${Array.from({ length: 14 }, (_, index) => `ip4:198.51.100.${index}`).join(" ")} -all`],
  "longer.add.test": [
    `TXT v=spf1 ${Array.from({ length: 25 }, (_, index) => `ip4:198.51.100.${index}`).join(" ")} -all`,
  ],
  "_spf.google.com": ["TXT v=spf1 include:_netblocks.google.com ~all"],
  "_netblocks.google.com": ["TXT v=spf1 ip4:203.0.113.0/25 ~all"],
  "spf.messagingengine.com": ["SERVFAIL"],
};

/** Those, with what they include. */
export function spfZones(): Zones {
  return { ...SPF, ...TO_BE_ADDED };
}
