/** The one sentence about a source: a test for each thing that can be the matter. */
import { describe, expect, it } from "vitest";
import { type DiagnosedGroup, type DiagnosedSource, diagnoseSource } from "../../shared/guidance/source-diagnosis.ts";

function group(changes: Partial<DiagnosedGroup>): DiagnosedGroup {
  return {
    dkimResults: "",
    spfResults: "",
    headerFrom: "example.com",
    messages: 10,
    passed: 0,
    dkimAligned: 0,
    spared: 0,
    ...changes,
  };
}

function diagnose(groups: DiagnosedGroup[], changes: Partial<DiagnosedSource> = {}) {
  return diagnoseSource({
    domain: "example.com",
    name: "helpdesk.example",
    kind: "other",
    groups,
    days: [],
    decision: undefined,
    keys: [],
    ...changes,
  });
}

const OWN_KEY = { domain: "example.com", selector: "s1" };

describe("failing mail may be", () => {
  it("signed for another domain", () => {
    const { code, sentence } = diagnose([
      group({ dkimResults: "helpdesk.example s1 pass", spfResults: "bounce.helpdesk.example mfrom pass" }),
    ]);
    expect(code).toBe("signsAsOther");
    expect(sentence).toBe(
      "helpdesk.example signs as helpdesk.example, so nothing aligns: turn on DKIM for example.com there.",
    );
  });

  it("from a known service, which is named with its guide", () => {
    const signed = group({ dkimResults: "sendgrid.net smtpapi pass" });
    const { sentence, guide } = diagnose([signed], { name: "sendgrid.net" });
    expect(sentence).toMatch(/^Twilio SendGrid signs as sendgrid\.net/);
    expect(guide?.url).toContain("twilio.com/docs/sendgrid");
    expect(diagnose([signed]).guide).toBeUndefined();
  });

  it("unsigned, with SPF that passes for the service's own domain", () => {
    const { code, sentence } = diagnose([group({ spfResults: "bounce.helpdesk.example mfrom pass" })]);
    expect(code).toBe("returnPathOfOther");
    expect(sentence).toContain("SPF passes for bounce.helpdesk.example only");
  });

  it("from a subdomain, which is named", () => {
    const { sentence } = diagnose([group({ headerFrom: "news.example.com", dkimResults: "helpdesk.example s1 pass" })]);
    expect(sentence).toContain("turn on DKIM for news.example.com there");
  });

  it("without any signature, from a server that SPF does not list", () => {
    const { code, sentence } = diagnose([group({ spfResults: "example.com mfrom softfail" })], {
      name: "192.0.2.1",
      kind: "none",
    });
    expect(code).toBe("notListed");
    expect(sentence).toContain("192.0.2.1 does not sign, and the SPF record of example.com does not list it");
  });

  it("without SPF or DKIM; the HELO name is not the return path", () => {
    const spfResults = "mail.example.com helo pass";
    expect(diagnose([group({})], { name: "192.0.2.1", kind: "none" }).code).toBe("notAuthenticated");
    expect(diagnose([group({ spfResults })], { name: "192.0.2.1", kind: "none" }).code).toBe("notAuthenticated");
  });

  it("signed with a key that is not in DNS, or was revoked there", () => {
    const groups = [group({ dkimResults: "example.com s1 permerror\nhelpdesk.example x pass" })];
    for (const keyType of ["missing", "revoked"] as const) {
      const { code, sentence } = diagnose(groups, { keys: [{ ...OWN_KEY, keyType }] });
      expect(code).toBe("keyMissing");
      expect(sentence).toContain("publish s1._domainkey.example.com");
    }
  });

  it("signed with a key that is there, and never verifies", () => {
    const groups = [group({ dkimResults: "example.com s1 fail" })];
    expect(diagnose(groups, { keys: [{ ...OWN_KEY, keyType: "rsa" }] }).code).toBe("signatureBroken");
    expect(diagnose(groups).code).toBe("signatureBroken");
  });

  it("broken after forwarding: the same key holds elsewhere", () => {
    const holds = group({ dkimResults: "example.com s1 pass", messages: 90, passed: 90, dkimAligned: 90 });
    const breaks = group({ dkimResults: "example.com s1 fail", spfResults: "forwarder.test mfrom pass" });
    expect(diagnose([holds, breaks]).code).toBe("signatureChanged");
    const otherKey = group({ dkimResults: "example.com s2 fail" });
    expect(diagnose([holds, otherKey]).code).toBe("signatureBroken");
  });

  it("signed with a key that verified until a day, as one that expired: that is no forwarder's work", () => {
    const holds = group({ dkimResults: "example.com s1 pass", messages: 900, passed: 900, dkimAligned: 900 });
    const breaks = group({ dkimResults: "example.com s1 permerror", messages: 30 });
    const before = Array.from({ length: 26 }, (_, i) => ({
      day: 20_000 + i,
      dkimResults: holds.dkimResults,
      messages: 34,
    }));
    const since = [26, 27, 28].map((i) => ({ day: 20_000 + i, dkimResults: breaks.dkimResults, messages: 10 }));
    const stopped = diagnose([holds, breaks], { days: [...before, ...since] });
    expect(stopped.code).toBe("signatureBroken");
    expect(stopped.sentence).toContain("compare the key at s1._domainkey.example.com");
    const keys = [{ ...OWN_KEY, keyType: "missing" as const }];
    expect(diagnose([holds, breaks], { days: [...before, ...since], keys }).code).toBe("keyMissing");
    // A few that broke on the way, also on the last day, do not say that the key is wrong.
    const now = [
      ...before,
      ...[3, 9, 25].map((i) => ({ day: 20_000 + i, dkimResults: breaks.dkimResults, messages: 10 })),
    ];
    expect(diagnose([holds, breaks], { days: now }).code).toBe("signatureChanged");
    // Nor does a newsletter of each week, of which somebody forwards one mail the day after.
    const weekly = [0, 7, 14, 21].map((i) => ({ day: 20_000 + i, dkimResults: holds.dkimResults, messages: 225 }));
    const forwarded = { day: 20_022, dkimResults: breaks.dkimResults, messages: 1 };
    const one = group({ dkimResults: breaks.dkimResults, messages: 1 });
    expect(diagnose([holds, one], { days: [...weekly, forwarded] }).code).toBe("signatureChanged");
  });

  it("under strict alignment: signed or bounced as a subdomain", () => {
    const dkim = diagnose([group({ dkimResults: "mail.example.com s1 pass" })]);
    expect(dkim.code).toBe("strictDkim");
    expect(dkim.sentence).toContain("asks for exactly example.com (adkim=s)");
    const spf = diagnose([group({ spfResults: "bounce.example.com mfrom pass" })]);
    expect(spf.code).toBe("strictSpf");
    expect(spf.sentence).toContain("(aspf=s)");
  });

  it("mostly let through by receivers", () => {
    const groups = [
      group({ messages: 10, spared: 6 }),
      group({ dkimResults: "helpdesk.example s1 pass", messages: 1 }),
    ];
    expect(diagnose(groups).code).toBe("letThrough");
    expect(diagnose([group({ messages: 10, spared: 5 })]).code).toBe("notAuthenticated");
  });

  it("diagnosed by its most frequent cause, whatever else passes", () => {
    const groups = [
      group({ dkimResults: "example.com s1 pass", messages: 1000, passed: 1000, dkimAligned: 1000 }),
      group({ spfResults: "example.com mfrom fail", messages: 3 }),
      group({ dkimResults: "helpdesk.example s1 pass", messages: 2 }),
      group({ dkimResults: "helpdesk.example s1 pass", spfResults: "x.test mfrom fail", messages: 2 }),
    ];
    expect(diagnose(groups).code).toBe("signsAsOther");
  });
});

