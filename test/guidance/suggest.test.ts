/** Subjects of decisions, which decision holds, and what is suggested about undecided senders with its reason. */
import { describe, expect, it } from "vitest";
import { decisionAbout, readDecisions } from "../../shared/guidance/decisions.ts";
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import { type Decision, judgeSources } from "../../shared/guidance/roles.ts";
import { NO_SPF_NAMES, namedInSpf, spfNamesOf } from "../../shared/guidance/spf-names.ts";
import type { StoredCheck } from "../../shared/guidance/stored-check.ts";
import { familyBits, prefixBits, prefixOf, readSubject } from "../../shared/guidance/subject.ts";
import { SUGGESTION_CODES, type SuggestionGround, suggestAll } from "../../shared/guidance/suggest.ts";
import { decideBy } from "../../shared/guidance/verdict-input.ts";
import { suggestionText } from "../../shared/guidance/verdict-words.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { type DatedRecord, evidenceOf } from "../support/evidence.ts";
import { sampleRecord } from "../support/ledger-fill.ts";
import { checkWith } from "../support/stored-check.ts";

const DOMAIN = "acme.example";
const PERIOD = { firstDay: 20_000, lastDay: 20_029 };
const DAYS = Array.from({ length: 30 }, (_, i) => PERIOD.firstDay + i);

describe("a subject", () => {
  it.each([
    [" 192.0.2.7 ", "address", "192.0.2.7"],
    ["2001:DB8:0::1", "address", "2001:db8::1"],
    ["192.0.2.77/24", "prefix", "192.0.2.0/24"],
    ["198.51.100.255/20", "prefix", "198.51.96.0/20"],
    ["192.0.2.7/32", "address", "192.0.2.7"],
    ["2001:db8:1:2:3::9/64", "prefix", "2001:db8:1:2::/64"],
    ["mail.Helpdesk.Example.", "domain", "helpdesk.example"],
    ["bücher.example", "domain", "xn--bcher-kva.example"],
    ["service:twilio sendgrid", "service", "service:Twilio SendGrid"],
    // A name of a service that is a domain as well: the kind is written, not guessed.
    ["customer.io", "domain", "customer.io"],
    ["service:Customer.io", "service", "service:Customer.io"],
  ])("'%s' is a %s: %s", (written, kind, text) => {
    expect(readSubject(written)).toEqual({ ok: true, value: { kind, text } });
    expect(readSubject(text)).toEqual({ ok: true, value: { kind, text } });
  });

  it.each(["", "a b", "service:nobody", "10.0.0.0/8", "192.0.2.0/33", "192.0.2.0/x", "2001:db8::/16", "a.example/24"])(
    "'%s' is refused with a sentence",
    (written) => {
      const read = readSubject(written);
      expect(read.ok ? "" : read.error).toMatch(/\.$/);
    },
  );

  it("contains the addresses of its prefix, but none of another family", () => {
    const holds = (prefix: string, address: string): boolean => familyBits(address).startsWith(prefixBits(prefix));
    expect(holds("192.0.2.0/24", "192.0.2.255")).toBe(true);
    expect(holds("192.0.2.0/25", "192.0.2.255")).toBe(false);
    expect(holds("2001:db8::/33", "2001:db8:7fff::1")).toBe(true);
    expect(holds("2001:db8::/33", "2001:db8:8000::1")).toBe(false);
    expect(holds("0.0.0.0/16", "::1")).toBe(false);
    expect(prefixOf("2001:db8:1:2:3:4:5:6", 64)).toBe("2001:db8:1:2::/64");
  });
});

describe("the decision in force", () => {
  const decisions = readDecisions([
    ["192.0.2.7", "mine"],
    ["192.0.2.0/24", "notMine"],
    ["192.0.0.0/16", "forwarder"],
    ["sendgrid.net", "mine"],
    ["service:Twilio SendGrid", "notMine"],
    ["192.0.3.0/24", "undecided"],
  ]);
  const holding = (name: string, kind: "none" | "other", service = "") =>
    decisionAbout({ name, kind, service }, decisions)?.subject;

  it("is the most specific one that was not withdrawn", () => {
    expect(holding("192.0.2.7", "none")).toBe("192.0.2.7");
    expect(holding("192.0.2.8", "none")).toBe("192.0.2.0/24");
    expect(holding("192.0.3.8", "none")).toBe("192.0.0.0/16");
    expect(holding("198.51.100.1", "none")).toBeUndefined();
    expect(holding("2001:db8::1", "none")).toBeUndefined();
    expect(holding("sendgrid.net", "other", "Twilio SendGrid")).toBe("sendgrid.net");
    expect(holding("sendgrid.com", "other", "Twilio SendGrid")).toBe("service:Twilio SendGrid");
    expect(holding("unknown", "none")).toBeUndefined();
  });
});

