/** The checks of published records at whole domains, as `dmarc check` runs them: what owners have, and what they are told to do. */
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { CHECK_KINDS, type CheckKind, type Finding } from "../../shared/guidance/check.ts";
import { checkDomain, type DomainCheck } from "../../shared/guidance/domain-check.ts";
import { recordsToPublish } from "../../shared/guidance/records-to-publish.ts";
import { setupState } from "../../shared/guidance/setup-state.ts";
import { type StoredCheck, storedCheck, storedCheckOf, withUnchangedId } from "../../shared/guidance/stored-check.ts";
import { type DnsServer, startDnsServer, withMailServers } from "../support/dns-server.ts";
import { verdictOf } from "./check-line.ts";
import { CURVE_KEY, everydayZones, KEY } from "./everyday-zones.ts";

const RUA = "k7f3@rua.example";

let server: DnsServer;

beforeAll(async () => {
  // An address of the record pasted wrongly is to be one that mail reaches.
  const {
    "reports.rua-nowhere.test": _,
    "typo.example": __,
    "nowhere.tls-nowhere.test": ___,
    ...zones
  } = withMailServers(everydayZones());
  server = await startDnsServer(zones);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function check(domain: string, selectors: string[] = []): Promise<DomainCheck> {
  return await checkDomain(domain, {
    resolver: httpsResolver(server.url, fetch),
    fetchPolicy: async () => ({ problem: "the server answers 404", isUnanswered: false }),
    selectors: selectors.map((selector) => ({ selector, domain })),
    ruaAddress: RUA,
  });
}

async function finding(domain: string, kind: CheckKind, code: string): Promise<Finding | undefined> {
  return (await check(domain))[kind].findings.find((one) => one.code === code);
}

describe("an address that no report reaches", () => {
  test.each([
    ["rua-nowhere.test", "broken destination_without_mail"],
    ["rua-typo.test", "broken destination_without_mail"],
    ["rua-null.test", "broken destination_without_mail"],
    ["rua-host-gone.test", "broken destination_without_mail"],
    ["mx-address.test", "broken destination_without_mail"],
    // These may be reached, or nobody knows.
    ["rua-website.test", "good"],
    ["rua-six.test", "good"],
    ["rua-silent.test", "good"],
    ["freemail.test", "broken destination_refused"],
  ])("DMARC of %s: %s", async (domain, verdict) => {
    expect(verdictOf((await check(domain)).dmarc)).toBe(verdict);
  });

  test("is named, and a host that takes no mail is not asked to permit reports", async () => {
    const found = await finding("rua-typo.test", "dmarc", "destination_without_mail");
    expect(found?.sentence).toContain(
      "No reports arrive at mailto:d@typo.example: according to DNS, typo.example takes no mail.",
    );
    expect(found?.publish).toBeUndefined();
    const refused = await finding("freemail.test", "dmarc", "destination_refused");
    expect(refused?.sentence).toMatch(/It has to publish this record; or use an address in your own domain\.$/);
  });

  test("is named where a domain is being set up", async () => {
    const { dmarc } = await check("rua-nowhere.test");
    const { state, sentence } = setupState("d@reports.rua-nowhere.test", dmarc, false);
    expect([state, sentence]).toEqual([
      "waiting",
      "Everything is published, but no reports arrive: according to DNS, reports.rua-nowhere.test takes no mail. Publish its MX record.",
    ]);
  });

  test("may still send no report: the set-up says what to try", async () => {
    const { dmarc } = await check("rua-website.test");
    const { state, sentence } = setupState("d@rua-website.test", dmarc, false);
    expect([state, sentence]).toEqual([
      "waiting",
      "Everything is published. Receivers report once a day, about mail that they got: the first report comes within two days. " +
        "If none has come after three, send a mail from this domain to a Gmail or Yahoo address.",
    ]);
  });

  test("in the record of TLS reports", async () => {
    expect(verdictOf((await check("tls-nowhere.test")).tlsRpt)).toBe("broken destination_without_mail");
  });
});

describe("a domain that sends no mail", () => {
  test("is given p=reject at once", async () => {
    const parked = await finding("parked.test", "dmarc", "no_record");
    expect(parked?.publish?.value).toBe(`v=DMARC1; p=reject; rua=mailto:${RUA}`);
    expect(parked?.sentence).toContain("which sends none: its SPF record (v=spf1 -all) says so.");
    const nobody = await finding("null-alone.test", "dmarc", "no_record");
    expect(nobody?.publish?.value).toBe(`v=DMARC1; p=reject; rua=mailto:${RUA}`);
    const weak = await finding("idle.test", "dmarc", "policy_none");
    expect(weak?.publish?.value).toBe("v=DMARC1; p=reject; sp=none; rua=mailto:d@rua-website.test");
    // It says that it sends.
    const sends = await finding("null-sends.test", "dmarc", "no_record");
    expect(sends?.publish?.value).toBe(`v=DMARC1; p=none; rua=mailto:${RUA}`);
  });

  test("needs no keys, and no encryption of mail that it does not take", async () => {
    const idle = await check("idle.test", ["s1"]);
    expect(CHECK_KINDS.map((kind) => `${kind} ${verdictOf(idle[kind])}`)).toEqual([
      "dmarc attention policy_none",
      "spf good",
      "dkim good",
      "mtaSts good",
      "tlsRpt good",
      "dane good",
      "bimi good",
    ]);
    expect(idle.dkim.summary).toBe("The domain sends no mail");
    const parked = await check("parked.test");
    expect([verdictOf(parked.mtaSts), verdictOf(parked.tlsRpt), verdictOf(parked.dkim)]).toEqual([
      "attention no_null_mx",
      "good",
      "good",
    ]);
    expect(verdictOf((await check("rua-website.test")).mtaSts)).toBe("attention no_record");
  });

  test("is offered no TLS reports when it is added, and to reject", () => {
    const published = { dmarc: [], tls: [], sendsNothing: "its SPF record (v=spf1 -all) says so", takesNoMail: true };
    const records = recordsToPublish("parked.test", "d@parked.test", published);
    expect(records.map(({ name, value }) => `${name} ${value}`)).toEqual([
      "_dmarc.parked.test v=DMARC1; p=reject; rua=mailto:d@parked.test",
    ]);
    // What a domain above asks for goes on.
    const below = recordsToPublish("a.parked.test", "d@parked.test", {
      ...published,
      inherited: { policy: "quarantine", from: "parked.test" },
    });
    expect(below[0]?.value).toBe("v=DMARC1; p=quarantine; rua=mailto:d@parked.test");
  });
});

test.each([
  ["misspelt.test", "DNS has no domain misspelt.test: check its spelling, and whether it is registered."],
  ["co.uk", "co.uk is a public suffix: its records are its registry's."],
  ["www.website.example", "www.website.example is the name of a website"],
])("who checks %s is asked whether that was meant", async (domain, hint) => {
  expect((await finding(domain, "dmarc", "no_record"))?.sentence).toContain(hint);
});

describe("names that DNS fails for", () => {
  test("are aliases in a circle, in every check", async () => {
    const found = await check("circle.test", ["s1"]);
    expect(CHECK_KINDS.map((kind) => `${kind} ${verdictOf(found[kind])}`)).toEqual([
      "dmarc broken no_answer alias_loop",
      "spf broken no_answer alias_loop",
      "dkim broken no_answer alias_loop",
      "mtaSts broken no_answer alias_loop",
      "tlsRpt broken no_answer alias_loop",
      "dane good",
      "bimi broken no_answer alias_loop",
    ]);
    const said = found.spf.findings.map(({ sentence }) => sentence).join(" ");
    expect(said).toContain(
      "c1.circle.test is an alias (CNAME) that leads in a circle (c1.circle.test, c2.circle.test, c1.circle.test)",
    );
    expect(said).not.toContain("Check again later");
  });

  test("have signatures that do not validate, with MTA-STS and TLS reports too", async () => {
    const { mtaSts, tlsRpt } = await check("bogus-tls.test");
    expect([verdictOf(mtaSts), verdictOf(tlsRpt)]).toEqual([
      "broken no_answer dnssec_bogus",
      "broken no_answer dnssec_bogus",
    ]);
  });

  test("may be delegated to servers that do not know them; one that is slow is not", async () => {
    const lame = await finding("lame-below.test", "dmarc", "no_answer");
    expect(lame?.sentence).toContain(
      "Check again later. If it stays so, the name servers responsible for _dmarc.lame-below.test do not serve it",
    );
    const slow = await finding("slow-below.test", "dmarc", "no_answer");
    expect(slow?.sentence).toMatch(/so it is not known which record applies\. Check again later\.$/);
  }, 20_000);

  test("a wildcard's alias is none that has to go", async () => {
    const { mtaSts, tlsRpt, dkim } = await check("wild-alias.test", ["s1"]);
    for (const { findings } of [mtaSts, tlsRpt, dkim]) {
      expect(findings.map(({ sentence }) => sentence).join(" ")).not.toContain("(CNAME)");
    }
    expect(dkim.findings[0]?.sentence).toContain("Selector s1 has no key in DNS");
  });
});

describe("DMARC records that were pasted", () => {
  test.each([
    ["mailto-equals.test", "v=DMARC1; p=reject; rua=mailto:d@mailto-equals.test"],
    ["mailto-twice.test", "v=DMARC1; p=reject; rua=mailto:d@mailto-twice.test"],
    ["rua-colon.test", "v=DMARC1; p=reject; rua=mailto:d@rua-colon.test"],
    ["link.test", "v=DMARC1; p=reject; rua=mailto:d@link.test"],
    ["space-no-scheme.test", "v=DMARC1; p=reject; rua=mailto:d@space-no-scheme.test,mailto:e@space-no-scheme.test"],
    [
      "semicolon-no-scheme.test",
      "v=DMARC1; p=reject; rua=mailto:d@semicolon-no-scheme.test,mailto:e@semicolon-no-scheme.test; adkim=s",
    ],
    ["entity.test", "v=DMARC1; p=reject; rua=mailto:d@entity.test"],
    ["xn--bcher-kva.example", "v=DMARC1; p=reject; rua=mailto:d@xn--bcher-kva.example"],
    ["name-in-value.test", "v=DMARC1; p=none; rua=mailto:d@name-in-value.test"],
    ["zone-line.test", "v=DMARC1; p=none; rua=mailto:d@zone-line.test"],
    ["en-dash.test", "v=DMARC1; p=reject; rua=mailto:dmarc-reports@en-dash.test"],
    ["wide.test", "v=DMARC1; p=none; rua=mailto:d@wide.test"],
    ["double-equals.test", "v=DMARC1; p=none; rua=mailto:d@double-equals.test"],
    ["two-tags.test", "v=DMARC1; p=reject; rua=mailto:a@two-tags.test,mailto:b@two-tags.test"],
    ["parentheses.test", "v=DMARC1; p=none; rua=mailto:d@parentheses.test"],
    ["version-dot.test", "v=DMARC1; p=none; rua=mailto:d@version-dot.test"],
    ["version-apart.test", "v=DMARC1; p=none; rua=mailto:d@version-apart.test"],
    ["version-forgotten.test", "v=DMARC1; p=none; rua=mailto:d@version-forgotten.test"],
    ["comment.test", "v=DMARC1; p=none; rua=mailto:d@comment.test"],
    ["rau.test", "v=DMARC1; p=quarantine; rua=mailto:d@rau.test"],
    ["policy-word.test", "v=DMARC1; p=reject; rua=mailto:d@policy-word.test"],
    ["no-address.test", `v=DMARC1; p=quarantine; rua=mailto:${RUA}`],
  ])("%s: gives the record that was meant", async (domain, value) => {
    const { dmarc } = await check(domain);
    expect(dmarc.state).not.toBe("good");
    expect(dmarc.findings.flatMap(({ publish }) => publish ?? [])).toEqual([
      { name: `_dmarc.${domain}`, type: "TXT", value },
    ]);
  });

  test("an unknown policy has the valid ones beside it, and a record that is a test is not advised to be one", async () => {
    const misspelt = await finding("misspelt-policy.test", "dmarc", "invalid_tag");
    expect(misspelt?.sentence).toBe("p=quarentine is not a valid value. Valid are none, quarantine and reject.");
    const tested = await finding("testing-pct.test", "dmarc", "historic_tag");
    expect(tested?.sentence).toMatch(/the others apply the whole policy\. Remove pct\.$/);
  });

  test("of several the one in their place has the weakest policy, and every address once", async () => {
    const { dmarc } = await check("two-records.test");
    const [several] = dmarc.findings;
    expect(dmarc.summary).toBe("Several DMARC records: receivers use none");
    expect(several?.publish?.value).toBe(
      "v=DMARC1; p=none; sp=none; rua=mailto:b@two-records.test,mailto:c@two-records.test,mailto:a@two-records.test",
    );
    expect(several?.sentence).toMatch(/Publish this one in place of all: .* the weakest of the policies\.$/);
    const equal = await finding("two-equal.test", "dmarc", "several_records");
    expect(equal?.publish?.value).toBe("v=DMARC1; p=reject; rua=mailto:a@two-equal.test");
    expect(equal?.sentence).toContain("with reject mail that fails is no longer delivered as before");
    // Nobody knows what was meant, or they are not at this name.
    for (const domain of ["two-flawed.test", "two-hosted.test"]) {
      const found = await finding(domain, "dmarc", "several_records");
      expect([found?.publish, found?.sentence.includes("Keep one")]).toEqual([undefined, true]);
    }
  });

  test("an alias to whose target the domain was added is given without it", async () => {
    const found = await finding("alias-extended.test", "dmarc", "record_at_wrong_name");
    expect(found?.publish).toEqual({
      name: "_dmarc.alias-extended.test",
      type: "CNAME",
      value: "alias-extended.test.hosted.vendor.example",
    });
    expect(found?.sentence).toContain("your DNS service added alias-extended.test to the target");
  });

  test("names are shown as they were typed", async () => {
    const found = await finding("xn--bcher-kva.example", "dmarc", "destination_not_supported");
    expect(found?.sentence).toContain("mailto:d@b\u00fccher.example is not a mailto address");
  });

  test("a separate record for a name of many labels keeps the policy in force", async () => {
    const long = await finding("a.b.c.d.e.f.g.many-labels.test", "dmarc", "name_too_long");
    expect(long?.publish?.value).toBe(`v=DMARC1; p=quarantine; rua=mailto:${RUA}`);
  });
});

describe("SPF", () => {
  test.each([
    ["split.test", "broken syntax_error", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/28 ip4:192.0.2.3 -all"],
    ["split-include.test", "broken syntax_error", "v=spf1 ip4:192.0.2.1 include:vendor.example ~all"],
    ["two-texts.test", "attention mistaken_record", undefined],
    ["no-version.test", "broken mistaken_record", "v=spf1 include:vendor.example ip4:192.0.2.1 -all"],
    ["free-text.test", "good", undefined],
    ["free-text-alone.test", "attention no_record", "v=spf1 -all"],
    ["spf-word.test", "attention no_record", "v=spf1 -all"],
    ["byte-order-spf.test", "broken mistaken_record", "v=spf1 ip4:192.0.2.1 -all"],
    ["typographic-spf.test", "broken mistaken_record", "v=spf1 ip4:192.0.2.1 -all"],
    ["zone-line-spf.test", "broken mistaken_record", "v=spf1 ip4:192.0.2.1 -all"],
    ["dmarc-behind.test", "broken syntax_error ignored_modifier all_neutral", "v=spf1 ip4:192.0.2.1 -all"],
    ["tilde.test", "broken syntax_error all_neutral", "v=spf1 ip4:192.0.2.1 ~all"],
    ["mx-without-address.test", "attention void_lookup", undefined],
    ["private.test", "attention private_network", undefined],
    // It is another's record.
    ["private-below.test", "good", undefined],
    ["include-host.test", "broken include_without_record", undefined],
    ["semicolons.test", "broken mistaken_record", "v=spf1 include:vendor.example ip4:192.0.2.1 -all"],
    ["wide-spf.test", "broken syntax_error", "v=spf1 include:vendor.example -all"],
    ["length-apart.test", "broken syntax_error", "v=spf1 ip4:192.0.2.0/24 -all"],
    ["star.test", "broken syntax_error", "v=spf1 ip4:203.0.113.0/24 -all"],
    ["at-sign.test", "broken syntax_error", "v=spf1 include:vendor.example -all"],
    ["sign-behind.test", "broken syntax_error all_neutral", "v=spf1 ip4:192.0.2.1 -all"],
    ["redirect-ignored.test", "attention ignored_redirect", undefined],
    ["google-mail.test", "attention no_record", "v=spf1 include:_spf.google.com ~all"],
    ["microsoft-mail.test", "attention no_record", "v=spf1 include:spf.protection.outlook.com ~all"],
  ])("%s: %s, publish %s", async (domain, verdict, value) => {
    const { spf } = await check(domain);
    expect(verdictOf(spf)).toBe(verdict);
    expect(spf.findings.flatMap(({ publish }) => publish ?? [])).toEqual(
      value === undefined ? [] : [{ name: domain, type: "TXT", value }],
    );
  });

  test("names what needs most of too many lookups", async () => {
    expect((await finding("costly.test", "spf", "too_many_lookups"))?.sentence).toMatch(
      / needs 11 DNS lookups; .* Those that need the most: include:six\.example \(6\), include:three\.example \(3\)\.$/,
    );
  });

  test("says what is wrong, and which networks no receiver sees", async () => {
    expect((await finding("split.test", "spf", "syntax_error"))?.sentence).toContain(
      '"ip4:192.0.2.0/28ip4:192.0.2.3" in the record of split.test is two terms with no space between them',
    );
    expect((await finding("include-host.test", "spf", "include_without_record"))?.sentence).toMatch(
      /Remove it; a server of yours is named by a and a colon instead\.$/,
    );
    const { findings } = (await check("private.test")).spf;
    const named = findings
      .filter(({ code }) => code === "private_network")
      .map(({ sentence }) => sentence.split('"')[1]);
    expect(named).toEqual(["ip4:10.1.0.0/16", "ip4:192.168.0.7", "ip6:fd12:3456::/32"]);
  });
});

describe("DKIM keys that were pasted", () => {
  const rsa = `v=DKIM1; k=rsa; p=${KEY}`;

  test.each([
    ["two-records", rsa, "Put its parts into one record, like this."],
    ["bare-key", `v=DKIM1; p=${KEY}`, "Publish it, like this."],
    ["no-tag", rsa, "Publish it, like this."],
    ["no-separators", rsa, "Publish it, like this."],
    ["quoted-strings", rsa, "(quotation marks are part of the record): its signatures fail. Publish it, like this."],
    ["backslash", rsa, "Publish it, like this."],
    ["file", `v=DKIM1; p=${KEY}`, "Publish it, like this."],
    ["for-web", rsa, "Publish it, like this."],
    ["no-break", rsa, "Publish it, like this."],
    [
      "no-type",
      `v=DKIM1; k=ed25519; t=s; p=${CURVE_KEY}`,
      "k=ed25519 is missing): its signatures fail. Publish it, like this.",
    ],
    ["colons", rsa, "Publish it, like this."],
    ["cut", undefined, "Publish it again as your mail service gives it."],
    ["empty", undefined, "Publish it again as your mail service gives it."],
  ])("%s: gives the record that was meant, if the key is there", async (selector, value, sentence) => {
    const { dkim } = await check("keys.test", [selector]);
    expect(dkim.state).toBe("broken");
    const [found] = dkim.findings;
    expect(found?.sentence).toContain(sentence);
    const publish = value && { name: `${selector}._domainkey.keys.test`, type: "TXT", value };
    expect(found?.publish).toEqual(publish);
  });
});

test("the name of a key as a text, and one that the domain was added to, are aliases to be published", async () => {
  const { dkim } = await check("keys.test", ["text-of-alias", "extended"]);
  expect(dkim.state).toBe("broken");
  expect(dkim.findings.map(({ code, publish }) => [code, publish?.name, publish?.type, publish?.value])).toEqual([
    ["unusable_key", "text-of-alias._domainkey.keys.test", "CNAME", "text-of-alias.vendor.example"],
    ["record_at_wrong_name", "extended._domainkey.keys.test", "CNAME", "text-of-alias.vendor.example"],
  ]);
});

describe("MTA-STS, TLS reports, DANE and BIMI", () => {
  test("records at a doubled name are given to be published at the right one", async () => {
    const { mtaSts, tlsRpt } = await check("sts-doubled.test");
    expect(mtaSts.findings.map(({ code, publish }) => [code, publish?.name, publish?.value])).toEqual([
      ["record_at_wrong_name", "_mta-sts.sts-doubled.test", "v=STSv1; id=1;"],
    ]);
    expect(tlsRpt.findings.map(({ code, publish }) => [code, publish?.name])).toEqual([
      ["record_at_wrong_name", "_smtp._tls.sts-doubled.test"],
    ]);
  });

  test.each([
    ["sts-quoted.test", "broken mistaken_record", "v=STSv1; id=20240101T000000"],
    ["sts-lower.test", "broken mistaken_record", "v=STSv1; id=7"],
    ["sts-policy.test", "good", undefined],
    ["sts-dashes.test", "broken bad_id", "v=STSv1; id=20240101T0000;"],
  ])("the record of MTA-STS of %s: %s, publish %s", async (domain, verdict, value) => {
    const { mtaSts } = await check(domain);
    expect(verdictOf(mtaSts)).toBe(verdict);
    expect(mtaSts.findings[0]?.publish?.value).toBe(value);
  });

  test.each([
    ["tls-bare.test", "broken no_rua", "v=TLSRPTv1; rua=mailto:d@mailbox.example"],
    ["tls-size.test", "broken no_rua", "v=TLSRPTv1; rua=mailto:d@mailbox.example"],
    ["tls-quoted.test", "broken mistaken_record", "v=TLSRPTv1; rua=mailto:d@mailbox.example"],
    ["tls-lower.test", "broken mistaken_record", "v=TLSRPTv1; rua=mailto:d@mailbox.example"],
    ["tls-spaces.test", "broken no_rua", "v=TLSRPTv1; rua=mailto:d@mailbox.example,mailto:e@mailbox.example"],
    ["tls-other.test", "broken no_rua", undefined],
    [
      "tls-several.test",
      "broken several_records",
      "v=TLSRPTv1; rua=mailto:d@mailbox.example,https://tls-several.test/v1",
    ],
    [
      "tls-semicolon.test",
      "attention malformed_tag",
      "v=TLSRPTv1; rua=mailto:d@mailbox.example,mailto:e@mailbox.example",
    ],
  ])("the record of TLS reports of %s: %s, publish %s", async (domain, verdict, value) => {
    const { tlsRpt } = await check(domain);
    expect(verdictOf(tlsRpt)).toBe(verdict);
    expect(tlsRpt.findings[0]?.publish?.value).toBe(value);
  });

  test("a logo's record in quotation marks is given without, and a mail host that is an alias has its target's TLSA", async () => {
    const logo = await finding("bimi-quoted.test", "bimi", "mistaken_record");
    expect(logo?.publish?.value).toBe("v=BIMI1; l=https://bimi-quoted.test/l.svg");
    const { dane } = await check("alias-host.test");
    expect([verdictOf(dane), dane.summary]).toEqual(["good", "1 of 1 mail hosts"]);
  });

  test("a pattern that would have to stand for two labels", async () => {
    const resolver = httpsResolver(server.url, fetch);
    const fetchPolicy = async () => ({ text: policy("enforce", "*.mx.microsoft") });
    const { mtaSts } = await checkDomain("microsoft-hosts.test", { resolver, fetchPolicy, selectors: [] });
    expect(mtaSts.findings.find(({ code }) => code === "uncovered_host")?.sentence).toMatch(
      /Add it as mx\. \*\. before a name stands for one label alone\.$/,
    );
  });

  const policy = (mode: string, ...mx: string[]) =>
    ["version: STSv1", `mode: ${mode}`, ...mx.map((host) => `mx: ${host}`), "max_age: 1209600", ""].join("\n");

  async function checkPolicy(text: string): Promise<DomainCheck> {
    const resolver = httpsResolver(server.url, fetch);
    return await checkDomain("sts-old.test", { resolver, fetchPolicy: async () => ({ text }), selectors: [] });
  }

  test("says since when a policy is tested, which host it lacks, and which it has too many", async () => {
    const { mtaSts } = await checkPolicy(policy("testing", "mx.sts-old.test", "*.left.example"));
    expect(mtaSts.findings.map(({ code, state }) => `${state} ${code}`)).toEqual([
      "attention mode_testing",
      "attention uncovered_host",
      "good unused_pattern",
    ]);
    const [testing, uncovered, unused] = mtaSts.findings.map(({ sentence }) => sentence);
    expect(testing).toMatch(/ By its id, the policy has been so since 2023-01-05\.$/);
    expect(uncovered).toBe(
      "The policy does not name backup.sts-old.test: mail to it would be refused in mode enforce. Add it as mx.",
    );
    expect(unused).toContain("The policy names *.left.example, where no MX record leads.");
  });

  test("a policy that changes while its id stays is a finding until the id changes", async () => {
    const first = storedCheckOf(await checkPolicy(policy("testing", "*.sts-old.test")));
    const second = storedCheckOf(await checkPolicy(policy("enforce", "*.sts-old.test")));
    const codes = ({ checks }: StoredCheck) =>
      checks.flatMap(({ kind, findings }) => (kind === "mtaSts" ? findings.map(({ code }) => code) : []));
    const seconds = Date.UTC(2026, 10, 28, 9) / 1000;
    expect(withUnchangedId(second, second, seconds)).toEqual(second);
    const changed = withUnchangedId(second, first, seconds);
    expect(codes(changed)).toEqual(["id_unchanged", "mode_enforce"]);
    expect(changed.state).toBe(second.state);
    const check = changed.checks.find(({ kind }) => kind === "mtaSts");
    expect(check).toMatchObject({
      state: "attention",
      findings: [{ publish: { name: "_mta-sts.sts-old.test", value: "v=STSv1; id=20261128090000;" } }, {}],
    });
    expect(v.parse(storedCheck, changed)).toEqual(changed);
    // The next day nothing has changed since, and the id is still the old one.
    const later = withUnchangedId(second, changed, seconds + 86_400);
    expect(codes(later)).toEqual(["id_unchanged", "mode_enforce"]);
    // A file that does not come once is no new id.
    const { mtaStsPolicy: _, ...withoutFile } = second;
    const unfetched = withUnchangedId(withoutFile, later, seconds + 90_000);
    expect(codes(withUnchangedId(second, unfetched, seconds + 93_600))).toEqual(["id_unchanged", "mode_enforce"]);
    const renewed = JSON.parse(JSON.stringify(second).replaceAll("20230105T120000", "20261128090000"));
    expect(codes(withUnchangedId(renewed, later, seconds + 172_800))).toEqual(["mode_enforce"]);
  });
});

test("a TTL of a week is a finding", async () => {
  const { dmarc } = await check("week.test");
  expect(verdictOf(dmarc)).toBe("attention long_ttl");
  expect(dmarc.findings.find(({ code }) => code === "long_ttl")?.sentence).toContain(
    "Receivers may keep the record for 7 days (TTL 604800)",
  );
  expect(verdictOf((await check("zero.test")).dmarc)).toBe("good");
});

describe("who a domain belongs to, and failure reports", () => {
  test("a registered domain below a name with a record is advised to add psd=n", async () => {
    const { dmarc } = await check("office.gov.uk");
    expect(verdictOf(dmarc)).toBe("attention organization_above");
    expect(dmarc.policies).toEqual({ domain: "reject", subdomain: "none", nonexistent: "none" });
    const [found] = dmarc.findings.filter(({ code }) => code === "organization_above");
    expect(found?.sentence).toContain("names below office.gov.uk take the policy of gov.uk");
    expect(found?.publish?.value).toBe("v=DMARC1; p=reject; rua=mailto:d@office.gov.uk; psd=n");
    const own = await check("own.gov.uk");
    expect([verdictOf(own.dmarc), own.dmarc.policies.subdomain]).toEqual(["good", "reject"]);
    // What nobody registers is a part of what is above it.
    expect(verdictOf((await check("team.office.gov.uk")).dmarc)).toBe(
      "attention differs_by_rfc policy_none weaker_below",
    );
  });

  test("an address for failure reports alone that may not receive them breaks nothing", async () => {
    const { dmarc } = await check("ruf-refused.test");
    expect(verdictOf(dmarc)).toBe("attention destination_refused");
    expect(dmarc.findings.find(({ code }) => code === "destination_refused")?.sentence).toMatch(
      /^No failure reports go to mailto:f@mailbox\.example: /,
    );
  });
});
