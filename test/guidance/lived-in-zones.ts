/**
 * More zones for the zoo: what is found at domains that are in use, where the fault is not in a record's text alone: names,
 * aliases, wildcards, signatures, keys that were changed, services that were left. Each is named for it, all under `test`.
 */
import { withMailServers, type Zones } from "../support/dns-server.ts";
import { rsaKey } from "../support/public-keys.ts";

const KEY = `TXT v=DKIM1; k=rsa; p=${rsaKey()}`;
const HASH = "ab".repeat(32);

/** So long that a permission for it has no room before the host that would give it. */
export const LONG = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(45)}.test`;

const DMARC: Zones = {
  // A record that is not where it was meant to be.
  "_dmarc.doubled.test.doubled.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@doubled.test"],
  "dmarc.bare-name.test": ["TXT v=DMARC1; p=none; rua=mailto:x@bare-name.test"],
  "_dmarc.doubled-beside.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@doubled-beside.test"],
  "_dmarc.doubled-beside.test.doubled-beside.test": ["TXT v=DMARC1; p=none"],
  "*.catch-text.test": ["TXT google-site-verification=1"],
  "catch-text.test": ["A 192.0.2.1"],
  "*.catch-alias.test": ["CNAME parking.vendor.test"],
  "catch-alias.test": ["A 192.0.2.1"],
  "parking.vendor.test": ["A 192.0.2.1"],
  // Wildcards and the names below.
  "_dmarc.np-wild.test": ["TXT v=DMARC1; p=quarantine; np=reject; rua=mailto:x@np-wild.test"],
  "*.np-wild.test": ["A 192.0.2.1"],
  "_dmarc.np-same.test": ["TXT v=DMARC1; p=reject; np=reject; rua=mailto:x@np-same.test"],
  "*.np-same.test": ["A 192.0.2.1"],
  "*.whole-wild.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@whole-wild.test"],
  "_dmarc.several-wild.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@several-wild.test"],
  "*.several-wild.test": ["TXT v=DMARC1; p=none", "TXT v=DMARC1; p=reject"],
  // Who takes reports.
  "_dmarc.beside-wildcard.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@host.test"],
  "*._report._dmarc.host.test": ["TXT v=DMARC1;"],
  "other.test._report._dmarc.host.test": ["TXT v=DMARC1;"],
  "_dmarc.by-wildcard.brand": ["TXT v=DMARC1; p=reject; rua=mailto:x@host.test"],
  [`_dmarc.${LONG}`]: ["TXT v=DMARC1; p=reject; rua=mailto:x@collector.test"],
  "_dmarc.one-of-three.test": [
    "TXT v=DMARC1; p=reject; rua=mailto:x@collector.test,mailto:y@one-of-three.test,mailto:z@closed.test",
  ],
  "one-of-three.test._report._dmarc.collector.test": ["TXT v=DMARC1"],
  // Policies of names below.
  "_dmarc.sp-none.test": ["TXT v=DMARC1; p=reject; sp=none; rua=mailto:x@sp-none.test"],
  "_dmarc.np-none.test": ["TXT v=DMARC1; p=quarantine; np=none; rua=mailto:x@np-none.test"],
  "_dmarc.sp-strict.test": ["TXT v=DMARC1; p=none; sp=reject; rua=mailto:x@sp-strict.test"],
  // Tags that were removed, with values of every kind.
  "_dmarc.old-tags.test": ["TXT v=DMARC1; p=reject; pct=100; rf=afrf:iodef; ri=3600; rua=mailto:x@old-tags.test"],
  "_dmarc.ri-word.test": ["TXT v=DMARC1; p=reject; ri=daily; rua=mailto:x@ri-word.test"],
  "_dmarc.no-p.test": ["TXT v=DMARC1; rua=mailto:x@no-p.test; adkim=s"],
  "_dmarc.empty-p.test": ["TXT v=DMARC1; p=; rua=mailto:x@empty-p.test"],
  "_dmarc.no-p-sp.test": ["TXT v=DMARC1; sp=reject; rua=mailto:x@no-p-sp.test"],
  "_dmarc.eleven-addresses.test": [
    `TXT v=DMARC1; p=none; rua=${Array.from({ length: 11 }, (_, index) => `mailto:a${index}@eleven-addresses.test`).join(",")}`,
  ],
  "_dmarc.control.test": ["TXT v=DMARC1; p=reject;\u0001 rua=mailto:x@control.test"],
  "_dmarc.null-byte.test": ["TXT v=DMARC1; p=reject\u0000; rua=mailto:x@null-byte.test"],
  "_dmarc.empty-text.test": ["TXT "],
  "_dmarc.four-thousand.test": [`TXT v=DMARC1; p=reject; rua=mailto:x@four-thousand.test; n=${"x".repeat(4000)}`],
  // Aliases and answers.
  "_dmarc.five-aliases.test": ["CNAME a1.vendor.test"],
  "a1.vendor.test": ["CNAME a2.vendor.test"],
  "a2.vendor.test": ["CNAME a3.vendor.test"],
  "a3.vendor.test": ["CNAME a4.vendor.test"],
  "a4.vendor.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@five-aliases.test"],
  "_dmarc.two-loop.test": ["CNAME loop.two-loop.test"],
  "loop.two-loop.test": ["CNAME _dmarc.two-loop.test"],
  "_dmarc.alias-left.test": ["CNAME alias-left.test.gone.vendor.test"],
  "_mta-sts.alias-left.test": ["CNAME alias-left.test.sts.gone-vendor.test"],
  "_smtp._tls.alias-left.test": ["CNAME alias-left.test.tls.gone-vendor.test"],
  "alias-left.test": ["MX 10 mx1.sts.test"],
  "_dmarc.bogus.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@bogus.test", "BOGUS"],
  "_dmarc.lame.test": ["SERVFAIL"],
  "_dmarc.part-bogus.test": ["TXT v=DMARC1; p=reject; rua=mailto:x@far.test"],
  "part-bogus.test._report._dmarc.far.test": ["TXT v=DMARC1", "BOGUS"],
};

const SPF: Zones = {
  "doubled-spf.test.doubled-spf.test": ["TXT v=spf1 ip4:192.0.2.1 -all"],
  "namesake.lived.test": ["TXT v=spf1 -all"],
  "alone.lived.test": ["TXT v=spf1"],
  "bogus.lived.test": ["TXT v=spf1 -all", "BOGUS"],
  "below-bogus.lived.test": ["TXT v=spf1 include:bogus.lived.test -all"],
  "three-redirects.lived.test": ["TXT v=spf1 redirect=r1.lived.test"],
  "r1.lived.test": ["TXT v=spf1 redirect=r2.lived.test"],
  "r2.lived.test": ["TXT v=spf1 redirect=good.spf.test"],
  "redirect-to-nothing-below.lived.test": ["TXT v=spf1 include:to-nothing.lived.test -all"],
  "to-nothing.lived.test": ["TXT v=spf1 redirect=gone.lived.test"],
  "seven-bits.lived.test": ["TXT v=spf1 ip4:12.0.0.0/7 -all"],
  "eight-bits.lived.test": ["TXT v=spf1 ip4:12.0.0.0/8 -all"],
  "three-bits-six.lived.test": ["TXT v=spf1 ip6:2000::/3 -all"],
  "no-space-all.lived.test": ["TXT v=spf1 include:good.spf.test-all"],
  "no-space-four.lived.test": ["TXT v=spf1 ip4:192.0.2.1-all"],
  "no-space-macro.lived.test": ["TXT v=spf1 exists:%{i}.allow.spf.test~all"],
  "run-together.lived.test": ["TXT v=spf1 include:good.spf.testip4:192.0.2.1 -all"],
  "control.lived.test": ["TXT v=spf1 ip4:192.0.2.1\u0001 -all"],
  "comma-between.lived.test": ["TXT v=spf1 ip4:192.0.2.1, ip4:192.0.2.2, -all"],
  "ipv4-word.lived.test": ["TXT v=spf1 ipv4:192.0.2.1 ipv6:2001:db8::1 -all"],
  "three-mistakes.lived.test": ["TXT v=spf1 192.0.2.1 include:https://good.spf.test/ a:198.51.100.1 \u2013all;"],
  "repair-and-lost.lived.test": ["TXT v=spf1 ip4=192.0.2.1 include:gone.lived.test -all"],
  "twice-free.lived.test": ["TXT v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 -all"],
  "twice-costly.lived.test": ["TXT v=spf1 include:three-redirects.lived.test +include:Three-Redirects.lived.test -all"],
  "mx-eleven-below.lived.test": ["TXT v=spf1 include:many-mx.spf.test -all"],
  "exp-missing.lived.test": ["TXT v=spf1 ip4:192.0.2.1 -all exp=gone.lived.test"],
  "ptr-below.lived.test": ["TXT v=spf1 include:ptr.spf.test -all"],
  "neutral-below.lived.test": ["TXT v=spf1 include:neutral.spf.test -all"],
  "two-all-below.lived.test": ["TXT v=spf1 include:all-twice.ugly-spf.test ~all"],
  "mixed-case.lived.test": ["TXT v=SPF1 Include:GOOD.spf.TEST MX:mx.spf.test A:mail.spf.test -ALL"],
  "three-records.lived.test": [
    "TXT v=spf1 include:good.spf.test ~all",
    "TXT v=spf1 ip4:198.51.100.0/24 -all",
    "TXT v=spf1 mx ?all",
    "MX 10 mail.spf.test",
  ],
  "wild-spf.test": ["MX 10 mail.spf.test"],
  "*.wild-spf.test": ["TXT v=spf1 -all"],
};

const MAIL_HOSTS: Zones = {
  "sts-none.test": ["MX 10 mx1.sts.test"],
  "_mta-sts.sts-none.test": ["TXT v=STSv1; id=1;"],
  "bogus-mx.test": ["MX 10 mx.bogus-mx.test", "BOGUS"],
  "bogus-tlsa.test": ["MX 10 mx.bogus-tlsa.test", "DNSSEC"],
  "_25._tcp.mx.bogus-tlsa.test": [`TLSA 3 1 1 ${HASH}`, "BOGUS"],
  "key-doubled._domainkey.lived-dkim.test.lived-dkim.test": [KEY],
  "new._domainkey.lived-dkim.test": [KEY],
  "left._domainkey.lived-dkim.test": ["CNAME left.dkim.gone-vendor.test"],
  "emptied._domainkey.lived-dkim.test": ["TXT v=DKIM1; p="],
  "signed-badly._domainkey.lived-dkim.test": [KEY, "BOGUS"],
};

/** All of them, made anew: a test may change its own. */
export function livedInZones(): Zones {
  return withMailServers({ ...DMARC, ...SPF, ...MAIL_HOSTS });
}
