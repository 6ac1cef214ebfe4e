/** Records that the checks propose: once one is published as proposed, nobody says the same of it again. */
import { expect, it } from "vitest";
import type { Answer, RecordType, Resolver } from "../../shared/dns/resolver.ts";
import type { Check } from "../../shared/guidance/check.ts";
import { checkDomain, listChecks } from "../../shared/guidance/domain-check.ts";
import { storedCheckOf } from "../../shared/guidance/stored-check.ts";
import fc from "../support/properties.ts";

const DOMAIN = "shop.example";
/** Names that every object answers to, and fields that nobody knows. */
const ODD = ["constructor=x", "__proto__=x", "valueOf:x", "toString", "x=1"];
/** Name → how a record there may begin, and what may come after that. */
const RECORDS: Record<string, { begins: string[]; pieces: string[] }> = {
  [`_dmarc.${DOMAIN}`]: {
    begins: ["v=DMARC1; ", "v=DMARC1;", "v=DMARC1 ", "V=dmarc1; ", ""],
    pieces: [
      ...["p=none", "p=reject", "P=None", "sp=none", "rua=", "ruf=", "mailto:a@b.example", "a@b.example", "!10m"],
      ...["t=y", "pct=50", "fo=1", "adkim=s", "policy=none", "psd=y", "np=x", "v=DMARC1"],
      ...[";", "; ", " ", ",", "=", "==", "\u201c", "\u00a0", "\\;"],
    ],
  },
  [DOMAIN]: {
    begins: ["v=spf1 ", "v=spf1", "V=SPF1 ", "spf1 ", ""],
    pieces: [
      ...["ip4:192.0.2.1", "ip6:2001:db8::/32", "192.0.2.9", "include:a.example", "inlcude:a.example", "a", "mx"],
      ...["ptr", "redirect=a.example", "exp=", "exists:%{i}.x.example", "-all", "~all", "all", "?all", "+all"],
      ...["v=spf1", " ", "  ", ";", ",", '"'],
    ],
  },
  [`_smtp._tls.${DOMAIN}`]: {
    begins: ["v=TLSRPTv1; ", "v=TLSRPTv1;", "v=tlsrpt1; ", ""],
    pieces: ["rua=", "mailto:a@b.example", "https://x.example/t", "!10m", "ext=1", "v=TLSRPTv1", ";", "; ", ",", " "],
  },
  [`_mta-sts.${DOMAIN}`]: {
    begins: ["v=STSv1; ", "v=STSv1;", "v=stsv1;", ""],
    pieces: ["id=", "20240101", "id=2;", "v=STSv1", ";", "; ", " ", "-"],
  },
  [`default._bimi.${DOMAIN}`]: {
    begins: ["v=BIMI1; ", "v=BIMI1;", "v=bimi1;"],
    pieces: ["l=", "https://x.example/l.svg", "http://x", "a=", "avp=brand", "lps=", ";", "; ", " "],
  },
  [`s1._domainkey.${DOMAIN}`]: {
    begins: ["v=DKIM1; ", "v=DKIM1;", "k=rsa; ", ""],
    pieces: [
      ...["k=rsa", "k=ed25519", "p=", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "MIGfMA0GCSqGSIb3DQEBAQUAA4GN"],
      ...["h=sha256", "t=y", "t=s", "s=email", "n=note", ";", "; ", " ", '"'],
    ],
  },
};
const BESIDE: Record<string, string[]> = {
  "a.example": ["v=spf1 ip4:198.51.100.0/24 -all"],
  [`${DOMAIN}._report._dmarc.b.example`]: ["v=DMARC1;"],
};

type Zone = Record<string, string[]>;

const zone: fc.Arbitrary<Zone> = fc.record(
  Object.fromEntries(
    Object.entries(RECORDS).map(([name, { begins, pieces }]) => {
      const record = fc
        .tuple(fc.constantFrom(...begins), fc.array(fc.constantFrom(...pieces, ...ODD), { maxLength: 8 }))
        .map(([begin, rest]) => begin + rest.join(""));
      return [name, fc.oneof(fc.array(record, { minLength: 1, maxLength: 1 }), fc.array(record, { maxLength: 3 }))];
    }),
  ),
);

async function checksOf(records: Zone): Promise<Check[]> {
  const lookup = async (name: string, type: RecordType): Promise<Answer> => {
    if (type === "MX" && (name === DOMAIN || name === "b.example"))
      return { status: "answers", records: ["10 mail.shop.example"] };
    if (type === "A" && (name === DOMAIN || name === "mail.shop.example"))
      return { status: "answers", records: ["192.0.2.5"] };
    const texts = type === "TXT" ? (records[name] ?? BESIDE[name] ?? []) : [];
    return texts.length === 0 ? { status: "nodata" } : { status: "answers", records: texts };
  };
  const resolver: Resolver = { lookup };
  const check = await checkDomain(DOMAIN, {
    resolver,
    fetchPolicy: async () => ({ problem: "There is none.", isUnanswered: false }),
    selectors: [{ selector: "s1", domain: DOMAIN }],
    ruaAddress: "new@shop.example",
  });
  expect(JSON.parse(JSON.stringify(storedCheckOf(check))).checks).toHaveLength(7);
  return listChecks(check);
}

it("for any zone", { timeout: 120_000 }, async () => {
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(zone, async (records) => {
      for (const { findings } of await checksOf(records)) {
        for (const { code, publish } of findings) {
          if (publish?.type !== "TXT" || records[publish.name] === undefined) continue;
          const after = await checksOf({ ...records, [publish.name]: [publish.value] });
          const again = after
            .flatMap((check) => check.findings)
            .filter((found) => found.code === code && found.publish?.name === publish.name);
          expect(again, `${publish.name} ${publish.value}`).toEqual([]);
          tried += 1;
        }
      }
    }),
    { numRuns: 500 },
  );
  expect(tried).toBeGreaterThan(100);
});
