/** The verdict: each state, each role with its reason, what-if, and the record to publish next. */
import { describe, expect, it } from "vitest";
import { readDmarcRecord } from "../../shared/guidance/dmarc-record.ts";
import type { Decision } from "../../shared/guidance/roles.ts";
import { judge, type Verdict } from "../../shared/guidance/verdict.ts";
import { verdictJson } from "../../shared/guidance/verdict-json.ts";
import {
  basisText,
  fixText,
  listedReasons,
  reasonText,
  roleReasonText,
  verdictWords,
} from "../../shared/guidance/verdict-words.ts";
import {
  type Changes,
  DAYS,
  DOMAIN,
  daily,
  dkim,
  FIRST_DAY,
  inputOf,
  OWN,
  PERIOD,
  service,
  spf,
  UNAUTHENTICATED,
  verdictOf,
} from "../support/domain-mail.ts";
import type { DatedRecord } from "../support/evidence.ts";

/** The role and reason of the source that some records make, beside the owner's own mail. */
function roleOf(records: readonly DatedRecord[], name: string, decisions: Record<string, Decision> = {}) {
  const found = verdictOf([...OWN, ...records], { decisions }).sources.find((source) => source.name === name);
  return found === undefined ? undefined : `${found.role} ${found.reason}`;
}

