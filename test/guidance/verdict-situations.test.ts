/** The verdict in situations that owners of domains are in: the state, what it turns on, the next step and the next record. */
import { describe, expect, it } from "vitest";
import type { Verdict } from "../../shared/guidance/verdict.ts";
import { verdictWords } from "../../shared/guidance/verdict-words.ts";
import {
  type Changes,
  DAYS,
  DOMAIN,
  daily,
  dkim,
  FIRST_DAY,
  OWN,
  service,
  spf,
  UNAUTHENTICATED,
  verdictOf,
} from "../support/domain-mail.ts";
import type { DatedRecord } from "../support/evidence.ts";

const RUA = "rua=mailto:r1@rua.example";
const on = (...days: number[]): number[] => days.map((day) => FIRST_DAY + day);

/** State, reasons and the two sentences of a verdict, with the record after its version. */
function said(verdict: Verdict) {
  const { headline, nextStep } = verdictWords(verdict);
  return {
    state: verdict.state,
    reasons: verdict.reasons.map(({ code, messages }) => `${code} ${messages}`),
    headline,
    nextStep,
    record: verdict.nextRecord?.replace(`; ${RUA}`, ""),
  };
}

function refused(records: readonly DatedRecord[]): DatedRecord[] {
  return records.map(({ day, record }) => ({ day, record: { ...record, disposition: "reject" } }));
}

/** Spoofers who come from another address every day. */
const SPOOFED = DAYS.flatMap((day, i) => daily({ ...UNAUTHENTICATED, count: 4, sourceIp: `203.0.${i}.9` }, [day]));
const SENDGRID = "Twilio SendGrid (sendgrid.net)";

describe("subdomains", () => {
  const fromSubdomain = (changes: Changes): DatedRecord[] =>
    daily({
      headerFrom: `mail.${DOMAIN}`,
      dkimResults: [dkim(`mail.${DOMAIN}`)],
      spfResults: [spf(`mail.${DOMAIN}`)],
      ...changes,
    });
  const unaligned = fromSubdomain({ ...service("sendgrid.net"), headerFrom: `mail.${DOMAIN}`, count: 50 });

  it("mail from subdomains alone is mail of the domain", () => {
    const verdict = verdictOf(fromSubdomain({ count: 100 }));
    expect(said(verdict)).toMatchObject({ state: "ready", reasons: [], record: "v=DMARC1; p=quarantine; t=y" });
    expect(verdict.wouldHit.strict).toEqual({ own: 0, undecided: 0, foreign: 0, forwarder: 0 });
  });

  it("p=reject with sp=none: subdomains are open, and can be closed where their mail passes", () => {
    expect(said(verdictOf(OWN, { policy: "p=reject; sp=none; np=none; adkim=s" }))).toEqual({
      state: "protected",
      reasons: [],
      headline: "Protected, but its subdomains are not: sp=none is published",
      nextStep: "Publish p=reject without sp=none.",
      record: "v=DMARC1; p=reject; adkim=s",
    });
    expect(said(verdictOf(OWN, { policy: "p=reject; sp=reject; np=none" }))).toMatchObject({
      headline: "Protected, but its subdomains are not: np=none is published",
      record: "v=DMARC1; p=reject",
    });
    expect(said(verdictOf(OWN, { policy: "p=reject; sp=reject; np=reject" })).record).toBeUndefined();
    expect(said(verdictOf(daily({ count: 100 }, DAYS.slice(0, 5)), { policy: "p=reject; sp=none" }))).toMatchObject({
      nextStep: "Wait for more reports before you publish p=reject without sp=none.",
      record: undefined,
    });
  });

  it("p=reject with sp=none: not where a service that sends for a subdomain would be hit", () => {
    const verdict = verdictOf([...OWN, ...unaligned], { policy: "p=reject; sp=none; np=none" });
    expect(said(verdict)).toMatchObject({
      state: "protected",
      reasons: ["undecidedSender 1400"],
      headline: "Protected: p=reject is published; some of what fails may be yours",
      record: undefined,
    });
    expect(verdict.wouldHit.subdomains.undecided).toBe(1400);
  });

  it("sp=reject refuses a service though the domain itself has p=none", () => {
    const records = [...OWN, ...refused(unaligned)];
    expect(said(verdictOf(records, { policy: "p=none; sp=reject; np=reject" }))).toEqual({
      state: "beingRejected",
      reasons: ["realSenderRefused 1400"],
      headline: "Real senders are being refused: 1,400 messages were quarantined or rejected",
      nextStep: `Decide whether ${SENDGRID} sends for you: if so, turn on DKIM for ${DOMAIN} there; if not, say that it is not yours. Until then, publish p=none.`,
      record: "v=DMARC1; p=none",
    });
    // By its own rules a receiver may refuse what no policy asks for.
    expect(verdictOf(records, { policy: "p=none; sp=none; np=none" }).state).toBe("notYet");
  });

  it("where only mail of subdomains is refused, the domain keeps its policy", () => {
    const verdict = verdictOf([...OWN, ...refused(unaligned)], { policy: "p=reject; sp=reject; np=reject" });
    expect(said(verdict)).toMatchObject({ state: "beingRejected", record: "v=DMARC1; p=reject; sp=none" });
    expect(said(verdict).nextStep).toMatch(/ Until then, publish p=reject; sp=none\.$/);
  });
});

