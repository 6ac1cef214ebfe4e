/** Switches a hosted MTA-STS policy on, changes it, and switches it off. The dashboard serves it. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
import { readReportUris } from "../../../shared/guidance/dmarc-record.ts";
import { uncoveredHosts } from "../../../shared/guidance/mta-sts-advice.ts";
import type { MtaStsPolicy } from "../../../shared/guidance/mta-sts-check.ts";
import { isSamePolicy, policyId, policyRecord, readTypedPolicy } from "../../../shared/guidance/mta-sts-policy.ts";
import { mailHostsOf } from "../../../shared/guidance/stored-check.ts";
import { findAddresses } from "../../../shared/ledger/addresses.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { type AccountDomain, checksQuery, type KeptCheck } from "../../../shared/ledger/domain-checks.ts";
import {
  type HostedPolicy,
  hostedPolicyQuery,
  putPolicyChange,
  registeredWithQuery,
} from "../../../shared/ledger/mta-sts-policies.ts";
import { ruaCandidates } from "../../../shared/registry.ts";
import { ok } from "../../../shared/result.ts";
import { badRequest, notFound } from "../answers.ts";
import { type Invocation, inShardOf } from "../env.ts";

/** A policy as requested. */
export interface AskedPolicy extends MtaStsPolicy {
  /** Enforce it even though the MX records, as last checked, name hosts that it lacks. */
  force?: boolean | undefined;
}

/**
 * Serves a policy from now on. One that says the same as the present one changes nothing, and keeps its id.
 *
 * @returns a problem where the policy is not valid, the domain is not registered with the account, or mail would be refused
 */
export async function setMtaSts(
  name: AccountDomain,
  { force, ...typed }: AskedPolicy,
  { caller, invocation }: { caller: Caller; invocation: Invocation },
): Promise<Answer<Outputs["setMtaSts"]>> {
  const { directory } = invocation.shards;
  const policy = readTypedPolicy(typed);
  if (!policy.ok) return badRequest(policy.error);
  const [[rua], [held]] = await Promise.all([
    ask(directory, registeredWithQuery(name.account, name.domain)),
    ask(directory, hostedPolicyQuery(name.domain)),
  ]);
  if (rua === undefined) {
    const message =
      `${name.domain} is not registered with the account ${name.account}: add it first, with \`dmarc domain add\` ` +
      "or `dmarc rua add --domain`.";
    return badRequest(message);
  }
  if (isOfAnother(held, name)) {
    return badRequest(`A policy of another account is served for ${name.domain}.`);
  }
  const [kept] = await ask(
    (await inShardOf(name.account, invocation)).ledger,
    checksQuery(name.domain, [name.account]),
  );
  if (!caller.authority.isOperator && !(await namesAddressOf(name, kept, invocation))) {
    const message =
      `The DMARC record of ${name.domain}, as last checked, names no address of the account: publish it first, or ` +
      "ask an operator.";
    return badRequest(message);
  }
  const refused = force === true ? undefined : wouldRefuseMail(policy.value, kept);
  if (refused !== undefined) return badRequest(refused);
  const present = held?.account === name.account && held.rua === rua ? held : undefined;
  if (present !== undefined && present.policy !== null && isSamePolicy(present.policy, policy.value)) {
    return ok(hosted(present));
  }
  const asked = { ...name, rua, policy: policy.value, changedBy: caller.name, changedSeconds: invocation.nowSeconds };
  await change(directory, [putPolicyChange(asked)]);
  const [written] = await ask(directory, hostedPolicyQuery(name.domain));
  if (written === undefined) throw new Error("A policy that was kept is not there.");
  return ok(hosted(written));
}

/** Stops serving a policy. @returns a problem where the account has none for the domain */
export async function removeMtaSts(
  name: AccountDomain,
  { by, invocation }: { by: string; invocation: Invocation },
): Promise<Answer<Outputs["removeMtaSts"]>> {
  const { directory } = invocation.shards;
  const [held] = await ask(directory, hostedPolicyQuery(name.domain));
  if (held === undefined || held.policy === null || held.account !== name.account) {
    return notFound(`No policy of the account ${name.account} is served for ${name.domain}.`);
  }
  const { account, domain, rua } = held;
  const off = { account, domain, rua, policy: null, changedBy: by, changedSeconds: invocation.nowSeconds };
  await change(directory, [putPolicyChange(off)]);
  return ok({ ...name, rememberedSeconds: held.policy.mode === "none" ? 0 : held.policy.maxAgeSeconds });
}

function isOfAnother(held: HostedPolicy | undefined, { account }: AccountDomain): boolean {
  return held !== undefined && held.account !== account && held.policy !== null && held.isRegistered;
}

/**
 * Whether the domain's own DMARC record sends reports to the account: only the owner of the domain's DNS can publish
 * that, while anybody may register a domain.
 */
async function namesAddressOf(
  { account }: AccountDomain,
  kept: KeptCheck | undefined,
  { shards }: Invocation,
): Promise<boolean> {
  const named = (kept?.check.destinations ?? []).flatMap(({ uri }) =>
    readReportUris(uri).map(({ address }) => address),
  );
  const addresses = named.filter((address) => address !== undefined);
  const registered = await findAddresses(shards.directory, addresses.flatMap(ruaCandidates));
  return registered.some(({ entry }) => entry.account === account);
}

function wouldRefuseMail(policy: MtaStsPolicy, kept: KeptCheck | undefined): string | undefined {
  if (policy.mode !== "enforce") return undefined;
  const open = uncoveredHosts(policy, kept === undefined ? undefined : mailHostsOf(kept.check));
  if (open.length === 0) return undefined;
  const hosts = open.slice(0, 5).join(", ");
  return `Mail to ${hosts} would be refused: the policy does not name it, and the MX records do. Add it to the policy, or force it.`;
}

function hosted({ account, domain, policy, changedBy, changedSeconds }: HostedPolicy): Outputs["setMtaSts"] {
  if (policy === null) throw new Error("A policy that is switched off is not served.");
  const id = policyId(changedSeconds);
  return { account, domain, policy, id, changedBy, changedSeconds, record: policyRecord(domain, changedSeconds) };
}