describe("a decision of", () => {
  const failing = [group({ dkimResults: "helpdesk.example s1 pass" })];

  it("not mine or forwarder means there is nothing to fix", () => {
    expect(diagnose(failing, { decision: "notMine" }).code).toBe("notMine");
    expect(diagnose(failing, { decision: "forwarder" }).code).toBe("forwarder");
    expect(diagnose(failing, { decision: "mine" }).code).toBe("signsAsOther");
  });

  it("mine means the owner is not asked again", () => {
    const nothing = { name: "192.0.2.1", kind: "none" as const };
    expect(diagnose([group({})], nothing).sentence).toContain("if it is yours, turn on DKIM");
    expect(diagnose([group({})], { ...nothing, decision: "mine" }).sentence).toContain("SPF pass: turn on DKIM");
  });
});

describe("passing mail", () => {
  it("needs nothing if it is signed, and DKIM if only SPF passes", () => {
    const signed = group({ dkimResults: "example.com s1 pass", passed: 10, dkimAligned: 10 });
    expect(diagnose([signed]).code).toBe("passes");
    const bySpf = group({ spfResults: "example.com mfrom pass", passed: 10 });
    expect(diagnose([bySpf]).code).toBe("passesBySpfOnly");
    expect(diagnose([bySpf], { name: "google.com" }).guide?.setting).toContain("DKIM");
    expect(diagnose([]).code).toBe("noMail");
  });
});
