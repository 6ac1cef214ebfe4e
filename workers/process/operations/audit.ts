/**
 * Writes every change to the audit log, at the one place all operations pass: before it is made, that it was asked for;
 * afterwards, its outcome. The state before and after is read by the same query, where there is one.
 */

import { channelOf } from "../../../shared/contract/delivery-shapes.ts";
import { conflictOf } from "../../../shared/contract/incoming-shapes.ts";
import {
  AUDITED_OPERATIONS,
  type Inputs,
  type OperationName,
  type ProcessOperation,
} from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
import { domainName } from "../../../shared/domain-name.ts";
import { accountProfile } from "../../../shared/ledger/accounts.ts";
import { findAddresses } from "../../../shared/ledger/addresses.ts";
import { type AuditEnd, beginAudit, endAudit } from "../../../shared/ledger/audit.ts";
import { channelQuery } from "../../../shared/ledger/channels.ts";
import { conflictsNamedQuery } from "../../../shared/ledger/conflicts.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { hostedPolicyQuery } from "../../../shared/ledger/mta-sts-policies.ts";
import { mutesQuery } from "../../../shared/ledger/notices.ts";
import { findPerson } from "../../../shared/ledger/people.ts";
import { registeredDomainQuery } from "../../../shared/ledger/registered-domains.ts";
import { senderHistoryQuery } from "../../../shared/ledger/sender-decisions.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { domainsOfAccountQuery, groupedAccountsQuery } from "../../../shared/ledger/tags.ts";
import { AUDIT_LIMITS } from "../../../shared/limits.ts";
import { shownTyped } from "../../../shared/notify/channel.ts";
import { normalizeEmail } from "../../../shared/people.ts";
import { type Invocation, inShardOf } from "../env.ts";

const AUDITED: ReadonlySet<OperationName> = new Set(AUDITED_OPERATIONS);

/** An operation that somebody asked for. */
export interface Asked<Name extends ProcessOperation> {
  name: Name;
  input: Inputs[Name];
  caller: Caller;
  invocation: Invocation;
}

/** Whether an operation is written to the log: all that change something, unless it is a dry run. */
export function isAudited(name: ProcessOperation, input: object): boolean {
  const isDry = "dryRun" in input && input.dryRun === true;
  return AUDITED.has(name) && !isDry;
}

/**
 * Runs an operation and writes it to the log.
 *
 * @throws whatever the operation throws, once that is written; whatever D1 throws before it has begun
 */
export async function audited<Name extends ProcessOperation, Output>(
  asked: Asked<Name>,
  run: () => Promise<Answer<Output>>,
): Promise<Answer<Output>> {
  const { name, input, caller, invocation } = asked;
  const { directory } = invocation.shards;
  const before = await stateOf(asked);
  const concerned = concernedBy(input, before);
  const begun = { atSeconds: invocation.nowSeconds, who: caller.name, operation: name, ...concerned };
  const [row] = await ask(directory, beginAudit({ ...begun, input: boundedJson(input), before: boundedJson(before) }));
  const end = async (what: Omit<AuditEnd, "account" | "domain">, output: unknown): Promise<void> => {
    const found = concernedBy(input, before, output);
    try {
      await change(directory, [endAudit(row?.id ?? 0, { ...what, ...found })]);
    } catch (error) {
      // The change itself is not affected; the log says that its outcome is unknown.
      console.error(JSON.stringify({ event: "audit_unfinished", operation: name, error: String(error) }));
    }
  };
  try {
    const answer = await run();
    if (answer.ok) {
      const after = READERS[name] === undefined ? answer.value : await stateOf(asked);
      await end({ outcome: "done", message: "", after: boundedJson(after) }, answer.value);
    } else {
      await end({ outcome: "refused", message: answer.error.message, after: "null" }, undefined);
    }
    return answer;
  } catch (error) {
    await end({ outcome: "failed", message: String(error).slice(0, AUDIT_LIMITS.jsonChars), after: "null" }, undefined);
    throw error;
  }
}

type Reader<Name extends ProcessOperation> = (input: Inputs[Name], invocation: Invocation) => Promise<unknown>;
type Readers = { [Name in ProcessOperation]?: Reader<Name> };

/** What an operation is about, read before and after it. An operation without an entry keeps its answer instead. */
const READERS: Readers = {
  addRegistration: registrationOf,
  putRegistration: registrationOf,
  removeRegistration: registrationOf,
  putIdentity: identityOf,
  removeIdentity: identityOf,
  createAccount: profileOf,
  setAccountName: profileOf,
  setAccountLogo: profileOf,
  removeAccountLogo: profileOf,
  putAccountPerson: roleOf,
  removeAccountPerson: roleOf,
  removeChannel: channelState,
  confirmChannel: channelState,
  confirmChannelByLink: channelState,
  decideSender: senderState,
  undoSenderDecision: senderState,
  setMtaSts: policyOf,
  removeMtaSts: policyOf,
  addDomain: domainState,
  removeDomain: domainState,
  mute: muteOf,
  unmute: muteOf,
  decideConflict: conflictState,
  tagDomains: tagsOf,
  setAccountGroup: groupOf,
};