describe("the role of a source", () => {
  it("own: what is authenticated as the domain, and a service set up for it", () => {
    expect(roleOf([], DOMAIN)).toBe("own authenticatedAsDomain");
    const setUp = service("sendgrid.net", { dkim: "pass", dkimResults: [dkim(DOMAIN, "pass", "sg")] });
    expect(roleOf(daily(setUp), "sendgrid.net")).toBe("own passesDmarc");
  });

  it("own: an address whose other mail passes by SPF", () => {
    expect(roleOf(daily({ ...UNAUTHENTICATED, sourceIp: "192.0.2.1" }), "192.0.2.1")).toBe("own sameServerPasses");
  });

  it("forwarder: the signature of the owner's servers survives while SPF passes for another domain or for none", () => {
    const rewritten = { count: 3, sourceIp: "198.51.100.9", spf: "fail" as const, spfResults: [spf("alumni.example")] };
    expect(roleOf(daily(rewritten), "alumni.example")).toBe("forwarder signatureSurvives");
    const plain = { sourceIp: "198.51.100.10", spf: "fail" as const, spfResults: [spf(DOMAIN, "fail")] };
    const broken = { ...UNAUTHENTICATED, sourceIp: "198.51.100.10" };
    expect(roleOf([...daily(plain), ...daily(broken)], "198.51.100.10")).toBe("forwarder signatureSurvives");
  });

  it("own, no forwarder: an unknown service that signs for the domain with a key of its own", () => {
    const own = service("mailer.example", { dkim: "pass", dkimResults: [dkim(DOMAIN, "pass", "mailer")] });
    expect(roleOf(daily(own), "mailer.example")).toBe("own passesDmarc");
  });

  it("forwarder: a mailbox provider that hands on, never a service for sending", () => {
    const handedOn = (domain: string): Changes => ({ spf: "fail", spfResults: [spf(domain)] });
    expect(roleOf(daily(handedOn("gmail.com")), "gmail.com")).toBe("forwarder signatureSurvives");
    expect(roleOf(daily(handedOn("sendgrid.net")), "sendgrid.net")).toBe("own passesDmarc");
  });

  it("forwarder: known lists, signatures broken on the way, and what receivers say", () => {
    expect(roleOf(daily(service("lists.ietf.org")), "ietf.org")).toBe("forwarder knownForwarder");
    const changed = { ...UNAUTHENTICATED, dkimResults: [dkim(DOMAIN, "fail")], sourceIp: "203.0.113.1" };
    expect(roleOf(daily(changed), "203.0.113.1")).toBe("forwarder signatureBroken");
    for (const type of ["forwarded", "mailing_list", "trusted_forwarder"] as const) {
      const reasons = [{ type, rawType: type, comment: "" }];
      expect(roleOf(daily(service("club.example", { reasons })), "club.example")).toBe("forwarder receiversLetThrough");
    }
    const arc = [{ type: "local_policy" as const, rawType: "local_policy", comment: "arc=pass" }];
    expect(roleOf(daily(service("club.example", { reasons: arc })), "club.example")).toBe(
      "forwarder receiversLetThrough",
    );
  });

  it.each(["local_policy", "sampled_out", "policy_test_mode", "other"] as const)("no forwarder: reason %s", (type) => {
    const reasons = [{ type, rawType: type, comment: "arc=fail" }];
    expect(roleOf(daily(service("club.example", { reasons })), "club.example")).toBe("undecided identifiedSender");
  });

  it("undecided: a known service that never aligns, even once; a key that works nowhere", () => {
    const once = DAYS.slice(4, 5);
    expect(roleOf(daily(service("sendgrid.net", { count: 50 }), once), "sendgrid.net")).toBe("undecided knownService");
    const wrongKey = { ...UNAUTHENTICATED, dkimResults: [dkim(DOMAIN, "fail", "old")], sourceIp: "203.0.113.2" };
    expect(roleOf(daily(wrongKey), "203.0.113.2")).toBe("undecided failingSignature");
  });

  it("undecided: a steady sender or server, and a large one", () => {
    const server = { ...UNAUTHENTICATED, sourceIp: "203.0.113.3" };
    expect(roleOf(daily(server), "203.0.113.3")).toBe("undecided steadyServer");
    expect(roleOf(daily(service("unknown.example")), "unknown.example")).toBe("undecided identifiedSender");
    const strangers = DAYS.map((day, i) => daily({ ...UNAUTHENTICATED, count: 300, sourceIp: `198.51.${i}.1` }, [day]));
    const large = daily({ ...server, count: 500 }, DAYS.slice(3, 4));
    expect(roleOf([...strangers.flat(), ...large], "203.0.113.3")).toBe("undecided largeSender");
    // Three addresses of one network take turns.
    const turns = DAYS.flatMap((day) => daily({ ...server, sourceIp: `203.0.113.${3 + (day % 3)}` }, [day]));
    expect(roleOf(turns, "203.0.113.4")).toBe("undecided steadyServer");
  });

  it("undecided: an unauthenticated server that alone is more than may be lost, unless it looks like one of many", () => {
    const on = (...days: number[]): number[] => days.map((day) => FIRST_DAY + day);
    const server = (count: number, ...days: number[]) =>
      daily({ ...UNAUTHENTICATED, count, sourceIp: "203.0.113.3" }, on(...days));
    const run = [0, 10, 20].flatMap((day) =>
      [10, 11, 12, 13].flatMap((n) =>
        daily({ ...UNAUTHENTICATED, count: 3, sourceIp: `198.51.${n + day}.1` }, on(day)),
      ),
    );
    expect(roleOf([...run, ...server(3, 10)], "203.0.113.3")).toBe("foreign oneOff");
    expect(roleOf([...run, ...server(9, 10)], "203.0.113.3")).toBe("foreign oneOff");
    expect(roleOf([...run, ...server(10, 10)], "203.0.113.3")).toBe("undecided standsOut");
    expect(roleOf([...run, ...server(3, 5)], "203.0.113.3")).toBe("undecided loneServer");
    expect(roleOf([...run, ...server(2, 10, 20)], "203.0.113.3")).toBe("undecided returningServer");
    // Less than may be lost is not asked about: 2 of 2,800.
    expect(roleOf([...run, ...server(1, 10, 20)], "203.0.113.3")).toBe("foreign smallSender");
  });

  it("foreign: an organization that is one of many at once, each unsigned, a little from each, and not again", () => {
    const on = (...days: number[]): number[] => days.map((day) => FIRST_DAY + day);
    const from = (name: string, count: number, days: number[], changes: Changes = {}) =>
      daily(service(name, { count, dkimResults: [], ...changes }), days);
    const run = ["a", "b", "c", "d"].flatMap((name) => from(`${name}.example`, 3, on(10)));
    expect(roleOf([...run, ...from("one.example", 3, on(10))], "one.example")).toBe("foreign oneOff");
    // Alone; larger than the others; back again; signed; a known service.
    expect(roleOf(from("one.example", 3, on(10)), "one.example")).toBe("undecided identifiedSender");
    expect(roleOf([...run, ...from("one.example", 3, on(5))], "one.example")).toBe("undecided identifiedSender");
    expect(roleOf([...run, ...from("one.example", 10, on(10))], "one.example")).toBe("undecided identifiedSender");
    expect(roleOf([...run, ...from("one.example", 3, on(10, 20))], "one.example")).toBe("undecided identifiedSender");
    const signed = { dkimResults: [dkim("one.example", "pass", "k1")] };
    expect(roleOf([...run, ...from("one.example", 3, on(10), signed)], "one.example")).toBe(
      "undecided identifiedSender",
    );
    expect(roleOf([...run, ...from("sendgrid.net", 3, on(10))], "sendgrid.net")).toBe("undecided knownService");
  });

  it("undecided: another organization that alone is more than may be lost, if it was seen once only", () => {
    const once = DAYS.slice(3, 4);
    expect(roleOf(daily(service("spam.example", { count: 3 }), once), "spam.example")).toBe(
      "undecided identifiedSender",
    );
    expect(roleOf(daily(service("spam.example", { count: 2 }), once), "spam.example")).toBe("foreign smallSender");
  });

  it("undecided: senders each too small to be asked about, if together they are more than may be lost", () => {
    const small = (name: string) => daily(service(name, { count: 2 }), DAYS.slice(3, 4));
    expect(verdictOf([...OWN, ...small("one.example")])).toMatchObject({ state: "ready" });
    const two = verdictOf([...OWN, ...small("one.example"), ...small("two.example")]);
    expect(two).toMatchObject({ state: "notYet", wouldHit: { reject: { undecided: 4, foreign: 0 } } });
    expect(two.reasons.map(({ code, messages }) => `${code} ${messages}`)).toEqual([
      "undecidedSender 2",
      "undecidedSender 2",
    ]);
  });

  it("foreign: another organization that never signs, and sends much in two or three bursts", () => {
    const bursts = (days: readonly number[], changes: Changes = {}) =>
      roleOf(
        daily(
          service("spam.example", { count: 20, dkimResults: [], ...changes }),
          days.map((day) => FIRST_DAY + day),
        ),
        "spam.example",
      );
    expect(bursts([3, 13])).toBe("foreign unsignedBursts");
    expect(bursts([3, 13, 23])).toBe("foreign unsignedBursts");
    // As often as a monthly sender, or a weekly one; signed; as little as a forwarder hands on.
    expect(bursts([3])).toBe("undecided identifiedSender");
    expect(bursts([3, 10, 17, 24])).toBe("undecided identifiedSender");
    // It may have begun last week.
    expect(bursts([22, 23, 25, 26])).toBe("undecided identifiedSender");
    expect(bursts([3, 13], { dkimResults: [dkim("spam.example")] })).toBe("undecided identifiedSender");
    expect(bursts([3, 13], { count: 4 })).toBe("undecided identifiedSender");
    // A service for sending is asked about, whatever it does.
    const known = service("sendgrid.net", { count: 20, dkimResults: [] });
    expect(roleOf(daily(known, [FIRST_DAY + 3, FIRST_DAY + 13]), "sendgrid.net")).toBe("undecided knownService");
  });

  it("foreign: what comes seldom to a domain of which nothing passes", () => {
    const once = DAYS.slice(3, 4);
    const server = daily({ ...UNAUTHENTICATED, count: 9, sourceIp: "203.0.113.3" }, once);
    const { sources } = verdictOf([...server, ...daily(service("spam.example", { count: 500 }), once)]);
    expect(sources.map(({ role, reason }) => `${role} ${reason}`)).toEqual(["foreign oneOff", "foreign oneOff"]);
  });

  it("foreign: what is too little to matter", () => {
    const once = DAYS.slice(3, 4);
    const server = { ...UNAUTHENTICATED, sourceIp: "203.0.113.3" };
    const many = daily({ count: 5000 });
    const found = verdictOf([...many, ...daily(server, once)]).sources.find(({ name }) => name === "203.0.113.3");
    expect(found).toMatchObject({ role: "foreign", reason: "smallServer" });
    const run = [1, 2, 3, 4].map((n) => ({ ...server, sourceIp: `203.0.${n}.3` }));
    const { sources } = verdictOf([...many, ...run.flatMap((one) => daily(one, once))]);
    expect(sources.slice(1).map(({ role, reason }) => `${role} ${reason}`)).toEqual(
      Array.from({ length: 4 }, () => "foreign fewMessages"),
    );
  });

  it.each<[Decision, string]>([
    ["mine", "own decided"],
    ["notMine", "foreign decided"],
    ["forwarder", "forwarder decided"],
  ])("as the owner decided: %s", (decision, expected) => {
    expect(roleOf(daily(service("sendgrid.net")), "sendgrid.net", { "sendgrid.net": decision })).toBe(expected);
  });
});

