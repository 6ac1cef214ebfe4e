/** What names and networks of addresses and the SPF record change of a verdict: whose a sender is, and whether it is asked about. */
import { describe, expect, it } from "vitest";
import { simulateOne } from "../../bench/verdict/score.ts";
import type { AddressName } from "../../shared/guidance/address-name.ts";
import { addressesToName } from "../../shared/guidance/addresses-to-name.ts";
import { forwarderHost } from "../../shared/guidance/known-forwarders.ts";
import { type MailBySender, mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import { isGenericName } from "../../shared/guidance/reverse-name.ts";
import { type JudgedSource, judgeSources } from "../../shared/guidance/roles.ts";
import {
  NOTHING_KNOWN,
  type SenderKnowledge,
  senderClue,
  senderKnowledge,
} from "../../shared/guidance/sender-knowledge.ts";
import { spfNamesOfRecords } from "../../shared/guidance/spf-names.ts";
import { judge } from "../../shared/guidance/verdict.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import { type DatedRecord, evidenceOf, sumEvidence } from "../support/evidence.ts";
import { sampleRecord } from "../support/ledger-fill.ts";

const DOMAIN = "acme.example";
const PERIOD = { firstDay: 0, lastDay: 29 };
const HOME = "192.0.2.1";
const [LONE, OTHER] = ["198.51.100.7", "203.0.113.9"] as const;

/** Mail that passes every day, and failing mail of some addresses, each with its days. */
function mailOf(failing: Record<string, readonly number[]>): DatedRecord[] {
  const own = Array.from({ length: 28 }, (_, day) => ({
    day,
    record: sampleRecord(DOMAIN, { count: 100, sourceIp: HOME }),
  }));
  const faked = Object.entries(failing).flatMap(([sourceIp, days]) =>
    days.map((day) => ({
      day,
      record: sampleRecord(DOMAIN, {
        sourceIp,
        count: 10,
        dkim: "fail",
        spf: "fail",
        dkimResults: [],
        spfResults: [],
      }),
    })),
  );
  return [...own, ...faked];
}

function known(hosts: Record<string, Partial<AddressName>>, records: readonly string[] = []): SenderKnowledge {
  const names = Object.entries(hosts).map(([address, name]) => ({
    address,
    host: "",
    asn: 64_500,
    holder: "",
    country: "",
    ...name,
  }));
  const found = senderKnowledge({ names, check: undefined, homeAddresses: [HOME] });
  return { ...found, spf: spfNamesOfRecords(records, DOMAIN) };
}

function sentMail(failing: Record<string, readonly number[]>): MailBySender {
  return mailBySender(evidenceOf(mailOf(failing), PERIOD), DOMAIN);
}

function roles(failing: Record<string, readonly number[]>, knowledge?: SenderKnowledge): Map<string, JudgedSource> {
  const sources = judgeSources(sentMail(failing), () => undefined, knowledge);
  return new Map(sources.map((source) => [source.name, source]));
}

function roleOf(failing: Record<string, readonly number[]>, knowledge?: SenderKnowledge): string {
  const source = roles(failing, knowledge).get(LONE);
  return `${source?.role} ${source?.reason}`;
}

const STEADY = [0, 4, 8, 12, 16, 20, 24];

describe("a sender that the mail alone does not identify", () => {
  it("is asked about if nothing is known", () => {
    expect(roleOf({ [LONE]: [5] })).toBe("undecided loneServer");
    expect(roleOf({ [LONE]: [5] }, NOTHING_KNOWN)).toBe("undecided loneServer");
    expect(roleOf({ [LONE]: [5] }, known({ [OTHER]: {} }))).toBe("undecided loneServer");
  });

  it("is likely the owner's with a name below the domain, however rarely it sends", () => {
    const named = known({ [LONE]: { host: "old.acme.example" } });
    expect(roleOf({ [LONE]: [5] }, named)).toBe("undecided ownName");
    expect(roleOf({ [LONE]: STEADY }, named)).toBe("undecided ownName");
    expect(roleOf({ [LONE]: [5] }, known({ [LONE]: { host: "acme.example.evil.example" } }))).toBe(
      "undecided loneServer",
    );
  });

  it("is likely the owner's if the SPF record names it", () => {
    const spf = ["v=spf1 ip4:198.51.100.0/28 ~all"];
    expect(roleOf({ [LONE]: [5] }, known({}, spf))).toBe("undecided namedInSpf");
    // However much like a stranger it looks otherwise.
    expect(roleOf({ [LONE]: [5], [OTHER]: [5] }, known({ [LONE]: {}, [OTHER]: {} }, spf))).toBe("undecided namedInSpf");
  });

  it("is a forwarder with the name of a mailbox provider, a university or a forwarding service", () => {
    for (const host of [
      "mail-wr1.google.com",
      "mx1.example.edu",
      "relay.uni.ac.uk",
      "out.forwardemail.net",
      "mout.gmx.net",
    ]) {
      expect(roleOf({ [LONE]: STEADY }, known({ [LONE]: { host } }))).toBe("forwarder forwarderName");
    }
    // Servers that anybody may rent have names below their host's domain.
    for (const host of ["web1.your-server.de", "mail.example.education", "box42.bluehost.com"]) {
      expect(roleOf({ [LONE]: STEADY }, known({ [LONE]: { host } }))).toBe("undecided steadyServer");
      expect(forwarderHost(host)).toBe(false);
    }
  });

  it("stays open without a name, because a forgotten server may have none", () => {
    const nameless = known({ [LONE]: {}, [OTHER]: { host: "host-203-0-113-9.isp.example" } });
    expect(roleOf({ [LONE]: [5], [OTHER]: [5] }, nameless)).toBe("undecided loneServer");
    expect(roleOf({ [LONE]: STEADY }, nameless)).toBe("undecided steadyServer");
    const about = (knowledge: SenderKnowledge): string | undefined =>
      senderClue({ name: LONE, kind: "none", service: "" }, DOMAIN, knowledge);
    expect(about(nameless)).toBe("stranger");
    // A network that the owner's mail comes from, and one that is not known.
    expect(about(known({ [HOME]: {}, [LONE]: {} }))).toBeUndefined();
    expect(about(known({ [LONE]: { asn: 0 } }))).toBeUndefined();
    expect(about(known({ [LONE]: { host: "mail.company.example" } }))).toBeUndefined();
    expect(about(NOTHING_KNOWN)).toBeUndefined();
  });
});

it.each([
  ["192-0-2-44.isp.example", "192.0.2.44", true],
  ["44.2.0.192.clients.host.example", "192.0.2.44", true],
  ["ipc000022c.isp.example", "192.0.2.44", true],
  ["ip-192-000-002-044.isp.example", "192.0.2.44", true],
  ["2c0200c0.isp.example", "192.0.2.44", true],
  ["192000002044.isp.example", "192.0.2.44", true],
  ["044002000192.isp.example", "192.0.2.44", true],
  ["net-192-0-2.isp.example", "192.0.2.44", true],
  ["host-0-2-44.isp.example", "192.0.2.44", true],
  ["host-2-44.isp.example", "192.0.2.44", false],
  ["1192-0-24.isp.example", "192.0.2.44", false],
  ["a44.pool.isp.example", "192.0.2.44", true],
  ["cpe.dyn.isp.example", "192.0.2.44", true],
  ["mail2.shop.example", "192.0.2.44", false],
  ["mx44.example", "192.0.2.44", false],
  ["fiberglass.example", "192.0.2.44", false],
  ["2001-db8-0-0-0-0-0-9.v6.isp.example", "2001:db8::9", false],
  ["20010db8000000000000000000000009.v6.isp.example", "2001:db8::9", true],
  ["2001-0db8-0000-0000.v6.isp.example", "2001:db8::9", true],
  ["0000-0000-0000-0009.v6.isp.example", "2001:db8::9", true],
  ["9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.isp.example", "2001:db8::9", true],
  ["mail.example", "2001:db8::9", false],
])("the name %s of %s: generic %s", (host, address, isGeneric) => {
  expect(isGenericName(host, address)).toBe(isGeneric);
});

describe("the addresses whose names a verdict needs", () => {
  it("are empty if the mail identifies every sender", () => {
    expect(addressesToName(sentMail({}), [HOME])).toEqual([]);
  });

  it("are those of a run of spoofing, too, where one alone would be too much to lose", () => {
    const run = { [LONE]: [5], [OTHER]: [5], "198.51.101.7": [5], "203.0.114.9": [5] };
    expect(roleOf(run)).toBe("foreign oneOff");
    expect(new Set(addressesToName(sentMail(run), [HOME]))).toEqual(new Set([HOME, ...Object.keys(run)]));
    expect(roleOf(run, known({ [LONE]: { host: "old.acme.example" } }))).toBe("undecided ownName");
    // Of 28,000 messages ten are not.
    const much = [...Array.from({ length: 10 }, () => mailOf({})).flat(), ...mailOf(run)];
    expect(addressesToName(mailBySender(evidenceOf(much, PERIOD), DOMAIN), [HOME])).toEqual([]);
  });

  it("are the owner's and the open ones, up to a limit", () => {
    expect(addressesToName(sentMail({ [LONE]: [5] }), [HOME])).toEqual([HOME, LONE]);
    const alone = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`10.${i % 200}.${i}.1`, STEADY]));
    const many = addressesToName(sentMail(alone), [HOME]);
    expect(many).toHaveLength(GUIDANCE_LIMITS.maxNamedOfVerdict);
  });
});

it("without a resolver the verdict of simulated domains depends on the reports alone", () => {
  for (let number = 0; number < 40; number++) {
    const { domain, traffic } = simulateOne(9, number);
    const evidence = evidenceOf(traffic.reported, PERIOD);
    const input = {
      domain: domain.name,
      mail: mailBySender(evidence, domain.name),
      totals: sumEvidence(evidence),
      period: PERIOD,
      days: [...new Set(traffic.reported.map(({ day }) => day))].sort((a, b) => a - b),
      policies: [{ policy: `p=${domain.policy}`, ...PERIOD }],
      ruaAddresses: [],
      decide: () => undefined,
    };
    expect(judge({ ...input, knowledge: NOTHING_KNOWN })).toEqual(judge(input));
    const reasons = judge(input).sources.map(({ reason }) => reason);
    for (const reason of ["ownName", "namedInSpf", "forwarderName"] as const) {
      expect(reasons).not.toContain(reason);
    }
  }
});
