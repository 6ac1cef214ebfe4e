/** A domain's MTA-STS policy: as it is served, what DNS and TLS reports say about it, and the next step. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import {
  adviseMtaSts,
  failureDays,
  type TlsEvidence,
  uncoveredHosts,
} from "../../../shared/guidance/mta-sts-advice.ts";
import type { MtaStsPolicy } from "../../../shared/guidance/mta-sts-check.ts";
import { POLICY_HOST_PREFIX, POLICY_PATH, policyId, policyRecord } from "../../../shared/guidance/mta-sts-policy.ts";
import { mailHostsOf, mtaStsIdOf } from "../../../shared/guidance/stored-check.ts";
import { checksQuery, type KeptCheck } from "../../../shared/ledger/domain-checks.ts";
import {
  type HostedPolicy,
  hostedPolicyQuery,
  type PolicyChange,
  policyChangesQuery,
  registeredWithQuery,
} from "../../../shared/ledger/mta-sts-policies.ts";
import { provenTlsFailuresQuery, stsSessionsQuery } from "../../../shared/ledger/tls.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import type { LedgerReader } from "../ledger.ts";
import type { Call } from "./call.ts";

/** The caller checks that the account is the person's. */
export async function getMtaSts(
  c: Call,
  { account, domain }: Inputs["mtaSts"],
  nowSeconds: number,
): Promise<Outputs["mtaSts"]> {
  const ledger = c.get("ledger");
  const [[held], changes, [rua], [kept]] = await Promise.all([
    ledger.askDirectory(hostedPolicyQuery(domain)),
    ledger.askDirectory(policyChangesQuery(domain, account, GUIDANCE_LIMITS.maxShownPolicyChanges)),
    ledger.askDirectory(registeredWithQuery(account, domain)),
    ledger.ask(checksQuery(domain, [account]), account),
  ]);
  const current = held?.account === account ? held : undefined;
  const policy = current?.policy ?? undefined;
  const modeSinceSeconds = policy === undefined ? 0 : modeSince(changes);
  const tls = await tlsEvidence(ledger, { account, domain }, { mode: policy?.mode, modeSinceSeconds, nowSeconds });
  const hosts = kept === undefined ? undefined : mailHostsOf(kept.check);
  const isRegistered = current?.isRegistered === true;
  const advice = adviseMtaSts({
    domain,
    policy,
    changedSeconds: current?.changedSeconds ?? 0,
    modeSinceSeconds,
    isRegistered,
    hosts,
    publishedId: publishedId(kept, current),
    tls,
    nowSeconds,
  });
  return {
    account,
    domain,
    registeredWith: rua ?? null,
    hosted: current === undefined || policy === undefined ? null : hostedOf(current, policy),
    url: `https://${POLICY_HOST_PREFIX}${domain}${POLICY_PATH}`,
    isServed: policy !== undefined && isRegistered,
    hosts: hosts === undefined ? null : hosts.map((host) => ({ host, isCovered: covers(policy, host) })),
    checkedSeconds: kept?.checkedSeconds ?? null,
    advice,
    changes: changes.map(({ policy: changed, changedBy, changedSeconds }) => ({
      policy: changed,
      changedBy,
      changedSeconds,
    })),
  };
}

function hostedOf({ account, domain, changedBy, changedSeconds }: HostedPolicy, policy: MtaStsPolicy) {
  const id = policyId(changedSeconds);
  return { account, domain, policy, id, changedBy, changedSeconds, record: policyRecord(domain, changedSeconds) };
}

function covers(policy: MtaStsPolicy | undefined, host: string): boolean {
  return policy !== undefined && uncoveredHosts(policy, [host]).length === 0;
}

// A check before the change says nothing about the record after it.
function publishedId(kept: KeptCheck | undefined, current: HostedPolicy | undefined): string | null | undefined {
  if (kept === undefined || current === undefined || kept.checkedSeconds < current.changedSeconds) return undefined;
  return mtaStsIdOf(kept.check);
}

/** Since when the newest policy has its mode, as far back as changes are looked at. */
function modeSince(changes: readonly PolicyChange[]): number {
  const mode = changes[0]?.policy?.mode;
  const before = changes.findIndex(({ policy }) => policy?.mode !== mode);
  const unbroken = before < 0 ? changes : changes.slice(0, before);
  return unbroken.at(-1)?.changedSeconds ?? 0;
}

async function tlsEvidence(
  ledger: LedgerReader,
  { account, domain }: Inputs["mtaSts"],
  since: { mode: MtaStsPolicy["mode"] | undefined; modeSinceSeconds: number; nowSeconds: number },
): Promise<TlsEvidence> {
  const lastDay = Math.floor(since.nowSeconds / SECONDS_PER_DAY);
  // What failed before the policy had its mode says nothing about it.
  const firstDay = Math.max(
    lastDay - failureDays(since.mode) + 1,
    Math.floor(since.modeSinceSeconds / SECONDS_PER_DAY),
  );
  const scope = { accounts: [account], domains: [domain], firstDay, lastDay };
  const [[sessions], failures] = await Promise.all([
    ledger.ask(stsSessionsQuery(scope), account),
    ledger.ask(provenTlsFailuresQuery(scope), account),
  ]);
  const byKind = new Map<string, TlsEvidence["failures"][number]>();
  for (const { resultType, receivingMxHostname: receivingHost, sessions: failed, lastDay: day } of failures) {
    const key = `${resultType} ${receivingHost}`;
    const known = byKind.get(key);
    byKind.set(key, {
      resultType,
      receivingHost,
      sessions: failed + (known?.sessions ?? 0),
      lastDay: Math.max(day, known?.lastDay ?? 0),
    });
  }
  const counted = sessions ?? { days: 0, sessions: 0, failed: 0, lastFailedDay: 0 };
  return { ...counted, failures: [...byKind.values()] };
}