describe("the state", () => {
  it("silent: no reports", () => {
    expect(verdictOf([])).toMatchObject({ state: "silent", days: 0, messages: 0, reasons: [] });
  });

  it("tooEarly: few days, or few messages", () => {
    expect(verdictOf(daily({ count: 100 }, DAYS.slice(0, 7)))).toMatchObject({ state: "tooEarly" });
    const late = inputOf(daily({ count: 100 }, DAYS.slice(6)));
    const policies = [{ policy: "p=none", firstDay: FIRST_DAY + 6, lastDay: PERIOD.lastDay }];
    expect(judge({ ...late, policies })).toMatchObject({
      state: "tooEarly",
      reasons: [{ code: "tooFewDays", days: 22 }],
    });
    const before = [{ policy: "p=none", firstDay: FIRST_DAY + 5, lastDay: PERIOD.lastDay }];
    expect(judge({ ...late, policies: before }).state).toBe("ready");
    expect(verdictOf(daily({ count: 100 }, [DAYS[0] ?? 0, DAYS[27] ?? 0]))).toMatchObject({ state: "tooEarly" });
    const few = verdictOf(daily({ count: 1 }, DAYS.slice(0, 19)));
    expect(few).toMatchObject({ state: "tooEarly", reasons: [{ code: "tooFewMessages", messages: 19 }] });
    expect(few.nextRecord).toBeUndefined();
  });

  it("ready: little mail, some of it forwarded, and nothing fails", () => {
    const forwarded = daily({ sourceIp: "198.51.100.9", spf: "fail", spfResults: [spf("alumni.example")] });
    expect(verdictOf([...daily({ count: 20 }), ...forwarded])).toMatchObject({ state: "ready", ownMessages: 588 });
  });

  it("notYet: one failing message is a thousandth of what is reported, or more", () => {
    const wrongKey = { ...UNAUTHENTICATED, dkimResults: [dkim(DOMAIN, "fail", "old")], sourceIp: "203.0.113.2" };
    const once = daily(wrongKey, DAYS.slice(3, 4));
    // Of 981 messages; and of 1,009.
    expect(verdictOf([...daily({ count: 35 }), ...once]).state).toBe("notYet");
    expect(verdictOf([...daily({ count: 36 }), ...once]).state).toBe("ready");
  });

  it("notYet: a single server too small to be asked about, where with mail that fails already it is too much", () => {
    const server = daily({ ...UNAUTHENTICATED, count: 2, sourceIp: "203.0.113.3" }, DAYS.slice(9, 10));
    expect(verdictOf([...OWN, ...server]).state).toBe("ready");
    const broken = { ...UNAUTHENTICATED, dkimResults: [dkim(DOMAIN, "fail")], sourceIp: "198.51.100.2" };
    const once = daily(broken, DAYS.slice(3, 4));
    expect(verdictOf([...OWN, ...once]).state).toBe("ready");
    const both = verdictOf([...OWN, ...once, ...server]);
    expect(both).toMatchObject({ state: "notYet", wouldHit: { reject: { undecided: 2, forwarder: 1 } } });
    expect(both.sources.find(({ name }) => name === "203.0.113.3")).toMatchObject({
      role: "undecided",
      reason: "smallServer",
    });
    // Several of them, and nothing else that fails: spoofers' more often than the owner's.
    const other = daily({ ...UNAUTHENTICATED, count: 2, sourceIp: "192.0.3.3" }, DAYS.slice(20, 21));
    expect(verdictOf([...OWN, ...server, ...other]).state).toBe("ready");
  });

  it("ready: own mail passes, spoofers come and go", () => {
    const spoofers = DAYS.map((day, i) => daily({ ...UNAUTHENTICATED, count: 5, sourceIp: `203.0.${i}.9` }, [day]));
    const verdict = verdictOf([...OWN, ...spoofers.flat()]);
    expect(verdict).toMatchObject({ state: "ready", messages: 2940, ownMessages: 2800 });
    expect(verdict.reasons.map(({ code }) => code)).toEqual(["foreignMailFails"]);
  });

  it("ready: 0.5 % forwarding that receivers let through does not stand in its way", () => {
    const reasons = [{ type: "forwarded" as const, rawType: "forwarded", comment: "" }];
    const forwarded = daily({ ...UNAUTHENTICATED, reasons, sourceIp: "203.0.113.1" }, DAYS.slice(0, 14));
    expect(verdictOf([...OWN, ...forwarded])).toMatchObject({ state: "ready", letThrough: 14 });
  });

  it("notYet: a service that never aligns, until the owner says that it is not theirs", () => {
    const records = [...OWN, ...daily(service("sendgrid.net", { count: 10 }))];
    const verdict = verdictOf(records);
    expect(verdict).toMatchObject({ state: "notYet", reasons: [{ code: "undecidedSender", messages: 280 }] });
    expect(verdict.nextRecord).toBeUndefined();
    expect(verdictOf(records, { decisions: { "sendgrid.net": "notMine" } }).state).toBe("ready");
    expect(verdictOf(records, { decisions: { "sendgrid.net": "mine" } })).toMatchObject({
      state: "notYet",
      reasons: [{ code: "ownMailFails" }],
    });
  });

  it("notYet: a spammer that passes SPF for itself, until the owner decides", () => {
    const spammer = service("spam.example", { dkimResults: [] });
    const records = [...OWN, ...daily(spammer)];
    expect(verdictOf(records).state).toBe("notYet");
    expect(verdictOf(records, { decisions: { "spam.example": "notMine" } }).state).toBe("ready");
  });

  it("notYet: forwarding that breaks and is not let through; quarantine is offered, and the owner may accept it", () => {
    const changed = { ...UNAUTHENTICATED, dkimResults: [dkim(DOMAIN, "fail")], sourceIp: "203.0.113.1" };
    const records = [...OWN, ...daily(changed, DAYS.slice(0, 14))];
    const verdict = verdictOf(records);
    expect(verdict).toMatchObject({ state: "notYet", reasons: [{ code: "forwardedMailFails", messages: 14 }] });
    expect(verdict.nextRecord).toContain("p=quarantine; t=y;");
    expect(verdictOf(records, { policy: "p=quarantine" }).nextRecord).toBeUndefined();
    expect(verdictOf(records, { decisions: { "203.0.113.1": "forwarder" } }).state).toBe("ready");
  });

  it("notYet: own mail that passes by SPF alone", () => {
    const verdict = verdictOf(daily({ count: 100, dkim: "fail", dkimResults: [] }));
    expect(verdict).toMatchObject({ state: "notYet", reasons: [{ code: "spfOnly", messages: 2800 }] });
  });

  it("a part of the mail passes by SPF alone: it depends on how much is forwarded, unless it is most of it", () => {
    const bySpf = (count: number) =>
      daily({ count, dkim: "fail", dkimResults: [dkim("mailer.example")], spfResults: [spf(`bounce.${DOMAIN}`)] });
    const forwarded = daily({ sourceIp: "198.51.100.9", spf: "fail", spfResults: [spf("alumni.example")] });
    expect(verdictOf([...OWN, ...bySpf(40)]).state).toBe("ready");
    expect(verdictOf([...OWN, ...bySpf(40), ...forwarded])).toMatchObject({
      state: "notYet",
      reasons: [{ code: "spfOnly", messages: 1120 }],
    });
    expect(verdictOf([...OWN, ...bySpf(10), ...forwarded]).state).toBe("ready");
    expect(verdictOf([...OWN, ...bySpf(120)]).state).toBe("notYet");
  });

  it("beingRejected: 4,000 messages of a real service, under p=reject and under p=quarantine", () => {
    const refused = daily(service("sendgrid.net", { count: 143, disposition: "reject" }));
    const verdict = verdictOf([...OWN, ...refused], { policy: "p=reject; sp=reject; pct=100" });
    expect(verdict).toMatchObject({ state: "beingRejected", reasons: [{ code: "realSenderRefused", messages: 4004 }] });
    expect(verdict.nextRecord).toBe("v=DMARC1; p=none; rua=mailto:r1@rua.example");
    const quarantined = daily(service("sendgrid.net", { count: 143, disposition: "quarantine" }));
    expect(verdictOf([...OWN, ...quarantined], { policy: "p=quarantine" }).state).toBe("beingRejected");
    // Under p=none a receiver may refuse by rules of its own: the policy does not.
    expect(verdictOf([...OWN, ...refused]).state).toBe("notYet");
  });

  it("protected: p=reject refuses spoofers, however steady", () => {
    const spoofer = daily({ ...UNAUTHENTICATED, count: 30, disposition: "reject", sourceIp: "203.0.113.3" });
    const verdict = verdictOf([...OWN, ...spoofer], { policy: "p=reject; sp=reject" });
    expect(verdict).toMatchObject({ state: "protected", missing: [] });
    expect(verdict.nextRecord).toBeUndefined();
    expect(verdictOf(OWN, { policy: "p=reject" })).toMatchObject({ state: "protected", reasons: [] });
  });

  it("notInUse: under p=reject also where only spoofers send, however steadily", () => {
    const spoofer = daily({ ...UNAUTHENTICATED, count: 30, disposition: "reject", sourceIp: "203.0.113.3" });
    expect(verdictOf(spoofer, { policy: "p=reject; sp=reject" })).toMatchObject({ state: "notInUse" });
    expect(verdictOf(spoofer).state).toBe("notYet");
  });

  it("notInUse: only foreign mail", () => {
    const spoofers = DAYS.flatMap((day, i) => daily({ ...UNAUTHENTICATED, sourceIp: `203.0.${i}.9` }, [day]));
    const verdict = verdictOf(spoofers);
    expect(verdict).toMatchObject({ state: "notInUse", ownMessages: 0 });
    expect(verdict.nextRecord).toBe("v=DMARC1; p=reject; rua=mailto:r1@rua.example");
    expect(verdictOf(spoofers, { policy: "p=reject" }).nextRecord).toBeUndefined();
    // Days without mail count as well, once reports come at all.
    expect(verdictOf(spoofers.slice(0, 3)).state).toBe("notInUse");
    const policies = [{ policy: "p=none", firstDay: FIRST_DAY + 10, lastDay: PERIOD.lastDay }];
    expect(judge({ ...inputOf(spoofers.slice(10)), policies }).state).toBe("tooEarly");
  });
});

