/** Restricts a report to the domains its address accepts: nothing is counted for any other domain. Pure. */
import type { Report, TlsReport } from "./vocabulary.ts";

/**
 * The part of a report about accepted domains. For a TLS report these are its policies for them, and a warning names
 * the others.
 *
 * @param accepts whether the address accepts reports about a policy domain
 * @returns undefined if no part is about an accepted domain
 */
export function acceptedPart(report: Report, accepts: (domain: string) => boolean): Report | undefined {
  switch (report.kind) {
    case "aggregate":
      return accepts(report.policy.domain) ? report : undefined;
    case "failure":
      return accepts(report.reportedDomain) ? report : undefined;
    case "tls":
      return acceptedPolicies(report, accepts);
  }
}

function acceptedPolicies(report: TlsReport, accepts: (domain: string) => boolean): TlsReport | undefined {
  const policies = report.policies.filter(({ policyDomain }) => accepts(policyDomain));
  const foreign = report.policies.length - policies.length;
  if (foreign === 0 && (policies.length > 0 || accepts(""))) return report;
  if (policies.length === 0) return undefined;
  const path = "policies";
  const detail = `${foreign} of ${report.policies.length} are for domains that the address does not accept`;
  return { ...report, policies, warnings: [...report.warnings, { code: "foreign_policy", path, detail }] };
}