type Changes = Partial<AggregateRecord>;

function daily(changes: Changes, days: readonly number[] = DAYS): DatedRecord[] {
  return days.map((day) => ({ day, record: sampleRecord(DOMAIN, changes) }));
}

function result(domain: string, value: "pass" | "fail" = "pass") {
  return { domain, selector: "k", scope: "mfrom" as const, result: value, rawResult: value, humanResult: "" };
}

const OWN = daily({ count: 100, spf: "pass", spfResults: [result(DOMAIN)] });
const FAILING: Changes = { count: 5, dkim: "fail", spf: "fail", dkimResults: [], spfResults: [result(DOMAIN, "fail")] };
const from = (sourceIp: string, changes: Changes = {}): Changes => ({ ...FAILING, sourceIp, ...changes });
const signing = (domain: string): Changes => ({
  ...FAILING,
  dkimResults: [result(domain)],
  spfResults: [result(domain)],
});
const bouncing = (domain: string): Changes => ({ ...FAILING, spfResults: [result(domain)] });

interface Setting {
  decisions?: Record<string, Decision>;
  hosts?: Record<string, string>;
  spf?: SuggestionGround["spf"];
  homeNetworks?: SuggestionGround["homeNetworks"];
}

function suggestions(
  records: DatedRecord[],
  { decisions = {}, hosts = {}, spf = NO_SPF_NAMES, homeNetworks = new Set() }: Setting = {},
) {
  const taken = new Map(Object.entries(decisions));
  const sources = judgeSources(mailBySender(evidenceOf([...OWN, ...records], PERIOD), DOMAIN), decideBy(taken));
  const named = Object.entries(hosts).map(([address, host]) => ({ address, host, asn: 0, holder: "", country: "" }));
  const names = new Map(named.map((one) => [one.address, one]));
  return suggestAll({ policyDomain: DOMAIN, sources, decisions: readDecisions(taken), names, spf, homeNetworks });
}

function about(name: string, records: DatedRecord[], setting?: Setting): string | undefined {
  const found = suggestions(records, setting).get(name);
  return found === undefined ? undefined : `${found.subject} ${found.decision} ${found.code}`;
}

const ADDRESS = "203.0.113.3";
const ONCE = DAYS.slice(3, 4);

