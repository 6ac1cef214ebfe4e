/** Which reports come from who they say they are from, and what never proves it. */
import { describe, expect, it } from "vitest";
import { readAuthenticationNote } from "../../shared/authentication/authentication-results.ts";
import {
  authenticationByDkim,
  authenticationByNote,
  authenticationByResults,
  type MailAuthentication,
  senderOf,
} from "../../shared/authentication/sender.ts";
import { isCounted, SENDER_STATES } from "../../shared/authentication/sender-state.ts";
import type { AggregateReport, FailureReport, Report, TlsReport } from "../../shared/report/vocabulary.ts";

/** What senderOf reads of a report. */
function aggregate(orgName: string, email: string): Report {
  return { kind: "aggregate", metadata: { orgName, email } } as AggregateReport;
}
function tls(orgName: string, contactInfo: string): Report {
  return { kind: "tls", orgName, contactInfo } as TlsReport;
}
const FAILURE = { kind: "failure", reportingMta: "mta.example" } as FailureReport;

const pass = (domain: string): MailAuthentication => ({ result: "pass", domain });

describe("a report", () => {
  it.each([
    ["of the domain of its email", aggregate("Reporter", "a@reporter.example"), "reporter.example"],
    ["of a subdomain of it", aggregate("Reporter", "a@reporter.example"), "mail.reporter.example"],
    ["of the domain above", aggregate("Reporter", "a@dmarc.reporter.example"), "reporter.example"],
    [
      "of its organization, where that is a domain",
      aggregate("Reporter.example", "a@elsewhere.example"),
      "reporter.example",
    ],
    ["of the domain of its contact", tls("Reporter", "mailto:a@reporter.example"), "reporter.example"],
    ["of the organization of a TLS report without a contact", tls("reporter.example", ""), "reporter.example"],
    ["of the other domain of its organization", aggregate("Yahoo", "dmarchelp@yahooinc.com"), "dmarc.yahoo.com"],
    ["about a failure, of whoever sent it", FAILURE, "reporter.example"],
  ])("is verified when its mail comes %s", (_, report, domain) => {
    expect(senderOf(report, pass(domain))).toEqual({ state: "verified", domain });
  });

  it.each([
    ["another's domain", aggregate("Google", "a@google.com"), "evil.example"],
    ["a name that holds it", aggregate("Google", "a@google.com"), "google.com.evil.example"],
    ["a neighbour under a public suffix", aggregate("Reporter", "a@one.co.uk"), "two.co.uk"],
    ["another's domain, of a TLS report", tls("Google", "a@google.com"), "evil.example"],
    // The contact alone says whose TLS report it is (shared/report-header.ts), and Google's ids can be foretold.
    [
      "that of the organization, of a TLS report whose contact is another's",
      tls("evil.example", "a@google.com"),
      "evil.example",
    ],
  ])("is contradicted when its mail comes from %s", (_, report, domain) => {
    expect(senderOf(report, pass(domain))).toEqual({ state: "contradicted", domain });
  });

  it("is not verified when no domain belongs to its reporter", () => {
    expect(senderOf(aggregate("Reporter", ""), pass("reporter.example"))).toEqual({
      state: "unverified",
      domain: "reporter.example",
    });
  });

  it("is contradicted by failing authentication, unverified without any, and unchecked if nobody looked", () => {
    const report = aggregate("Reporter", "a@reporter.example");
    expect(senderOf(report, { result: "fail" }).state).toBe("contradicted");
    expect(senderOf(report, { result: "none" }).state).toBe("unverified");
    expect(senderOf(report, { result: "unchecked" }).state).toBe("unchecked");
  });
});

describe("a mail", () => {
  const by = (text: string, from = "reporter.example"): string => {
    const results = readAuthenticationNote(`expected results ${text}`)?.results ?? [];
    const mail = authenticationByResults(results, from);
    return mail.result === "pass" ? `pass ${mail.domain}` : mail.result;
  };

  it.each([
    ["dmarc=pass/reporter.example", "pass reporter.example"],
    ["dmarc=fail/reporter.example dkim=pass/evil.example", "fail"],
    ["dmarc=none/reporter.example dkim=pass/mail.reporter.example", "pass reporter.example"],
    ["dmarc=none/reporter.example spf=pass/reporter.example", "pass reporter.example"],
    ["dmarc=none/reporter.example dkim=pass/evil.example spf=pass/evil.example", "none"],
    ["dmarc=none/reporter.example dkim=fail/reporter.example", "none"],
    ["dmarc=temperror/reporter.example dkim=pass/reporter.example", "none"],
    ["dkim=pass/reporter.example", "pass reporter.example"],
    // A mail has one result of DMARC: another was written by its sender, in a name that the receiver repeats.
    ["dmarc=pass/bank.example dmarc=fail/evil.example", "none"],
    ["dmarc=pass/bank.example dmarc=pass/evil.example", "none"],
    ["dmarc=fail/evil.example dmarc=pass/bank.example", "none"],
    ["dmarc=pass/reporter.example dmarc=pass/reporter.example", "pass reporter.example"],
    ["", "none"],
  ])("with %s is %s", (text, result) => {
    expect(by(text)).toBe(result);
  });

  it("is judged by the domain of its author, not by another signer", () => {
    expect(by("dkim=pass/reporter.example", "")).toBe("none");
    const signature = { selector: "s", reason: "" };
    const good = { ...signature, result: "pass", domain: "reporter.example" } as const;
    const bad = { ...signature, result: "fail", domain: "reporter.example" } as const;
    const unknown = { ...signature, result: "unknown", domain: "reporter.example" } as const;
    expect(authenticationByDkim([bad, good], "mail.reporter.example")).toEqual(pass("mail.reporter.example"));
    expect(authenticationByDkim([good], "other.example").result).toBe("none");
    expect(authenticationByDkim([bad], "reporter.example").result).toBe("fail");
    expect(authenticationByDkim([unknown], "reporter.example").result).toBe("none");
    expect(authenticationByDkim([good], "").result).toBe("none");
  });

  it("is unchecked only without any configured check, which no sender can cause", () => {
    const state = (note: string, hasResolver: boolean) =>
      authenticationByNote(readAuthenticationNote(note), { from: "reporter.example", hasResolver })?.result;
    expect(state("unsigned", false)).toBe("unchecked");
    expect(state("signed", false)).toBe("unchecked");
    expect(state("", false)).toBe("unchecked");
    expect(state("expected", false)).toBe("none");
    expect(state("expected signed", false)).toBe("none");
    expect(state("unsigned", true)).toBe("none");
    expect(state("expected", true)).toBe("none");
    // Its bytes have to say.
    expect(state("signed", true)).toBeUndefined();
    expect(state("expected signed", true)).toBeUndefined();
    expect(state("", true)).toBeUndefined();
  });
});

it("verified reports count, and so do reports that could not be checked", () => {
  expect(SENDER_STATES.filter(isCounted)).toEqual(["verified", "unchecked"]);
});