describe("a domain that sends nothing", () => {
  it("is not in use whatever spoofers send, and is closed with its subdomains", () => {
    const parked = {
      state: "notInUse",
      reasons: ["foreignMailFails 112"],
      headline: "Not in use: none of 112 messages come from senders of this domain",
    };
    expect(said(verdictOf(SPOOFED))).toEqual({
      ...parked,
      nextStep: "If it sends no mail, publish p=reject and the SPF record v=spf1 -all.",
      record: "v=DMARC1; p=reject",
    });
    expect(said(verdictOf(SPOOFED, { policy: "p=quarantine; sp=none; np=none" })).record).toBe("v=DMARC1; p=reject");
    expect(said(verdictOf(refused(SPOOFED), { policy: "p=reject; sp=none; np=none" }))).toEqual({
      ...parked,
      nextStep: "If it sends no mail, publish p=reject without sp=none and the SPF record v=spf1 -all.",
      record: "v=DMARC1; p=reject",
    });
    const closed = said(verdictOf(refused(SPOOFED), { policy: "p=reject; sp=reject; np=reject" }));
    expect(closed.record).toBeUndefined();
    expect(closed.nextStep).toMatch(/^Nothing to do: p=reject is published\./);
  });

  it("one steady server may be the owner's, until they say that it is not", () => {
    const steady = daily({ ...UNAUTHENTICATED, count: 4, sourceIp: "203.0.113.9" });
    expect(said(verdictOf(steady))).toMatchObject({
      state: "notYet",
      nextStep: `Find out whether 203.0.113.9 is your server: if so, sign its mail with DKIM for ${DOMAIN} and add it to SPF; if not, say that it is not yours.`,
    });
    expect(verdictOf(steady, { decisions: { "203.0.113.0/24": "notMine" } }).state).toBe("notInUse");
  });
});

describe("p=reject", () => {
  const policy = "p=reject; sp=reject; np=reject";
  const service20 = refused(daily(service("crm.example", { count: 20 })));

  it("refuses a service that nobody knows but its own domain: real, until the owner decides", () => {
    expect(said(verdictOf([...OWN, ...service20], { policy }))).toMatchObject({
      state: "beingRejected",
      reasons: ["realSenderRefused 560"],
      record: "v=DMARC1; p=none",
    });
    const mine = said(verdictOf([...OWN, ...service20], { policy, decisions: { "crm.example": "mine" } }));
    expect(mine.nextStep).toBe(`Turn on DKIM for ${DOMAIN} at crm.example. Until then, publish p=none.`);
    const signed = { dkimResults: [dkim(DOMAIN, "fail")], spfResults: [spf("bounce.crm.example", "pass")] };
    const broken = refused(daily(service("crm.example", { count: 20, ...signed })));
    expect(said(verdictOf([...OWN, ...broken], { policy, decisions: { "crm.example": "mine" } })).nextStep).toMatch(
      /^Compare the DKIM key at \S+\._domainkey\.\S+ with the one that crm\.example shows: it signs for \S+, and the signatures don't verify\. Until then, publish p=none\.$/,
    );
    expect(said(verdictOf([...OWN, ...service20], { policy, decisions: { "crm.example": "notMine" } }))).toEqual({
      state: "protected",
      reasons: [],
      headline: "Protected: p=reject is published, and your senders pass",
      nextStep: "Nothing to do.",
      record: undefined,
    });
  });

  it("refuses an unauthenticated server: protected, and the headline does not say that all senders pass", () => {
    const server = refused(daily({ ...UNAUTHENTICATED, count: 20, sourceIp: "203.0.113.9" }));
    expect(said(verdictOf([...OWN, ...server], { policy }))).toMatchObject({
      state: "protected",
      reasons: ["undecidedSender 560"],
      headline: "Protected: p=reject is published; some of what fails may be yours",
    });
  });

  it("no longer refuses a service that was set right", () => {
    const before = refused(daily(service("sendgrid.net", { count: 9 }), DAYS.slice(0, 14)));
    const after = daily(
      service("sendgrid.net", { count: 9, dkim: "pass", dkimResults: [dkim(DOMAIN, "pass", "sg")] }),
      DAYS.slice(14),
    );
    expect(said(verdictOf([...OWN, ...before], { policy })).state).toBe("beingRejected");
    expect(said(verdictOf([...OWN, ...before, ...after], { policy }))).toEqual({
      state: "protected",
      reasons: ["ownMailFails 126"],
      headline: "Protected: p=reject is published; some of your mail fails",
      nextStep: `Wait: mail of ${SENDGRID} has not failed since 2024-10-17; the failures before that leave the period day by day.`,
      record: undefined,
    });
  });

  it("still refuses a monthly newsletter beside daily mail of the same service that passes", () => {
    const aligned = daily(
      service("sendgrid.net", { count: 9, dkim: "pass", dkimResults: [dkim(DOMAIN, "pass", "sg")] }),
    );
    const newsletter = refused(daily(service("sendgrid.net", { count: 200 }), on(5)));
    const verdict = verdictOf([...OWN, ...aligned, ...newsletter], { policy });
    expect(said(verdict)).toMatchObject({ state: "beingRejected", reasons: ["realSenderRefused 200"] });
  });
});

