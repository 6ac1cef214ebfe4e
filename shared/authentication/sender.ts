/**
 * Decides whether a report really comes from its reporter: compares the mail's authentication with the reporter's
 * domains. Pure; docs/authentication.md explains its effects.
 */
import { domainName, domainOfAddress } from "../domain-name.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import type { Report } from "../report/vocabulary.ts";
import type { AuthenticationNote, MethodResult } from "./authentication-results.ts";
import type { DkimResult } from "./dkim.ts";
import { type ReportSender, UNCHECKED } from "./sender-state.ts";

/** The result of a mail's authentication. */
export type MailAuthentication = { result: "pass"; domain: string } | { result: "fail" | "none" | "unchecked" };

/** Domains of one organization whose reports name one and come from the other. */
const SAME_ORGANIZATION: Record<string, string> = {
  "yahooinc.com": "yahoo.com",
};

/**
 * The result according to a receiver.
 *
 * @param from domain of the mail's From, "" if unknown: used if DMARC's result names none
 */
export function authenticationByResults(results: readonly MethodResult[], from: string): MailAuthentication {
  const [dmarc, ...others] = results.filter(({ method }) => method === "dmarc");
  // A mail has one result; of two, one may be its sender's, in a name or comment that the receiver repeats.
  if (others.some(({ result, domain }) => result !== dmarc?.result || domain !== dmarc.domain))
    return { result: "none" };
  const author = dmarc?.domain || from;
  if (dmarc?.result === "fail") return { result: "fail" };
  if (dmarc?.result === "pass") return author === "" ? { result: "none" } : { result: "pass", domain: author };
  // A domain without a DMARC record may still sign its mail.
  if (dmarc !== undefined && dmarc.result !== "none") return { result: "none" };
  const isProven = results.some(
    ({ method, result, domain }) => method !== "dmarc" && result === "pass" && isAligned(domain, author),
  );
  return isProven ? { result: "pass", domain: author } : { result: "none" };
}

/** The result according to verified signatures. @param from domain of the mail's From, "" if unknown */
export function authenticationByDkim(signatures: readonly DkimResult[], from: string): MailAuthentication {
  const own = signatures.filter(({ domain }) => isAligned(domain, from));
  if (own.some(({ result }) => result === "pass")) return { result: "pass", domain: from };
  return { result: own.some(({ result }) => result === "fail") ? "fail" : "none" };
}

/** The result according to what ingest recorded; undefined if the mail itself must be verified. */
export function authenticationByNote(
  note: AuthenticationNote | undefined,
  { from, hasResolver }: { from: string; hasResolver: boolean },
): MailAuthentication | undefined {
  if (note?.results !== undefined) return authenticationByResults(note.results, from);
  if (hasResolver && (note === undefined || note.isSigned)) return undefined;
  return { result: note !== undefined && (note.isExpected || hasResolver) ? "none" : "unchecked" };
}

/** The sender of a report, judged by its mail. */
export function senderOf(report: Report, mail: MailAuthentication): ReportSender {
  switch (mail.result) {
    case "unchecked":
      return UNCHECKED;
    case "none":
      return { state: "unverified", domain: "" };
    case "fail":
      return { state: "contradicted", domain: "" };
    case "pass": {
      const { domain } = mail;
      const own = reporterDomains(report);
      // The sender of a failure report is its reporter.
      if (report.kind === "failure" || own.some((name) => isAligned(name, domain)))
        return { state: "verified", domain };
      return { state: own.length === 0 ? "unverified" : "contradicted", domain };
    }
  }
}

/** The domains a reporter claims as its own. */
function reporterDomains(report: Report): string[] {
  switch (report.kind) {
    case "aggregate":
      return domainsIn(report.metadata.email, report.metadata.orgName);
    case "tls": {
      // Who it belongs to is its contact's domain alone (reporterKey in ../report-header.ts): another name proves nothing about that.
      const contact = domainsIn(report.contactInfo, "");
      return contact.length > 0 ? contact : domainsIn("", report.orgName);
    }
    case "failure":
      return [];
  }
}

function domainsIn(email: string, organization: string): string[] {
  const name = domainName(organization);
  return [domainOfAddress(email), isHostName(name) ? name : ""].filter((domain) => domain !== "");
}

function isHostName(name: string): boolean {
  return name.length <= 253 && name.includes(".") && name.split(".").every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
}

/** RFC 9989 section 4.4.3, relaxed: both have the same organizational domain. */
function isAligned(a: string, b: string): boolean {
  return a !== "" && b !== "" && organizationOf(a) === organizationOf(b);
}

function organizationOf(domain: string): string {
  const name = organizationalDomain(domain);
  return SAME_ORGANIZATION[name] ?? name;
}
