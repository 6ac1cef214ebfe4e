/**
 * An MTA-STS policy served for a domain (RFC 8461): validation, text, id, and the records to publish. mta-sts-check.ts
 * checks what others publish. Pure.
 */
import * as v from "valibot";
import { readDomainName } from "../domain-name.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { fail, ok, type Result } from "../result.ts";
import type { RecordToPublish } from "./check.ts";
import type { MtaStsPolicy } from "./mta-sts-check.ts";

/** In the order of adoption. */
export const MTA_STS_MODES = ["none", "testing", "enforce"] as const;
export type MtaStsMode = (typeof MTA_STS_MODES)[number];

/** The path of the policy file, and the prefix of the host it is at (RFC 8461 section 3.3). */
export const POLICY_PATH = "/.well-known/mta-sts.txt";
export const POLICY_HOST_PREFIX = "mta-sts.";

const { minMtaStsSeconds, maxMtaStsSeconds, maxMtaStsPatterns } = GUIDANCE_LIMITS;

/** A policy as stored. */
export const mtaStsPolicy = v.object({
  mode: v.picklist(MTA_STS_MODES),
  mx: v.array(v.string()),
  maxAgeSeconds: v.number(),
});

/**
 * Validates a policy typed by a person.
 *
 * @param given mx as host names or patterns, in any form; maxAgeSeconds in seconds
 * @returns the policy with its patterns as A-labels in lower case, none twice; or a sentence about what is wrong
 */
export function readTypedPolicy(given: MtaStsPolicy): Result<MtaStsPolicy, string> {
  const { mode, maxAgeSeconds } = given;
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < minMtaStsSeconds || maxAgeSeconds > maxMtaStsSeconds) {
    return fail(`max_age is a number of seconds from ${minMtaStsSeconds} (a day) to ${maxMtaStsSeconds} (a year).`);
  }
  const mx = new Set<string>();
  for (const typed of given.mx) {
    const pattern = readPattern(typed);
    if (!pattern.ok) return pattern;
    mx.add(pattern.value);
  }
  if (mx.size > maxMtaStsPatterns) return fail(`A policy names at most ${maxMtaStsPatterns} mail hosts.`);
  if (mode !== "none" && mx.size === 0) return fail("Name the mail hosts (mx) that the policy covers.");
  return ok({ mode, mx: [...mx], maxAgeSeconds });
}

// RFC 8461 section 4.1: `*` is the whole leftmost label or nothing.
function readPattern(typed: string): Result<string, string> {
  const text = typed.trim();
  const isWildcard = text.startsWith("*.");
  const rest = isWildcard ? text.slice(2) : text;
  if (rest.includes("*")) return fail(`'${text.slice(0, 100)}' can't be used: * may only stand for the first label.`);
  const name = readDomainName(rest);
  if (!name.ok) return name;
  if (name.value.takenFrom !== undefined || name.value.name.includes("_")) {
    return fail(`'${text.slice(0, 100)}' is no name of a mail host.`);
  }
  return ok(isWildcard ? `*.${name.value.name}` : name.value.name);
}

/** The text of the policy file: lines end with CRLF (RFC 8461 section 3.2). */
export function policyText({ mode, mx, maxAgeSeconds }: MtaStsPolicy): string {
  const lines = [
    "version: STSv1",
    `mode: ${mode}`,
    ...mx.map((pattern) => `mx: ${pattern}`),
    `max_age: ${maxAgeSeconds}`,
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

/**
 * The id of a policy: the second of its last change, in digits (RFC 8461 section 3.1: letters and digits, at most 32).
 * A policy that changes gets another one, so that senders fetch it again.
 */
export function policyId(changedSeconds: number): string {
  return new Date(changedSeconds * 1000)
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, "");
}

/** The record that tells senders of a policy. */
export function policyRecord(domain: string, changedSeconds: number): RecordToPublish {
  return { name: `_mta-sts.${domain}`, type: "TXT", value: `v=STSv1; id=${policyId(changedSeconds)};` };
}

/** Whether two policies are equal. */
export function isSamePolicy(a: MtaStsPolicy, b: MtaStsPolicy): boolean {
  return policyText(a) === policyText(b);
}

/** The domain whose policy a host serves; undefined if it is not a policy host. @param host without a port */
export function domainOfPolicyHost(host: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, "");
  return name.startsWith(POLICY_HOST_PREFIX) ? name.slice(POLICY_HOST_PREFIX.length) : undefined;
}
