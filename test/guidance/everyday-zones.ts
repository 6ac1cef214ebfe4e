/**
 * More zones for the zoo: whole domains as their owners have them: parked, without mail, with addresses that lead nowhere, with
 * records pasted from a mail or a zone file. Each is named for what is odd about it, all under `test` or `example`.
 */
import type { Zones } from "../support/dns-server.ts";
import { ed25519Key, rsaKey } from "../support/public-keys.ts";

/** A domain with a mail server of its own. */
function withMail(domain: string, ...others: string[]): Zones {
  return { [domain]: [`MX 10 mx.${domain}`, ...others], [`mx.${domain}`]: ["A 192.0.2.25"] };
}

const MAIL: Zones = {
  // Where reports are to go.
  ...withMail("rua-nowhere.test"),
  "_dmarc.rua-nowhere.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@reports.rua-nowhere.test"],
  ...withMail("rua-typo.test"),
  "_dmarc.rua-typo.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@typo.example"],
  "rua-null.test": ["MX 0 .", "TXT v=spf1 -all"],
  "_dmarc.rua-null.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@rua-null.test"],
  "rua-host-gone.test": ["MX 10 gone.rua-host-gone.test"],
  "_dmarc.rua-host-gone.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@rua-host-gone.test"],
  "mx-address.test": ["MX 10 192.0.2.1"],
  "_dmarc.mx-address.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@mx-address.test"],
  "rua-website.test": ["A 192.0.2.1"],
  "_dmarc.rua-website.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@rua-website.test"],
  "rua-six.test": ["MX 10 mx.rua-six.test"],
  "mx.rua-six.test": ["AAAA 2001:db8::25"],
  "_dmarc.rua-six.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@rua-six.test"],
  "rua-silent.test": ["MX 10 mx.rua-silent.test"],
  "mx.rua-silent.test": ["SERVFAIL"],
  "_dmarc.rua-silent.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@rua-silent.test"],
  ...withMail("freemail.test"),
  ...withMail("mailbox.example"),
  "_dmarc.freemail.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@mailbox.example"],
  ...withMail("tls-nowhere.test"),
  "_smtp._tls.tls-nowhere.test": ["TXT v=TLSRPTv1; rua=mailto:d@nowhere.tls-nowhere.test"],
  // Domains that send or take no mail.
  "parked.test": ["A 192.0.2.1", "TXT v=spf1 -all"],
  "idle.test": ["MX 0 .", "TXT V=SPF1  -ALL"],
  "_dmarc.idle.test": ["TXT v=DMARC1; p=none; sp=none; rua=mailto:d@rua-website.test"],
  "idle.test._report._dmarc.rua-website.test": ["TXT v=DMARC1"],
  "*._domainkey.idle.test": ["TXT v=DKIM1; p="],
  "null-alone.test": ["A 192.0.2.1", "MX 0 ."],
  "null-sends.test": ["MX 0 .", "TXT v=spf1 ip4:192.0.2.1 -all"],
  // Names that nobody has, or nobody here.
  "co.uk": ["NS ns.nic.example"],
  "www.website.example": ["A 192.0.2.1"],
};

const FAILING: Zones = {
  ...withMail("circle.test", "TXT v=spf1 include:c1.circle.test -all"),
  "c1.circle.test": ["CNAME c2.circle.test"],
  "c2.circle.test": ["CNAME C1.circle.test"],
  "_dmarc.circle.test": ["CNAME _dmarc.circle.test"],
  "s1._domainkey.circle.test": ["CNAME s1._domainkey.circle.test"],
  "_mta-sts.circle.test": ["CNAME _mta-sts.circle.test"],
  "_smtp._tls.circle.test": ["CNAME _smtp._tls.circle.test"],
  "default._bimi.circle.test": ["CNAME default._bimi.circle.test"],
  ...withMail("bogus-tls.test"),
  "_smtp._tls.bogus-tls.test": ["TXT v=TLSRPTv1; rua=mailto:d@bogus-tls.test", "BOGUS"],
  "_mta-sts.bogus-tls.test": ["TXT v=STSv1; id=1;", "BOGUS"],
  "_dmarc.lame-below.test": ["SERVFAIL"],
  "_dmarc.slow-below.test": ["TIMEOUT"],
  ...withMail("wild-alias.test"),
  "*.wild-alias.test": ["CNAME web.host.example"],
  "web.host.example": ["A 192.0.2.1", "TXT v=spf1 -all"],
};

