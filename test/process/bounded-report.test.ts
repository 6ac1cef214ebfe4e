/** What of a long TLS report its page is given: bounded in items and in characters, and nothing uncounted. */
import { describe, expect, it } from "vitest";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import type { TlsFailureDetail, TlsPolicy } from "../../shared/report/vocabulary.ts";
import { boundPolicies } from "../../shared/report-page/tls-policies.ts";

function detail(text = ""): TlsFailureDetail {
  return {
    resultType: "certificate-expired",
    sendingMtaIp: "192.0.2.1",
    receivingMxHostname: "mx.acme.example",
    receivingMxHelo: "",
    receivingIp: "192.0.2.2",
    failedSessionCount: 1,
    failureReasonCode: "",
    additionalInformation: text,
  };
}

function policy(details: TlsFailureDetail[], strings: string[] = []): TlsPolicy {
  return {
    policyType: "sts",
    policyDomain: "acme.example",
    policyStrings: strings,
    mxHosts: [],
    successfulSessionCount: 10,
    failedSessionCount: details.length,
    failureDetails: details,
  };
}

describe("a TLS report", () => {
  it("of usual length is returned unchanged", () => {
    const policies = [policy([detail()]), policy([])];
    expect(boundPolicies(policies)).toEqual({ kind: "tls", policies, omitted: undefined });
  });

  it.each([
    ["failures", [policy(Array.from({ length: 30_000 }, () => detail()))]],
    ["policies", Array.from({ length: 20_000 }, () => policy([detail()]))],
    ["policies of many lines", Array.from({ length: 20 }, () => policy([], Array(1000).fill("line")))],
    ["long failures", [policy(Array.from({ length: 2000 }, () => detail("x".repeat(8192))))]],
  ])("with too many %s is cut, and the rest is counted", (_, policies) => {
    const bounded = boundPolicies(policies);
    const kept = bounded.policies;
    const details = (list: TlsPolicy[]): number =>
      list.reduce((sum, { failureDetails }) => sum + failureDetails.length, 0);
    const sessions = (list: TlsPolicy[]): number => list.reduce((sum, p) => sum + p.successfulSessionCount, 0);
    const omitted = bounded.omitted ?? { policies: 0, failureDetails: 0, successfulSessions: 0, failedSessions: 0 };
    expect(omitted.policies + omitted.failureDetails).toBeGreaterThan(0);
    expect(kept.length + omitted.policies).toBe(policies.length);
    expect(details(kept) + omitted.failureDetails).toBe(details(policies));
    expect(sessions(kept) + omitted.successfulSessions).toBe(sessions(policies));
    expect(kept.length + details(kept)).toBeLessThanOrEqual(PAGE_LIMITS.reportItems);
    expect(kept.length + details(kept)).toBeGreaterThan(0);
    expect(JSON.stringify(kept).length).toBeLessThan(PAGE_LIMITS.reportChars * 1.05);
  });
});
