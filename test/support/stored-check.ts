/** Support: a check as it is stored, in which DNS answered one question. */
import type { CheckKind } from "../../shared/guidance/check.ts";
import type { StoredCheck } from "../../shared/guidance/stored-check.ts";

/** @param records TXT records at the name */
export function checkWith(
  domain: string,
  { kind, name, records }: { kind: CheckKind; name: string; records: string[] },
): StoredCheck {
  return {
    domain,
    state: "good",
    organizationalDomain: domain,
    policies: {},
    olderPolicies: {},
    destinations: [],
    spfLookups: 0,
    keys: [],
    checks: [
      {
        kind,
        state: "good",
        summary: "",
        findings: [],
        asked: [{ name, type: "TXT", status: "answers", records }],
      },
    ],
  };
}
