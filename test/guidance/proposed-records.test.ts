/** Records that checks give to publish: valid, complete, and the owner's to publish. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import type { Resolver } from "../../shared/dns/resolver.ts";
import { checkBimi } from "../../shared/guidance/bimi-check.ts";
import { checkDmarc } from "../../shared/guidance/dmarc-check.ts";
import { mistakenRecord } from "../../shared/guidance/dmarc-record.ts";
import { repairedDmarc } from "../../shared/guidance/dmarc-repair.ts";
import { checkDomain } from "../../shared/guidance/domain-check.ts";
import { repairedSpf } from "../../shared/guidance/spf-repair.ts";
import { checkTlsRpt } from "../../shared/guidance/tls-rpt-check.ts";
import { cpuTimer } from "../support/cpu-time.ts";
import { type DnsServer, startDnsServer, withMailServers, type Zones } from "../support/dns-server.ts";

const RUA = "reports@operator.example";

const ZONES: Zones = {
  "below.gov.uk": ["MX 10 mx.below.gov.uk"],
  "_dmarc.gov.uk": ["TXT v=DMARC1; p=reject"],
  "below.gov.scot": ["MX 10 mx.below.gov.scot"],
  "_dmarc.gov.scot": ["TXT v=DMARC1; p=rejct"],
  "_dmarc.no-policy.example": ["TXT v=DMARC1; adkim=s"],
  "part.company.example": ["MX 10 mx.company.example"],
  "_dmarc.company.example": ["TXT v=DMARC1; p=reject"],
  "signs-alone.example": ["TXT v=spf1 -all", "MX 10 mx.company.example"],
  "_dmarc.signs-alone.example": ["TXT v=DMARC1; p=none; rua=mailto:x@signs-alone.example"],
  "s1._domainkey.signs-alone.example": [`TXT v=DKIM1; k=ed25519; p=${"A".repeat(43)}=`],
  "signs-alone-new.example": ["TXT v=spf1 -all", "MX 10 mx.company.example"],
  "s1._domainkey.signs-alone-new.example": [`TXT v=DKIM1; k=ed25519; p=${"A".repeat(43)}=`],
  "_smtp._tls.signed-url.example": ["TXT v=TLSRPTv1; rua=https://tls.example/r?key=YWI==,tls@signed-url.example"],
  "_smtp._tls.minor.example": ["TXT v=TLSRPTv1.0; rua=mailto:tls@minor.example"],
  "_smtp._tls.colon.example": ["TXT v=TLSRPTv1: rua=mailto:tls@colon.example"],
  "default._bimi.minor.example": ["TXT v=BIMI1.0; l=https://minor.example/logo.svg"],
};

/** Names below that are those of another domain (RFC 6672), and aliases that lead nowhere. */
const REDIRECTED: Zones = {
  "brand.example": ["TXT v=spf1 include:_spf.brand.example -all", "MX 10 mx.brand.example"],
  "_dmarc.brand.example": ["TXT v=DMARC1; p=reject; rua=mailto:r@brand.example"],
  "other.example._report._dmarc.brand.example": ["TXT v=DMARC1;"],
  "_spf.brand.example": ["TXT v=spf1 ip4:192.0.2.1 -all"],
  "s1._domainkey.brand.example": [`TXT v=DKIM1; k=ed25519; p=${"A".repeat(43)}=`],
  "_smtp._tls.brand.example": ["TXT v=TLSRPTv1; rua=mailto:r@brand.example"],
  "mx.brand.example": ["A 192.0.2.3"],
  "other.example": ["TXT v=spf1 include:_spf.other.example -all", "MX 10 mx.brand.example", "DNAME brand.example"],
  "bare.example": ["TXT v=spf1 mx -all", "MX 10 mx.brand.example", "DNAME nowhere.example"],
  "nowhere.example": ["TXT x"],
  "keys.example": ["TXT v=spf1 -all"],
  "_domainkey.keys.example": ["DNAME _domainkey.brand.example"],
  "long.example": [`DNAME ${["a", "b", "c"].map((one) => one.repeat(63)).join(".")}.${"d".repeat(52)}.example`],
};

let server: DnsServer;
let resolver: Resolver;