async function stateOf<Name extends ProcessOperation>({ name, input, invocation }: Asked<Name>): Promise<unknown> {
  const reader: Reader<Name> | undefined = READERS[name];
  return (await reader?.(input, invocation)) ?? null;
}

async function registrationOf({ rua }: { rua: string }, { shards }: Invocation): Promise<unknown> {
  const [found] = await findAddresses(shards.directory, [rua]);
  return found?.entry;
}

async function identityOf({ email }: { email: string }, { shards }: Invocation): Promise<unknown> {
  return (await findPerson(shards.directory, normalizeEmail(email)))?.entry;
}

async function profileOf({ account }: { account: string }, { shards }: Invocation): Promise<unknown> {
  const profile = await accountProfile(shards.directory, account);
  if (profile === undefined) return undefined;
  const { name, logo } = profile;
  return { name, logo: logo === undefined ? null : { mediaType: logo.mediaType, base64Chars: logo.base64.length } };
}

/** The role in this account alone: its administrators must not see the person's roles elsewhere. */
async function roleOf(
  { account, email }: { account: string; email: string },
  { shards }: Invocation,
): Promise<unknown> {
  const person = await findPerson(shards.directory, normalizeEmail(email));
  const roles = person?.authority.accounts ?? {};
  return Object.hasOwn(roles, account) ? { role: roles[account] } : undefined;
}

async function channelState(
  { account, id }: { account: string; id: string },
  invocation: Invocation,
): Promise<unknown> {
  const { ledger } = await inShardOf(account, invocation);
  const [channel] = await ask(ledger, channelQuery(account, id));
  return channel === undefined ? undefined : channelOf(channel);
}

async function senderState(
  { account, domain, source }: { account: string; domain: string; source: string },
  invocation: Invocation,
): Promise<unknown> {
  const { ledger } = await inShardOf(account, invocation);
  const [last] = await ask(ledger, senderHistoryQuery({ domain, source }, [account]));
  return last === undefined ? undefined : { decision: last.decision, note: last.note };
}

async function policyOf({ account, domain }: { account: string; domain: string }, { shards }: Invocation) {
  const [held] = await ask(shards.directory, hostedPolicyQuery(domain));
  return held?.account === account ? held.policy : undefined;
}

async function domainState({ account, domain }: { account: string; domain: string }, invocation: Invocation) {
  const { ledger } = await inShardOf(account, invocation);
  const [found] = await ask(ledger, registeredDomainQuery(domain, [account]));
  return found === undefined ? undefined : { rua: found.rua };
}

async function muteOf(
  { account, domain = "", rule, subject = "" }: Pick<Inputs["unmute"], "account" | "domain" | "rule" | "subject">,
  invocation: Invocation,
): Promise<unknown> {
  const { ledger, nowSeconds } = await inShardOf(account, invocation);
  const mutes = await ask(ledger, mutesQuery([account], nowSeconds));
  return mutes.find((one) => one.domain === domain && one.rule === (rule ?? "") && one.subject === subject);
}

async function conflictState({ id }: { id: string }, { shards }: Invocation): Promise<unknown> {
  const [found] = await askAll(shards.all, conflictsNamedQuery([id]));
  return found === undefined ? undefined : conflictOf(found);
}

/** The tags of each of the domains that the account has. */
async function tagsOf(
  { account, domains }: Pick<Inputs["tagDomains"], "account" | "domains">,
  invocation: Invocation,
): Promise<unknown> {
  const { ledger } = await inShardOf(account, invocation);
  const found = await ask(ledger, domainsOfAccountQuery(account, [...new Set(domains.map(domainName))]));
  return found.map(({ domain, tags }) => ({ domain, tags: tags.toSorted() }));
}

async function groupOf({ account }: { account: string }, { shards }: Invocation): Promise<unknown> {
  const [found] = await ask(shards.directory, groupedAccountsQuery([account]));
  return { group: found?.group ?? "" };
}

/**
 * The account and domain that an operation concerns, as its input, what it is about, or its answer names them. What concerns
 * several accounts, such as an address that moves, is for operators: "" is none's.
 */
function concernedBy(...named: unknown[]): { account: string; domain: string } {
  const fields = named.flatMap((one) => [one, field(one, "entry"), field(one, "filter")]);
  const texts = (name: string): string[] =>
    fields.map((one) => field(one, name)).filter((value) => typeof value === "string");
  const [account = "", ...others] = new Set(texts("account"));
  return { account: others.length === 0 ? account : "", domain: texts("domain")[0] ?? "" };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

/** Fields whose values are not kept: keys, and pictures and files, which are long. */
const LEFT_OUT = new Set(["secret", "signature", "token", "base64", "content"]);
/** JSON without secrets, of a bounded number of characters. */
function boundedJson(value: unknown): string {
  const text =
    JSON.stringify(value, (key, one: unknown) => {
      if (LEFT_OUT.has(key) && one !== "") return "(left out)";
      // Also what was refused: what the channel or the target answers shows as much of it as may be seen.
      return (key === "target" || key === "url") && typeof one === "string" ? shownTyped(one) : one;
    }) ?? "null";
  if (text.length <= AUDIT_LIMITS.jsonChars) return text;
  return JSON.stringify({ characters: text.length, begins: text.slice(0, AUDIT_LIMITS.jsonChars) });
}
