/** Whatever a check gives to publish is tried: published, it makes an end of what was found. */
import { expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { boundedResolver } from "../../shared/dns/resolver.ts";
import type { Check } from "../../shared/guidance/check.ts";
import { checkDomain, listChecks } from "../../shared/guidance/domain-check.ts";
import { quotedTxt } from "../../shared/guidance/txt-strings.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { startDnsServer, type Zones } from "../support/dns-server.ts";
import { everydayZones } from "./everyday-zones.ts";
import { livedInZones } from "./lived-in-zones.ts";
import { uglyZones } from "./ugly-zones.ts";
import { zoo } from "./zones.ts";

const RUA = "k7f3@rua.example";
const SILENT = new Set(["TIMEOUT", "HTTP500", "GARBAGE"]);

/** Domains of the zones, each once: those whose records are at `_dmarc.` and the like, and those with SPF. */
function domainsOf(zones: Zones): string[] {
  const names = Object.entries(zones).filter(([, records]) => !records.some((record) => SILENT.has(record)));
  const domains = names.map(([name]) => name.replace(/^(_dmarc|_mta-sts|_smtp\._tls|default\._bimi)\./, ""));
  return [...new Set(domains)].filter((domain) => !domain.includes("*") && !/(^|\.)_/.test(domain));
}

it("a record to publish ends what it was given for, and there is one at a name", async () => {
  const zones: Zones = { ...zoo(), ...uglyZones(), ...livedInZones(), ...everydayZones() };
  await using server = await startDnsServer(zones);
  const fetchPolicy = async () => ({ problem: "the server answers 404", isUnanswered: false });
  const check = async (domain: string): Promise<Check[]> => {
    const selectors = Object.keys(zones)
      .filter((name) => name.endsWith(`._domainkey.${domain}`))
      .map((name) => ({ selector: name.slice(0, name.indexOf("._domainkey.")), domain }));
    // As process does it: what several checks of a domain ask is asked once.
    const resolver = boundedResolver(httpsResolver(server.url, fetch), GUIDANCE_LIMITS.maxQuestionsPerDomain);
    const found = await checkDomain(domain, { resolver, fetchPolicy, selectors, ruaAddress: RUA });
    return listChecks(found);
  };
  let tried = 0;
  for (const domain of domainsOf(zones)) {
    for (const { findings, kind } of await check(domain)) {
      const given = findings.flatMap(({ publish }) => publish ?? []);
      const names = new Set(given.map(({ name }) => name));
      expect(new Set(given.map(({ name, value }) => `${name} ${value}`)).size, `${kind} of ${domain}`).toBe(names.size);
      for (const { code, publish, sentence } of findings) {
        if (publish === undefined) continue;
        const { name, type, value } = publish;
        const before = zones[name];
        zones[name] = [...(before ?? []).filter((record) => record.startsWith("TXT google")), `${type} ${value}`];
        const after = (await check(domain)).find((one) => one.kind === kind);
        const same = after?.findings.filter((one) => one.code === code && one.sentence === sentence);
        expect(same, `${domain}: ${code}, ${quotedTxt(value)}`).toEqual([]);
        if (before === undefined) delete zones[name];
        else zones[name] = before;
        tried += 1;
      }
    }
  }
  expect(tried).toBeGreaterThan(60);
}, 300_000);
