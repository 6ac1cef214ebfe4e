/**
 * Cuts a TLS report to what the dashboard can show on one page and export. The rest is counted, and remains in the raw
 * file. Pure.
 */
import { PAGE_LIMITS } from "../limits.ts";
import type { OmittedTls, RecordsAnswer } from "../operations.ts";
import type { TlsFailureDetail, TlsPolicy } from "../report/vocabulary.ts";

/** How much may still be taken. */
interface Room {
  items: number;
  chars: number;
}

/**
 * Cuts the policies and failure details of a TLS report to what PAGE_LIMITS allows, in the report's order; sessions of
 * policies that are left out are summed.
 */
export function boundPolicies(all: readonly TlsPolicy[]): Extract<RecordsAnswer, { kind: "tls" }> {
  const room = { items: PAGE_LIMITS.reportItems, chars: PAGE_LIMITS.reportChars };
  const omitted: OmittedTls = { policies: 0, failureDetails: 0, successfulSessions: 0, failedSessions: 0 };
  const policies: TlsPolicy[] = [];
  for (const policy of all) {
    const { failureDetails, ...head } = policy;
    if (!takes(room, head, 1 + policy.policyStrings.length + policy.mxHosts.length)) {
      omitted.policies++;
      omitted.failureDetails += failureDetails.length;
      omitted.successfulSessions += policy.successfulSessionCount;
      omitted.failedSessions += policy.failedSessionCount;
      continue;
    }
    const kept = takeDetails(room, failureDetails);
    omitted.failureDetails += failureDetails.length - kept.length;
    policies.push({ ...policy, failureDetails: kept });
  }
  return { kind: "tls", policies, omitted: omitted.policies + omitted.failureDetails === 0 ? undefined : omitted };
}

function takeDetails(room: Room, details: readonly TlsFailureDetail[]): TlsFailureDetail[] {
  const end = details.findIndex((detail) => !takes(room, detail, 1));
  return details.slice(0, end < 0 ? details.length : end);
}

// Once something does not fit, everything after it is left out, too.
function takes(room: Room, value: object, items: number): boolean {
  room.items -= items;
  room.chars -= JSON.stringify(value).length;
  return room.items >= 0 && room.chars >= 0;
}
