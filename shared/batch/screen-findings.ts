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
 * @param acceptedBefore the domains of a report that was accepted from the object earlier; none of any other
 */
export function screenFindings(
  object: ReadObject,
  acceptedBefore: (found: FoundReport) => readonly string[],
): Finding[] {
  const screened = object.findings.map((finding) =>
    "problem" in finding ? finding : acceptedFinding(finding, object, acceptedBefore(finding)),
  );
  const problems = screened.filter((finding): finding is FoundProblem => "problem" in finding);
  if (problems.length <= PROCESS_LIMITS.maxDeadLettersPerObject) return screened;
  const reports = screened.filter((finding) => "report" in finding);
  return [...reports, ...gatherProblems(problems, PROCESS_LIMITS.maxDeadLettersPerObject)];
}

function acceptedFinding(
  found: FoundReport,
  { message, registration }: ReadObject,
  acceptedBefore: readonly string[],
): Finding {
  const accepts = (domain: string): boolean =>
    (registration !== undefined && acceptsDomain(registration.entry, domain)) || acceptedBefore.includes(domain);
  const report = acceptedPart(found.report, accepts);
  if (report !== undefined) return narrowed(found, report, message.receivedSeconds);
  const [domain] = found.header.domains;
  return { part: found.part, domain, problem: problem("foreign_domain", domain) };
}
