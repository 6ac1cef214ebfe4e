/** Which findings of an object are decided about: reports about domains that its address accepts, and bounded problems. Pure. */
import { PROCESS_LIMITS } from "../limits.ts";
import { acceptsDomain } from "../registry.ts";
import { acceptedPart } from "../report/accepted.ts";
import { gatherProblems, problem } from "../report/problems.ts";
import type { ReadObject } from "./object.ts";
import { type Finding, type FoundProblem, type FoundReport, narrowed } from "./read-object.ts";

/**
 * What an object holds for its address: a report about other domains is a problem, one about some others is cut down to
 * what the address accepts, and beyond a number of problems they are gathered into one.
 *
 * @param known what is known of a report
 */
export function screenFindings(object: ReadObject, known: (found: FoundReport) => KnownDomains): Finding[] {
  const screened = object.findings.map((finding) =>
    "problem" in finding ? finding : acceptedFinding(finding, object, known(finding)),
  );
  const problems = screened.filter((finding): finding is FoundProblem => "problem" in finding);
  if (problems.length <= PROCESS_LIMITS.maxDeadLettersPerObject) return screened;
  const reports = screened.filter((finding) => "report" in finding);
  return [...reports, ...gatherProblems(problems, PROCESS_LIMITS.maxDeadLettersPerObject)];
}

/** Domains of a report besides those that its address accepts. */
export interface KnownDomains {
  /** Of one that was accepted from the object earlier. */
  accepted: readonly string[];
  /** Of the same report as it counts from other objects: this one counts for them as well, if it counts for any. */
  counted: readonly string[];
}

function acceptedFinding(
  found: FoundReport,
  { message, registration }: ReadObject,
  { accepted, counted }: KnownDomains,
): Finding {
  const accepts = (domain: string): boolean =>
    (registration !== undefined && acceptsDomain(registration.entry, domain)) || accepted.includes(domain);
  const report = found.header.domains.some(accepts)
    ? acceptedPart(found.report, (domain) => accepts(domain) || counted.includes(domain))
    : undefined;
  if (report !== undefined) return narrowed(found, report, message.receivedSeconds);
  const [domain] = found.header.domains;
  return { part: found.part, domain, problem: problem("foreign_domain", domain) };
}