describe("what-if", () => {
  it("counts by step and role what fails and is not let through", () => {
    const subdomain = daily(service("sendgrid.net", { headerFrom: `news.${DOMAIN}`, count: 2 }));
    const relaxed = daily({ count: 7, headerFrom: `sub.${DOMAIN}`, sourceIp: "192.0.2.2" });
    const { wouldHit } = verdictOf([...OWN, ...subdomain, ...relaxed]);
    const none = { own: 0, undecided: 0, foreign: 0, forwarder: 0 };
    expect(wouldHit).toEqual({
      quarantineTest: none,
      quarantine: { ...none, undecided: 56 },
      rejectTest: { ...none, undecided: 56 },
      reject: { ...none, undecided: 56 },
      strict: { ...none, undecided: 56, own: 196 },
      subdomains: { ...none, undecided: 56 },
    });
  });

  it("counts mail of more groups than the evidence has, as foreign", () => {
    const input = inputOf(OWN);
    const verdict = judge({ ...input, totals: { messages: 3000, failing: 150 } });
    expect(verdict.wouldHit.reject).toEqual({ own: 0, undecided: 0, foreign: 150, forwarder: 0 });
    expect(verdict.messages).toBe(3000);
    expect(verdict.sources.reduce((sum, { messages }) => sum + messages, 0)).toBe(3000);
  });
});