const DMARC: Zones = {
  "_dmarc.mailto-equals.test": ["TXT v=DMARC1; p=reject; rua=mailto=d@mailto-equals.test"],
  "_dmarc.mailto-twice.test": ["TXT v=DMARC1; p=reject; rua=mailto:mailto:d@mailto-twice.test"],
  "_dmarc.rua-colon.test": ["TXT v=DMARC1; p=reject; rua:mailto:d@rua-colon.test"],
  "_dmarc.link.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@link.test<mailto:d@link.test>"],
  "_dmarc.space-no-scheme.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@space-no-scheme.test e@space-no-scheme.test"],
  "_dmarc.semicolon-no-scheme.test": [
    "TXT v=DMARC1; p=reject; rua=mailto:d@semicolon-no-scheme.test; e@semicolon-no-scheme.test; adkim=s",
  ],
  "_dmarc.entity.test": ["TXT v=DMARC1;&nbsp;p=reject; rua=mailto:d@entity.test"],
  "_dmarc.xn--bcher-kva.example": ["TXT v=DMARC1; p=reject; rua=mailto:d@b\u00fccher.example"],
  "_dmarc.name-in-value.test": ["TXT _dmarc v=DMARC1; p=none; rua=mailto:d@name-in-value.test"],
  "_dmarc.zone-line.test": ['TXT _dmarc.zone-line.test. IN TXT "v=DMARC1; p=none; rua=mailto:d@zone-line.test"'],
  "_dmarc.many-labels.test": ["TXT v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@many-labels.test"],
};

const PASTED: Zones = {
  "_dmarc.en-dash.test": ["TXT v=DMARC1; p=reject; rua=mailto:dmarc\u2013reports@en-dash.test"],
  "_dmarc.wide.test": ["TXT v=DMARC1\uff1b p=none\uff1b rua=mailto:d@wide.test"],
  "_dmarc.double-equals.test": ["TXT v=DMARC1; p==none; rua=mailto:d@double-equals.test"],
  "_dmarc.two-tags.test": ["TXT v=DMARC1; p=reject; rua=mailto:a@two-tags.test; p=reject; rua=mailto:b@two-tags.test"],
  "_dmarc.misspelt-policy.test": ["TXT v=DMARC1; p=quarentine; rua=mailto:d@misspelt-policy.test"],
  "_dmarc.testing-pct.test": ["TXT v=DMARC1; p=quarantine; t=y; pct=0; rua=mailto:d@testing-pct.test"],
  "_dmarc.gov.uk": ["TXT v=DMARC1; p=reject; sp=none; rua=mailto:d@gov.uk"],
  "_dmarc.office.gov.uk": ["TXT v=DMARC1; p=reject; rua=mailto:d@office.gov.uk;"],
  "_dmarc.own.gov.uk": ["TXT v=DMARC1; p=reject; psd=n; rua=mailto:d@own.gov.uk"],
  "team.office.gov.uk": ["A 192.0.2.1"],
  "_dmarc.ruf-refused.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@ruf-refused.test; ruf=mailto:f@mailbox.example"],
  "_dmarc.parentheses.test": ['TXT ( "v=DMARC1; p=none; rua=mailto:d@parentheses.test" )'],
  "_dmarc.version-dot.test": ["TXT v=DMARC1.0; p=none; rua=mailto:d@version-dot.test"],
  "_dmarc.version-apart.test": ["TXT v=DMARC 1; p=none; rua=mailto:d@version-apart.test"],
  "_dmarc.version-forgotten.test": ["TXT p=none; rua=mailto:d@version-forgotten.test"],
  "_dmarc.comment.test": ["TXT v=DMARC1; p=none; rua=mailto:d@comment.test; # since 2021"],
  "_dmarc.rau.test": ["TXT v=DMARC1; p=quarantine; rau=mailto:d@rau.test"],
  "_dmarc.policy-word.test": ["TXT v=DMARC1; policy=reject; rua=mailto:d@policy-word.test"],
  "_dmarc.no-address.test": ["TXT v=DMARC1; p=quarantine;"],
  "_dmarc.two-records.test": [
    "TXT v=DMARC1; p=quarantine; aspf=s; rua=mailto:a@two-records.test,mailto:c@two-records.test",
    "TXT v=DMARC1; p=none; sp=none; rua=mailto:b@two-records.test,mailto:C@two-records.test",
  ],
  "_dmarc.two-equal.test": [
    "TXT v=DMARC1; p=reject; rua=mailto:a@two-equal.test",
    "TXT v=DMARC1;p=reject;rua=mailto:a@two-equal.test",
  ],
  "_dmarc.two-flawed.test": ["TXT v=DMARC1; p=reject; rua=mailto:a@two-flawed.test", "TXT v=DMARC1; p=monitor"],
  "_dmarc.two-hosted.test": ["CNAME two.vendor.example"],
  "two.vendor.example": ["TXT v=DMARC1; p=reject", "TXT v=DMARC1; p=none"],
  "_dmarc.alias-extended.test": ["CNAME alias-extended.test.hosted.vendor.example.alias-extended.test"],
  "alias-extended.test.hosted.vendor.example": ["TXT v=DMARC1; p=reject; rua=mailto:d@alias-extended.test"],
};