beforeAll(async () => {
  server = await startDnsServer(withMailServers({ ...ZONES, ...REDIRECTED }));
  resolver = httpsResolver(server.url, fetch);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function published(check: { findings: { publish?: { name: string; value: string } | undefined }[] }): string[] {
  return check.findings.flatMap(({ publish }) => (publish === undefined ? [] : [`${publish.name} ${publish.value}`]));
}

describe("DMARC", () => {
  test("no one is advised to change a registry's record", async () => {
    expect(published(await checkDmarc("below.gov.uk", resolver, RUA))).toEqual([]);
    expect(published(await checkDmarc("below.gov.scot", resolver, RUA))).toEqual([]);
    expect(published(await checkDmarc("part.company.example", resolver, RUA))).toEqual([
      "_dmarc.company.example v=DMARC1; p=reject; rua=mailto:reports@operator.example",
    ]);
  });

  test("a record without a policy is replaced by one with the domain's address", async () => {
    expect(published(await checkDmarc("no-policy.example", resolver, RUA))).toEqual([
      "_dmarc.no-policy.example v=DMARC1; p=none; rua=mailto:reports@operator.example",
    ]);
    expect(published(await checkDmarc("no-policy.example", resolver))).toEqual([
      "_dmarc.no-policy.example v=DMARC1; p=none;",
    ]);
  });

  // A service that sends with a return path of its own: SPF is not asked about the domain.
  test.each([
    ["signs-alone.example", []],
    [
      "signs-alone-new.example",
      ["_dmarc.signs-alone-new.example v=DMARC1; p=none; rua=mailto:reports@operator.example"],
    ],
  ])(
    "%s, whose SPF record names nobody, is not told to reject the mail that its keys sign",
    async (domain, records) => {
      const context = {
        resolver,
        fetchPolicy: async () => ({ problem: "There is none.", isUnanswered: false }),
        selectors: [{ selector: "s1", domain, lastSeenDay: 20_000 }],
        ruaAddress: RUA,
      };
      const { dmarc } = await checkDomain(domain, context);
      expect(published(dmarc)).toEqual(records);
      expect(dmarc.findings.map(({ sentence }) => sentence).join(" ")).not.toContain("sends no");
    },
  );

  test("a record of another version has no repair", () => {
    expect(mistakenRecord("v=DMARC2; p=none")?.meant).toBeUndefined();
  });

  test("an equals sign in a URL stays", () => {
    const record = "v=DMARC1; p=none; rua=https://r.example/?key=YWI==";
    expect(repairedDmarc(record)).toBe(record);
    expect(repairedDmarc("v=DMARC1; p==none; sp == reject")).toBe("v=DMARC1; p=none; sp = reject");
  });

  test("a record of thousands of tags is looked at in no time", () => {
    const names = Array.from({ length: 13_000 }, (_, i) => `${letters(i)}=`);
    const addresses = Array.from({ length: 6000 }, (_, i) => `rua=a${i}`);
    const took = cpuTimer();
    repairedDmarc(names.join(";"));
    repairedDmarc(addresses.join(";"));
    expect(took()).toBeLessThan(1000);
  });
});

/** The number in letters, as names of tags have them. */
function letters(number: number): string {
  return [1, 26, 676].map((place) => String.fromCharCode(97 + (Math.floor(number / place) % 26))).join("");
}

test("a redirect that runs into all is repaired without it: it would be ignored", () => {
  expect(repairedSpf("v=spf1 redirect=_spf.example.com-all")).toBe("v=spf1 redirect=_spf.example.com");
});

test("records of TLS reports and logos keep all of a URL, and nothing of a wrong version", async () => {
  expect(published(await checkTlsRpt("signed-url.example", resolver))).toEqual([
    "_smtp._tls.signed-url.example v=TLSRPTv1; rua=https://tls.example/r?key=YWI==,mailto:tls@signed-url.example",
  ]);
  expect(published(await checkTlsRpt("minor.example", resolver))).toEqual([
    "_smtp._tls.minor.example v=TLSRPTv1; rua=mailto:tls@minor.example",
  ]);
  expect(published(await checkTlsRpt("colon.example", resolver))).toEqual([
    "_smtp._tls.colon.example v=TLSRPTv1; rua=mailto:tls@colon.example",
  ]);
  expect(published(await checkBimi("minor.example", resolver, true))).toEqual([
    "default._bimi.minor.example v=BIMI1; l=https://minor.example/logo.svg",
  ]);
});

describe("below a DNAME", () => {
  const check = (domain: string) =>
    checkDomain(domain, {
      resolver,
      fetchPolicy: async () => ({ problem: "There is none.", isUnanswered: false }),
      selectors: [{ selector: "s1", domain, lastSeenDay: 20_000 }],
      ruaAddress: RUA,
    });

  test("records are found as they are at the other domain", async () => {
    const { dmarc, spf, dkim, tlsRpt } = await check("other.example");
    expect([dmarc, spf, dkim, tlsRpt].map(({ state }) => state)).toEqual(["good", "good", "good", "good"]);
    expect((await check("keys.example")).dkim.findings).toMatchObject([{ code: "key", state: "good" }]);
  });

  test("no record is proposed for a name that cannot have one, and both sentences name the right place", async () => {
    const { dmarc, mtaSts, tlsRpt } = await check("bare.example");
    for (const { findings } of [dmarc, mtaSts, tlsRpt]) {
      const missing = findings.find(({ code }) => code === "no_record");
      expect(missing?.publish).toBeUndefined();
      expect(missing?.sentence).not.toMatch(/publish this/i);
      expect(missing?.sentence).toMatch(
        / It can't be published at \S+\.bare\.example: .+ At \S+\.nowhere\.example it is for both domains\.$/,
      );
    }
  });

  test("a name that it makes too long has no answer", async () => {
    expect((await check("long.example")).dmarc).toMatchObject({ state: "unknown" });
  });
});