describe("the next record", () => {
  const next = (policy: string): string | undefined => verdictOf(OWN, { policy }).nextRecord;

  it.each([
    ["p=none; sp=none; pct=100", "p=quarantine; t=y"],
    ["p=quarantine; sp=quarantine; pct=100; t=y", "p=quarantine"],
    ["p=quarantine; sp=quarantine; pct=25", "p=quarantine"],
    ["p=quarantine; sp=quarantine; pct=100", "p=reject; t=y"],
    ["p=reject; sp=reject; pct=100; t=y", "p=reject"],
    ["p=unknown", "p=quarantine; t=y"],
    ["", "p=quarantine; t=y"],
  ])("after '%s' is %s", (policy, expected) => {
    expect(next(policy)).toBe(`v=DMARC1; ${expected}; rua=mailto:r1@rua.example`);
  });

  it("keeps what differs from what receivers assume, and drops pct", () => {
    const policy = "p=none; sp=reject; np=reject; adkim=s; aspf=s; pct=50; fo=1:d; psd=n";
    expect(next(policy)).toBe(
      "v=DMARC1; p=quarantine; t=y; sp=reject; adkim=s; aspf=s; fo=1:d; psd=n; rua=mailto:r1@rua.example",
    );
  });

  it("keeps what is published and reports do not show: other addresses, ruf, unknown tags", () => {
    const published =
      "v=DMARC1; p=none; rua=mailto:r1@rua.example,mailto:x@other.example; ruf=mailto:f@other.example; x=1";
    expect(verdictOf(OWN, { policy: "p=none; sp=none; pct=100", published }).nextRecord).toBe(
      "v=DMARC1; p=quarantine; t=y; rua=mailto:r1@rua.example,mailto:x@other.example; ruf=mailto:f@other.example; x=1",
    );
  });

  it("takes nothing from a report but known values, and escapes addresses", () => {
    const policy = `p=none; sp=none"evil; adkim=s; fo=1;rua=mailto:x@evil.example`;
    const text = verdictOf(OWN, { policy, ruaAddresses: ["a,b!1@rua.example", "c@rua.example"] }).nextRecord ?? "";
    expect(text).not.toContain("evil");
    const record = readDmarcRecord(text);
    expect(record.rua.map(({ address }) => address)).toEqual(["a,b!1@rua.example", "c@rua.example"]);
    expect(record.tags.every(({ standing }) => standing === "used")).toBe(true);
  });

  it("waits until the present step was out for a month, a test for a week", () => {
    const since = (policy: string, day: number) => verdictOf(OWN, { policy, since: day }).missing;
    expect(since("p=none", FIRST_DAY)).toEqual([]);
    expect(since("p=none", FIRST_DAY + 20)).toEqual([{ code: "stageTooShort", messages: 0, days: 20 }]);
    expect(since("p=quarantine; t=y", FIRST_DAY + 22)).toEqual([{ code: "stageTooShort", messages: 0, days: 1 }]);
    expect(since("p=quarantine; t=y", FIRST_DAY + 21)).toEqual([]);
  });
});

