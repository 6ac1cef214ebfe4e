/** Hosted MTA-STS: what may be in a policy, its text and id, and every next step that is advised. */
import { describe, expect, it } from "vitest";
import { adviseMtaSts, type InboundState, type TlsFailureKind } from "../../shared/guidance/mta-sts-advice.ts";
import { readPolicy } from "../../shared/guidance/mta-sts-check.ts";
import {
  domainOfPolicyHost,
  policyId,
  policyRecord,
  policyText,
  readTypedPolicy,
} from "../../shared/guidance/mta-sts-policy.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";

const NOW = Date.UTC(2026, 10, 20, 12) / 1000;
const DAY = 86_400;
const WEEK = 604_800;

describe("a typed policy", () => {
  const typed = (mx: string[], maxAgeSeconds = WEEK, mode: "none" | "testing" | "enforce" = "testing") =>
    readTypedPolicy({ mode, mx, maxAgeSeconds });

  it("has each host once, as A-labels in lower case", () => {
    expect(typed(["MX1.Example.com.", " *.mail.bücher.example ", "mx1.example.com"])).toEqual({
      ok: true,
      value: { mode: "testing", mx: ["mx1.example.com", "*.mail.xn--bcher-kva.example"], maxAgeSeconds: WEEK },
    });
  });

  it.each([
    "mx.*.example.com",
    "*",
    "*mx.example.com",
    "**.example.com",
    "mx",
    "a b.example",
    "https://mx.example/",
    "_x.example",
    "a@mx.example",
    "",
  ])("refuses the host '%s'", (host) => {
    expect(typed([host]).ok).toBe(false);
  });

  it("may be remembered for a day up to a year", () => {
    const { minMtaStsSeconds, maxMtaStsSeconds } = GUIDANCE_LIMITS;
    expect([minMtaStsSeconds, maxMtaStsSeconds]).toEqual([86_400, 31_557_600]);
    for (const seconds of [minMtaStsSeconds, maxMtaStsSeconds])
      expect(typed(["mx.example.com"], seconds).ok).toBe(true);
    for (const seconds of [minMtaStsSeconds - 1, maxMtaStsSeconds + 1, 90_000.5, Number.NaN])
      expect(typed(["mx.example.com"], seconds).ok).toBe(false);
  });

  it("names hosts, up to the limit, unless its mode is none", () => {
    expect(typed([]).ok).toBe(false);
    expect(typed([], WEEK, "none").ok).toBe(true);
    const many = Array.from({ length: GUIDANCE_LIMITS.maxMtaStsPatterns }, (_, index) => `mx${index}.example.com`);
    expect(typed(many).ok).toBe(true);
    expect(typed([...many, "one-more.example.com"]).ok).toBe(false);
  });
});

it("a policy is written with CRLF and read back by the check", () => {
  const policy = { mode: "enforce" as const, mx: ["mx1.example.com", "*.example.net"], maxAgeSeconds: WEEK };
  const text = policyText(policy);
  expect(text).toBe(
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
  );
  expect(readPolicy(text)).toEqual({ policy });
});

it("the policy id in the record is the second of its change", () => {
  expect(policyId(NOW)).toBe("20261120120000");
  expect(policyId(NOW + 1)).not.toBe(policyId(NOW));
  expect(policyRecord("example.com", NOW)).toEqual({
    name: "_mta-sts.example.com",
    type: "TXT",
    value: "v=STSv1; id=20261120120000;",
  });
});

it("the policy domain follows the first label of the host", () => {
  expect(domainOfPolicyHost("MTA-STS.Example.com.")).toBe("example.com");
  for (const host of ["example.com", "xmta-sts.example.com", "www.mta-sts.example.com", "mta-sts", ""])
    expect(domainOfPolicyHost(host), host).toBeUndefined();
});

describe("the next step", () => {
  const quiet = { days: 12, sessions: 500, failed: 0, lastFailedDay: 0, failures: [] };
  const state = (changes: Partial<InboundState>): InboundState => ({
    domain: "example.com",
    policy: { mode: "testing", mx: ["*.example.com"], maxAgeSeconds: WEEK },
    changedSeconds: NOW - 20 * DAY,
    modeSinceSeconds: NOW - 20 * DAY,
    isRegistered: true,
    hosts: ["mx1.example.com"],
    publishedId: policyId(NOW - 20 * DAY),
    tls: quiet,
    nowSeconds: NOW,
    ...changes,
  });
  const enforced = { mode: "enforce" as const, mx: ["*.example.com"], maxAgeSeconds: WEEK };
  const failure = (resultType: string, sessions = 3): TlsFailureKind => ({
    resultType,
    receivingHost: "mx1.example.com",
    sessions,
    lastDay: Math.floor(NOW / DAY) - 1,
  });
  const failing = (...failures: TlsFailureKind[]) => ({
    ...quiet,
    failed: failures.reduce((sum, { sessions }) => sum + sessions, 0),
    failures,
  });

  it.each<[string, Partial<InboundState>, string | undefined]>([
    ["off", { policy: undefined }, "testing"],
    ["notRegistered", { isRegistered: false }, undefined],
    ["publishRecord", { publishedId: null }, undefined],
    ["publishRecord", { publishedId: "20200101000000" }, undefined],
    ["uncoveredHosts", { hosts: ["mx1.example.com", "mx.a.example.com"] }, undefined],
    ["uncoveredHosts", { policy: enforced, hosts: ["mx.example.net"] }, "testing"],
    ["modeNone", { policy: { mode: "none", mx: [], maxAgeSeconds: DAY } }, undefined],
    ["tooEarly", { modeSinceSeconds: NOW - 13 * DAY }, undefined],
    ["noReports", { tls: { ...quiet, days: GUIDANCE_LIMITS.mtaStsReportDays - 1 } }, undefined],
    ["ready", {}, "enforce"],
    ["ready", { hosts: undefined, publishedId: undefined }, "enforce"],
    ["ready", { modeSinceSeconds: NOW - 14 * DAY }, "enforce"],
    ["ready", { tls: failing(failure("tlsa-invalid")) }, "enforce"],
    ["failures", { tls: failing(failure("certificate-expired")) }, undefined],
    ["failures", { tls: { ...quiet, failed: 2 } }, undefined],
    ["protected", { policy: enforced }, undefined],
    ["enforcedFailures", { policy: enforced, tls: failing(failure("starttls-not-supported")) }, "testing"],
  ])("%s: %j", (code, changes, mode) => {
    const advice = adviseMtaSts(state(changes));
    expect([advice.code, advice.mode]).toEqual([code, mode]);
    expect(advice.sentence).toMatch(/^[A-Z].*\.$/);
  });

  it("lists the failures that block it, the most frequent first, including those without a reason", () => {
    const tls = { ...failing(failure("certificate-expired", 2), failure("starttls-not-supported", 9)), failed: 15 };
    const { failures, sentence } = adviseMtaSts(state({ tls }));
    expect(failures.map(({ resultType, sessions }) => [resultType, sessions])).toEqual([
      ["starttls-not-supported", 9],
      ["certificate-expired", 2],
      ["", 4],
    ]);
    expect(sentence).toContain("15 sessions");
  });
});