describe("forwarding and lists", () => {
  const reason = (type: "mailing_list" | "local_policy", comment = "") => [{ type, rawType: type, comment }];
  const listed = (changes: Changes = {}): DatedRecord[] => {
    const dkimResults = [dkim(DOMAIN, "fail"), dkim("lists.example")];
    return daily(service("lists.example", { count: 6, sourceIp: "203.0.113.60", dkimResults, ...changes }));
  };

  it("a domain of mailing lists is ready where receivers let their mail through", () => {
    const verdict = verdictOf([...OWN, ...listed({ reasons: reason("mailing_list") })]);
    expect(said(verdict)).toMatchObject({ state: "ready", reasons: ["letThrough 168"] });
    expect(verdict.wouldHit.reject).toEqual({ own: 0, undecided: 0, foreign: 0, forwarder: 0 });
  });

  it("mail that ARC vouches for is let through, too", () => {
    const reasons = reason("local_policy", "arc=pass as[1].d=lists.example as[1].s=arc");
    expect(said(verdictOf([...OWN, ...listed({ reasons })]))).toMatchObject({
      state: "ready",
      reasons: ["letThrough 168"],
    });
  });

  it("where they don't, quarantine is as far as to go; the owner may accept the loss", () => {
    const advice =
      "lists.example forwards mail in a way that breaks it, which you can't fix: go no further than p=quarantine, or call it a forwarder and accept the loss.";
    expect(said(verdictOf([...OWN, ...listed()]))).toEqual({
      state: "notYet",
      reasons: ["forwardedMailFails 168"],
      headline: "Not yet: p=reject would hit 168 of 2,968 messages that may be yours",
      nextStep: `Publish p=quarantine; t=y. ${advice}`,
      record: "v=DMARC1; p=quarantine; t=y",
    });
    const quarantined = said(verdictOf([...OWN, ...listed()], { policy: "p=quarantine" }));
    expect(quarantined).toMatchObject({ state: "notYet", nextStep: advice, record: undefined });
    expect(said(verdictOf([...OWN, ...refused(listed())], { policy: "p=reject" }))).toMatchObject({
      state: "protected",
      headline: "Protected: p=reject is published; some forwarded mail fails",
      nextStep: advice,
    });
    expect(verdictOf([...OWN, ...listed()], { decisions: { "lists.example": "forwarder" } }).state).toBe("ready");
  });

  it("forwarders break SPF alone where the mail is signed: nothing is lost", () => {
    const forwarded = daily({ count: 5, spf: "fail", spfResults: [spf(DOMAIN, "softfail")], sourceIp: "198.51.100.9" });
    expect(said(verdictOf([...OWN, ...forwarded]))).toMatchObject({ state: "ready", reasons: [] });
  });

  it("unsigned mail fails once it is forwarded: signing it comes before asking about the forwarder", () => {
    const unsigned = daily({ count: 100, dkim: "fail", dkimResults: [] });
    const forwarded = daily({ ...UNAUTHENTICATED, count: 3, sourceIp: "198.51.100.9" });
    expect(said(verdictOf([...unsigned, ...forwarded]))).toMatchObject({
      state: "notYet",
      reasons: ["spfOnly 2800", "undecidedSender 84"],
      nextStep: `Sign your mail from 192.0.2.1 with DKIM for ${DOMAIN}: SPF breaks when mail is forwarded.`,
    });
  });
});