describe("in words", () => {
  const STATES: Record<string, Verdict> = {
    silent: verdictOf([]),
    tooEarly: verdictOf(daily({ count: 3 }, DAYS.slice(0, 5))),
    ready: verdictOf(OWN),
    notYet: verdictOf([...OWN, ...daily(service("sendgrid.net", { count: 10 }))]),
    protected: verdictOf(OWN, { policy: "p=reject" }),
    beingRejected: verdictOf([...OWN, ...daily(service("sendgrid.net", { count: 143, disposition: "reject" }))], {
      policy: "p=reject",
    }),
    notInUse: verdictOf(
      daily({ ...UNAUTHENTICATED, count: 1 }, DAYS).map((one, i) => ({
        ...one,
        record: { ...one.record, sourceIp: `203.0.${i}.9` },
      })),
    ),
  };

  it.each(Object.entries(STATES))("%s has one line and one next step", (state, verdict) => {
    expect(verdict.state).toBe(state);
    const { headline, nextStep } = verdictWords(verdict);
    expect(headline).toMatch(/^[A-Z]/);
    expect(nextStep).toMatch(/\.$/);
    for (const text of [headline, nextStep]) expect(text).not.toMatch(/undefined|NaN/);
    for (const reason of [...verdict.reasons, ...verdict.missing]) {
      expect(reasonText(reason)).toMatch(/\.$/);
      expect(fixText(reason, DOMAIN)).toMatch(/\.$/);
    }
    for (const { reason } of verdict.sources) expect(roleReasonText(reason)).not.toBe("");
  });

  it("says on how many days it rests, and what may be missing, only where it advises p=reject", () => {
    const bases = Object.entries(STATES).map(([state, verdict]) => [state, basisText(verdict)]);
    expect(bases.filter(([, basis]) => basis !== undefined)).toEqual([
      [
        "ready",
        "Based on 28 days. It covers receivers that send reports, not the others. Mail sent less often may be missing.",
      ],
      [
        "notInUse",
        "Based on 28 days. It covers receivers that send reports, not the others. Mail sent less often may be missing.",
      ],
    ]);
  });

  it("says what to do, and where", () => {
    expect(STATES.beingRejected && verdictWords(STATES.beingRejected)).toEqual({
      headline: "Real senders are being refused: 4,004 messages were quarantined or rejected",
      nextStep: `Decide whether Twilio SendGrid (sendgrid.net) sends for you: if so, turn on DKIM for ${DOMAIN} there; if not, say that it is not yours. Until then, publish p=none.`,
    });
  });

  it("once the record is in DNS, it is not asked for again before reports show it", () => {
    const withRecord = (published: string, policy = "p=none") => verdictOf(OWN, { policy, published });
    const waits = "Nothing to do now: it is published, and reports that show it come within a few days.";
    expect(verdictWords(withRecord("v=DMARC1; p=none; rua=mailto:a@b.example")).nextStep).toBe(
      "Publish p=quarantine; t=y.",
    );
    const done = withRecord("v=DMARC1;p=quarantine;t=y;rua=mailto:a@b.example");
    expect(done.isPublished).toBe(true);
    expect(verdictWords(done).nextStep).toBe(waits);
    expect(verdictWords(withRecord("v=DMARC1; p=quarantine; rua=mailto:a@b.example")).nextStep).toBe(
      "Publish p=quarantine; t=y.",
    );
    // sp=quarantine says what p=quarantine says without it.
    expect(withRecord("v=DMARC1; p=quarantine; sp=quarantine; t=y").isPublished).toBe(true);
    expect(withRecord("v=DMARC1; p=reject; sp=none", "p=reject; sp=none").isPublished).toBe(false);
    expect(withRecord("v=DMARC1; p=reject", "p=reject; sp=none").isPublished).toBe(true);
    const refused = [...OWN, ...daily(service("sendgrid.net", { count: 143, disposition: "reject" }))];
    const eased = verdictOf(refused, { policy: "p=reject", published: "v=DMARC1; p=none" });
    expect(verdictWords(eased).nextStep).toMatch(/Until then, keep p=none, which DNS has now\.$/);
  });

  it("of a domain that it is too early for: how much is needed, once, in the singular too", () => {
    const one = verdictOf(daily({ count: 100 }, DAYS.slice(0, 1)));
    expect(verdictWords(one).nextStep).toBe(
      "Wait for more reports, or choose a longer period: a verdict needs reports over 25 days, on at least 8 of them. " +
        "So far there is 1 day with reports.",
    );
    expect(listedReasons(one)).toEqual([]);
    const few = verdictOf(daily({ count: 1 }, DAYS.slice(0, 19)));
    expect(verdictWords(few).nextStep).toBe(
      "Wait for more mail: a verdict needs 20 messages of your senders, and there are 19 so far.",
    );
  });

  it("and for programs, as one object", () => {
    const json = verdictJson(verdictOf([...OWN, ...daily(service("sendgrid.net", { count: 10 }))]));
    expect(json).toMatchObject({
      domain: DOMAIN,
      state: "notYet",
      reasons: [{ code: "undecidedSender", messages: 280, source: "sendgrid.net" }],
      days: 28,
      messages: 3080,
      wouldHit: { quarantine: { own: 0, undecided: 280, foreign: 0 }, reject: { own: 0, undecided: 280, foreign: 0 } },
      nextRecord: null,
      sources: [{ name: "sendgrid.net", role: "undecided", reason: { code: "knownService" }, hit: 280 }],
    });
  });
});
