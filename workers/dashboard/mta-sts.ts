/**
 * Serves MTA-STS policy files (RFC 8461 section 3.3): at a host that begins with `mta-sts.`, this one path, to
 * everybody, and nothing else. Requests to such a host never reach the dashboard's pages or its API.
 */
import { domainOfPolicyHost, POLICY_PATH, policyText } from "../../shared/guidance/mta-sts-policy.ts";
import { hostedPolicyQuery } from "../../shared/ledger/mta-sts-policies.ts";
import type { LedgerReader } from "./ledger.ts";

/** Whether a request is for such a host. */
export function isPolicyHost(url: URL): boolean {
  return domainOfPolicyHost(url.hostname) !== undefined;
}

/** Whether it is for a policy file: the ledger need not be asked for anything else. */
export function isPolicyRequest(url: URL, method: string): boolean {
  return isPolicyHost(url) && url.pathname === POLICY_PATH && (method === "GET" || method === "HEAD");
}

/** The policy file of the host's domain; 404 where none is served. @throws LedgerUnavailableError */
export async function answerPolicy(url: URL, ledger: LedgerReader): Promise<Response> {
  const domain = domainOfPolicyHost(url.hostname) ?? "";
  const [held] = domain === "" ? [] : await ledger.askDirectory(hostedPolicyQuery(domain));
  if (held === undefined || held.policy === null || !held.isRegistered) return noPolicy();
  // Section 3.3: senders do not use HTTP caches, so nothing between may answer in our place after a change.
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  return new Response(policyText(held.policy), { headers });
}

/** The answer to every other path of such a host. */
export function noPolicy(): Response {
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  return new Response("No MTA-STS policy is served here.\n", { status: 404, headers });
}