describe("a suggestion", () => {
  it("follows the decision about a neighbour in its network or reverse domain", () => {
    const records = [...daily(from(ADDRESS)), ...daily(from("198.51.100.9"))];
    const near = { decisions: { "203.0.113.200": "notMine" as const } };
    expect(about(ADDRESS, records, near)).toBe(`${ADDRESS} notMine neighbourDecided`);
    const hosts = { [ADDRESS]: "a.host.example", "198.51.100.9": "b.host.example" };
    expect(about(ADDRESS, records, { decisions: { "198.51.100.9": "mine" }, hosts })).toBe(
      `${ADDRESS} mine neighbourDecided`,
    );
    // Neighbours that do not agree say nothing.
    const torn = { decisions: { "203.0.113.200": "notMine" as const, "203.0.113.0/28": "mine" as const } };
    expect(about(ADDRESS, daily(from("203.0.113.99")), torn)).toBeUndefined();
  });

  it("is mine if the SPF record names it by address, domain or service", () => {
    const spf = spfNamesOf(
      spfCheck(["v=spf1 ip4:203.0.113.0/28 ip6:2001:DB8::/32 include:_spf.tool.example -include:bad.example -all"]),
    );
    expect(about(ADDRESS, daily(from(ADDRESS)), { spf })).toBe(`${ADDRESS} mine inSpf`);
    expect(about("203.0.113.16", daily(from("203.0.113.16")), { spf })).toBeUndefined();
    expect(about("tool.example", daily(signing("tool.example")), { spf })).toBe("tool.example mine inSpf");
    expect(namedInSpf({ name: "2001:db8::9", kind: "none", service: "" }, spf)).toBe("2001:db8::/32");
    expect(namedInSpf({ name: "bad.example", kind: "other", service: "" }, spf)).toBeUndefined();
    expect(spfNamesOf(undefined)).toEqual(NO_SPF_NAMES);
  });

  it("is mine if its reverse name is below the domain, or it is steady and has one", () => {
    const records = daily(from(ADDRESS));
    expect(about(ADDRESS, records, { hosts: { [ADDRESS]: `crm.${DOMAIN}` } })).toBe(`${ADDRESS} mine ownHost`);
    expect(about(ADDRESS, records, { hosts: { [ADDRESS]: "v1.hoster.example" } })).toBe(`${ADDRESS} mine steadyHost`);
    expect(about(ADDRESS, records)).toBeUndefined();
  });

  it("is mine if it signs for the domain, passes in part, or is a sending service", () => {
    const wrongKey = from(ADDRESS, { dkimResults: [{ ...result(DOMAIN, "fail"), selector: "old" }] });
    expect(about(ADDRESS, daily(wrongKey))).toBe(`${ADDRESS} mine signsForDomain`);
    const half = [
      ...daily(signing("tool.example")),
      ...daily({
        ...signing("tool.example"),
        count: 2,
        dkim: "pass",
        dkimResults: [{ ...result(DOMAIN), selector: "t" }],
      }),
    ];
    expect(about("tool.example", half)).toBe("tool.example mine partlyPasses");
    expect(about("sendgrid.net", daily(signing("sendgrid.net"), ONCE))).toBe(
      "service:Twilio SendGrid mine sendingService",
    );
    expect(about("tool.example", daily(signing("tool.example")))).toBe("tool.example mine steadySigner");
  });

  it("is a forwarder if its host is known as one, or receivers let some of its mail through", () => {
    const records = daily(from(ADDRESS));
    expect(about(ADDRESS, records, { hosts: { [ADDRESS]: "mx1.forwardemail.net" } })).toBe(
      `${ADDRESS} forwarder forwarderHost`,
    );
    const reasons = [{ type: "forwarded" as const, rawType: "forwarded", comment: "" }];
    const some = [...records, ...daily(from(ADDRESS, { reasons, count: 1 }))];
    expect(about(ADDRESS, some)).toBe(`${ADDRESS} forwarder partlyLetThrough`);
  });

  it("is not mine if it is rare and unsigned, or seen once without a reverse name", () => {
    expect(about("spam.example", daily(bouncing("spam.example"), ONCE))).toBe("spam.example notMine seldomUnsigned");
    expect(about(ADDRESS, daily(from(ADDRESS), ONCE), { hosts: { [ADDRESS]: "" } })).toBe(
      `${ADDRESS} notMine namelessBurst`,
    );
    // Not looked up yet is not the same as none.
    expect(about(ADDRESS, daily(from(ADDRESS), ONCE))).toBeUndefined();
  });

  it("is absent without evidence, and for sources that need no decision", () => {
    expect(about("tool.example", daily(bouncing("tool.example")))).toBeUndefined();
    expect(about("gmail.com", daily(bouncing("gmail.com")))).toBeUndefined();
    expect(suggestions(OWN).size).toBe(0);
    const decided = { decisions: { "service:Twilio SendGrid": "notMine" as const } };
    expect(about("sendgrid.net", daily(signing("sendgrid.net")), decided)).toBeUndefined();
  });

  it("covers the prefix if several addresses of a network are undecided", () => {
    const records = [3, 4, 5].flatMap((n) => daily(from(`203.0.113.${n}`)));
    const hosts = { "203.0.113.3": "a.hoster.example", "203.0.113.4": "b.hoster.example" };
    expect(about("203.0.113.3", records, { hosts })).toBe("203.0.113.0/24 mine steadyHost");
    expect(about("203.0.113.5", records, { hosts })).toBeUndefined();
  });

  it("has a sentence for each code", () => {
    for (const code of SUGGESTION_CODES) {
      const text = suggestionText({ subject: "x", decision: "mine", code, because: "Y" }, DOMAIN);
      expect(text).toMatch(/^Probably yours: [a-zA-Z].+[^.]\.$/);
    }
  });
});

/** A check whose SPF records are these. */
function spfCheck(records: string[]): StoredCheck {
  return checkWith(DOMAIN, { kind: "spf", name: DOMAIN, records });
}