const SPF: Zones = {
  "wide-spf.test": ["TXT v=spf1 include\uff1avendor.example -all"],
  "length-apart.test": ["TXT v=spf1 ip4:192.0.2.0 /24 -all"],
  "semicolons.test": ["TXT v=spf1;include:vendor.example;ip4:192.0.2.1;-all"],
  "star.test": ["TXT v=spf1 ip4:203.0.113.* -all"],
  "at-sign.test": ["TXT v=spf1 include:@vendor.example -all"],
  "sign-behind.test": ["TXT v=spf1 ip4:192.0.2.1 all-"],
  "redirect-ignored.test": ["TXT v=spf1 redirect=vendor.example ~all"],
  "google-mail.test": ["MX 1 aspmx.l.google.com"],
  "microsoft-mail.test": ["MX 0 microsoft-mail-test.mail.protection.outlook.com"],
  "costly.test": [
    "TXT v=spf1 include:six.example include:three.example a mx -all",
    "A 192.0.2.1",
    "MX 10 mx.mailbox.example",
  ],
  "six.example": [`TXT v=spf1 ${"abcde".replace(/./g, "include:$&.vendor.example ")}-all`],
  "three.example": ["TXT v=spf1 include:a.vendor.example include:b.vendor.example -all"],
  ...Object.fromEntries([..."abcde"].map((name) => [`${name}.vendor.example`, ["TXT v=spf1 ip4:192.0.2.9 -all"]])),
  "split.test": ['TXT "v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/28" "ip4:192.0.2.3 -all"'],
  "split-include.test": ['TXT "v=spf1 ip4:192.0.2.1" "include:vendor.example" " ~all"'],
  "vendor.example": ["TXT v=spf1 ip4:192.0.2.9 -all"],
  "two-texts.test": ["TXT v=spf1 include:vendor.example ~all", "TXT include:vendor.example -all"],
  "no-version.test": ["TXT include:vendor.example ip4:192.0.2.1 -all"],
  "free-text.test": ["TXT spf-guard-verification=abc", "TXT v=spf1 ip4:192.0.2.1 -all"],
  "free-text-alone.test": ["TXT spf-site-verification=abc"],
  "spf-word.test": ["TXT spf=pass"],
  "byte-order-spf.test": ["TXT \ufeffv=spf1 ip4:192.0.2.1 -all"],
  "typographic-spf.test": ["TXT \u201cv=spf1 ip4:192.0.2.1 -all\u201d"],
  "zone-line-spf.test": ['TXT zone-line-spf.test. IN TXT "v=spf1 ip4:192.0.2.1 \u2013all"'],
  "dmarc-behind.test": ["TXT v=spf1 ip4:192.0.2.1 -all; v=DMARC1; p=reject"],
  "tilde.test": ["TXT v=spf1 ip4:192.0.2.1 \u223call"],
  "mx-without-address.test": ["MX 10 gone.mx-without-address.test", "TXT v=spf1 ip4:192.0.2.1 mx -all"],
  "private.test": ["TXT v=spf1 ip4:10.1.0.0/16 ip4:192.168.0.7 ip6:fd12:3456::/32 ip4:172.32.0.1 ip4:100.128.0.1 -all"],
  "private-below.test": ["TXT v=spf1 include:private.test -all"],
  "include-host.test": ["TXT v=spf1 include:mx.mailbox.example -all"],
};

/** A key of RSA, and one of Ed25519, as their records have them. */
export const KEY = rsaKey();
export const CURVE_KEY = ed25519Key();