describe("t=y", () => {
  it("is no enforcement of quarantine, and one of reject: a service that fails is quarantined", () => {
    const failing = daily(service("sendgrid.net", { count: 20 }));
    const quarantined = daily(service("sendgrid.net", { count: 20, disposition: "quarantine" }));
    expect(said(verdictOf([...OWN, ...failing], { policy: "p=quarantine; t=y" }))).toMatchObject({
      state: "notYet",
      reasons: ["undecidedSender 560"],
      record: undefined,
    });
    expect(said(verdictOf([...OWN, ...quarantined], { policy: "p=reject; t=y" }))).toMatchObject({
      state: "beingRejected",
      record: "v=DMARC1; p=none",
    });
  });

  it("ends with p=reject after a week", () => {
    const tested = (since: number) => said(verdictOf(OWN, { policy: "p=reject; t=y", since: FIRST_DAY + since }));
    expect(tested(20)).toMatchObject({
      state: "ready",
      nextStep: "Publish p=reject.",
      record: "v=DMARC1; p=reject",
    });
    expect(tested(25).nextStep).toMatch(/^Publish p=reject in 4 days/);
  });
});

describe("several senders", () => {
  it("own servers that SPF alone aligns are named, the largest first", () => {
    const servers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].flatMap((sourceIp, i) =>
      daily({ count: 40 + i, dkim: "fail", dkimResults: [], sourceIp }),
    );
    expect(said(verdictOf(servers))).toMatchObject({
      state: "notYet",
      headline: "Not yet: too much of your mail passes by SPF alone",
      nextStep: `Sign your mail from 192.0.2.4, 192.0.2.3, 192.0.2.2 and 1 more with DKIM for ${DOMAIN}: SPF breaks when mail is forwarded.`,
    });
  });

  it("a service that began half way is asked about; one that was set right half way takes time alone", () => {
    const began = daily(service("sendgrid.net", { count: 9 }), DAYS.slice(14));
    expect(said(verdictOf([...OWN, ...began]))).toMatchObject({ state: "notYet", reasons: ["undecidedSender 126"] });
    const signed = service("sendgrid.net", { count: 9, dkim: "pass", dkimResults: [dkim(DOMAIN, "pass", "sg")] });
    const before = daily(service("sendgrid.net", { count: 9 }), DAYS.slice(0, 14));
    const fixed = said(verdictOf([...OWN, ...before, ...daily(signed, DAYS.slice(14))]));
    expect(fixed.state).toBe("notYet");
    expect(fixed.nextStep).toMatch(/^Wait: mail of Twilio SendGrid \(sendgrid\.net\) has not failed since /);
    // Another that still fails comes first, though it is smaller.
    const other = daily(service("mcsv.net", { count: 2 }));
    const both = said(verdictOf([...OWN, ...before, ...daily(signed, DAYS.slice(14)), ...other]));
    expect(both.nextStep).toMatch(/^Decide whether Mailchimp \(mcsv\.net\) sends for you/);
  });

  it("a monthly newsletter counts with the one day on which it was seen", () => {
    const newsletter = (changes: Changes) => daily(service("mcsv.net", { count: 300, ...changes }), on(7));
    expect(said(verdictOf([...OWN, ...newsletter({})]))).toMatchObject({
      state: "notYet",
      reasons: ["undecidedSender 300"],
      nextStep: `Decide whether Mailchimp (mcsv.net) sends for you: if so, turn on DKIM for ${DOMAIN} there; if not, say that it is not yours.`,
    });
    const signed = newsletter({ dkim: "pass", dkimResults: [dkim(DOMAIN, "pass", "k2")] });
    expect(verdictOf([...OWN, ...signed]).state).toBe("ready");
    const fromServer = daily({ ...UNAUTHENTICATED, count: 300, sourceIp: "203.0.113.77" }, on(7));
    expect(said(verdictOf([...OWN, ...fromServer]))).toMatchObject({
      state: "notYet",
      reasons: ["undecidedSender 300"],
    });
  });

  it("a decision about a prefix leaves a service there alone: what authenticates is decided by its name", () => {
    const records = [
      ...OWN,
      ...daily(service("sendgrid.net", { count: 9 })),
      ...daily({ ...UNAUTHENTICATED, count: 5, sourceIp: "198.51.100.8" }),
    ];
    const prefix = { "198.51.100.0/24": "notMine" } as const;
    const verdict = verdictOf(records, { decisions: prefix });
    expect(said(verdict)).toMatchObject({ state: "notYet", reasons: ["undecidedSender 252"] });
    expect(verdict.wouldHit.reject).toMatchObject({ undecided: 252, foreign: 140 });
    const both = verdictOf(records, { decisions: { ...prefix, "service:Twilio SendGrid": "notMine" } });
    expect(both.state).toBe("ready");
  });
});
