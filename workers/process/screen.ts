/** Which findings may count, before any is settled: nothing about a foreign domain, and no flood of dead letters. */
import { domainOf, reportUid } from "../../shared/identity.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { acceptsDomain } from "../../shared/registry.ts";
import { acceptedPart } from "../../shared/report/accepted.ts";
import { gatherProblems, problem } from "../../shared/report/problems.ts";
import type { Report } from "../../shared/report/vocabulary.ts";
import { safeSegment } from "../../shared/storage.ts";
import type { Finding, FoundProblem } from "./findings.ts";
import type { ReportJob } from "./settle.ts";

/**
 * The findings as they are to be settled: reports without what the address does not accept, and problems, which are one
 * when they are too many. Reads nothing but its arguments.
 */
export async function screenFindings(findings: Finding[], job: ReportJob): Promise<Finding[]> {
  const screened: Finding[] = [];
  for (const finding of findings) screened.push(await screen(finding, job));
  const problems = screened.filter((finding): finding is FoundProblem => "problem" in finding);
  if (problems.length <= PROCESS_LIMITS.maxLettersPerObject) return screened;
  const reports = screened.filter((finding) => "report" in finding);
  return [...reports, ...gatherProblems(problems, PROCESS_LIMITS.maxLettersPerObject)];
}

async function screen(finding: Finding, job: ReportJob): Promise<Finding> {
  if ("problem" in finding) return finding;
  const { part, report } = finding;
  const accepted = await acceptedReport(report, job);
  if (accepted !== undefined) return { ...finding, report: accepted };
  const domain = domainOf(report);
  return { part, domain, problem: problem("foreign_domain", domain) };
}

async function acceptedReport(report: Report, { registration, previous }: ReportJob): Promise<Report | undefined> {
  if (registration === undefined) return undefined;
  const { entry } = registration;
  const accepted = acceptedPart(report, (domain) => acceptsDomain(entry, domain));
  if (accepted === report || previous === undefined) return accepted;
  // What was accepted stays so when its address takes fewer domains now.
  const uid = await reportUid(entry.account, report);
  const kept = previous.outcomes.filter(({ outcome, id }) => outcome === "accepted" && id === uid);
  const wasAccepted = (domain: string) => kept.some(({ key }) => key.includes(`/${safeSegment(domain)}/`));
  return acceptedPart(report, (domain) => acceptsDomain(entry, domain) || wasAccepted(domain));
}