const DKIM: Zones = {
  "two-records._domainkey.keys.test": [`TXT ${KEY.slice(200)}`, `TXT v=DKIM1; k=rsa; p=${KEY.slice(0, 200)}`],
  "bare-key._domainkey.keys.test": [`TXT ${KEY}`],
  "no-tag._domainkey.keys.test": [`TXT v=DKIM1; k=rsa; ${KEY}`],
  "no-separators._domainkey.keys.test": [`TXT v=DKIM1 k=rsa p=${KEY}`],
  "quoted-strings._domainkey.keys.test": [`TXT v=DKIM1; k=rsa; p=${KEY.slice(0, 200)}" "${KEY.slice(200)}`],
  "backslash._domainkey.keys.test": [`TXT v=DKIM1\\; k=rsa\\; p=${KEY}`],
  "file._domainkey.keys.test": [`TXT v=DKIM1; p=-----BEGIN PUBLIC KEY-----${KEY}-----END PUBLIC KEY-----`],
  "for-web._domainkey.keys.test": [`TXT v=DKIM1; k=rsa; p=${KEY.replaceAll("+", "-").replaceAll("/", "_")}`],
  "no-break._domainkey.keys.test": [`TXT v=DKIM1;\u00a0k=rsa;\u00a0p=${KEY}`],
  "no-type._domainkey.keys.test": [`TXT v=DKIM1; t=s; p=${CURVE_KEY}`],
  "cut._domainkey.keys.test": [`TXT v=DKIM1; k=rsa; p=${KEY.slice(0, 220)}`],
  "text-of-alias._domainkey.keys.test": ["TXT text-of-alias.vendor.example."],
  "text-of-alias.vendor.example": [`TXT v=DKIM1; k=rsa; p=${KEY}`],
  "extended._domainkey.keys.test": ["CNAME text-of-alias.vendor.example.keys.test"],
  "colons._domainkey.keys.test": [`TXT v=DKIM1; k:rsa; p:${KEY}`],
  "empty._domainkey.keys.test": ["TXT v=DKIM1; k=rsa"],
};

const TRANSPORT: Zones = {
  ...withMail("sts-doubled.test"),
  "_mta-sts.sts-doubled.test.sts-doubled.test": ["TXT v=STSv1; id=1;"],
  "_smtp._tls.sts-doubled.test.sts-doubled.test": ["TXT v=TLSRPTv1; rua=mailto:d@mailbox.example"],
  "_mta-sts.sts-quoted.test": ['TXT "v=STSv1; id=20240101T000000"'],
  "_mta-sts.sts-lower.test": ["TXT v=stsv1 id=7;"],
  "_mta-sts.sts-policy.test": ["TXT version: STSv1 mode: enforce mx: mx.sts-policy.test max_age: 604800"],
  ...withMail("sts-old.test", "MX 20 backup.sts-old.test"),
  "_mta-sts.sts-old.test": ["TXT v=STSv1; id=20230105T120000;"],
  "_smtp._tls.tls-bare.test": ["TXT v=TLSRPTv1; rua=d@mailbox.example"],
  "_smtp._tls.tls-size.test": ["TXT v=TLSRPTv1; rua=mailto:d@mailbox.example!10m"],
  "_smtp._tls.tls-quoted.test": ['TXT "v=TLSRPTv1; rua=mailto:d@mailbox.example"'],
  "_smtp._tls.tls-lower.test": ["TXT v=tlsrptv1 rua=mailto:d@mailbox.example"],
  "_smtp._tls.tls-spaces.test": ["TXT v=TLSRPTv1; rua=mailto:d@mailbox.example e@mailbox.example"],
  "_smtp._tls.tls-semicolon.test": ["TXT v=TLSRPTv1; rua=mailto:d@mailbox.example;mailto:e@mailbox.example"],
  "microsoft-hosts.test": ["MX 0 microsoft-hosts-test.o-v1.mx.microsoft"],
  "_mta-sts.microsoft-hosts.test": ["TXT v=STSv1; id=1;"],
  "default._bimi.bimi-quoted.test": ['TXT "v=BIMI1; l=https://bimi-quoted.test/l.svg"'],
  "alias-host.test": ["MX 10 a.alias-host.test", "DNSSEC"],
  "a.alias-host.test": ["CNAME b.alias-host.test", "DNSSEC"],
  "b.alias-host.test": ["A 192.0.2.1", "DNSSEC"],
  "_25._tcp.b.alias-host.test": [`TLSA 3 1 1 ${"ab".repeat(32)}`, "DNSSEC"],
  "_smtp._tls.tls-several.test": [
    "TXT v=TLSRPTv1; rua=mailto:d@mailbox.example",
    "TXT v=TLSRPTv1; rua=https://tls-several.test/v1",
  ],
  "_mta-sts.sts-dashes.test": ["TXT v=STSv1; id=2024-01-01T00:00"],
  "_smtp._tls.tls-other.test": ["TXT v=TLSRPTv1; rua=ftp://tls-other.test"],
  "_dmarc.week.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@week.test", "TTL 604800"],
  "_dmarc.zero.test": ["TXT v=DMARC1; p=reject; rua=mailto:d@zero.test", "TTL 0"],
};

/** All of them, made anew: a test may change its own. */
export function everydayZones(): Zones {
  return { ...MAIL, ...FAILING, ...DMARC, ...PASTED, ...SPF, ...DKIM, ...TRANSPORT };
}
