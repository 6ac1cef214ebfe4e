/** The progress of registered domains towards their first report: looked up in DNS, and stored for lists and pages. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { type Answer, boundedResolver, isUnanswered, type Resolver, recordsOf } from "../../../shared/dns/resolver.ts";
import { checkDmarc, type DmarcCheck } from "../../../shared/guidance/dmarc-check.ts";
import { findMailHosts, whySendsNothing } from "../../../shared/guidance/mail-hosts.ts";
import { type Published, recordsToPublish } from "../../../shared/guidance/records-to-publish.ts";
import { setupState } from "../../../shared/guidance/setup-state.ts";
import { aliasOf } from "../../../shared/guidance/wrong-name.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { hasReportsQuery } from "../../../shared/ledger/domain-checks.ts";
import { type DomainAddress, dueSetupsQuery, keepSetup } from "../../../shared/ledger/registered-domains.ts";
import { GUIDANCE_LIMITS, SETUP_LIMITS } from "../../../shared/limits.ts";
import { type Invocation, inShardOf } from "../env.ts";
import { domainsPerRun, type Lookups } from "./lookups.ts";

/** What DNS says about an added domain, stored for lists and pages. */
export async function describe(
  { account, domain, rua, isNew }: DomainAddress & { isNew: boolean },
  invocation: Invocation,
  { resolver }: Lookups,
): Promise<Outputs["addDomain"]> {
  const { ledger, nowSeconds } = await inShardOf(account, invocation);
  // The check asks for the domain's own record, too.
  const bounded = boundedResolver(resolver, GUIDANCE_LIMITS.maxQuestionsPerDomain);
  const [check, published, [reported]] = await Promise.all([
    checkDmarc(domain, bounded, rua),
    findPublished(domain, bounded),
    ask(ledger, hasReportsQuery({ account, domain })),
  ]);
  const { state, sentence, missing } = setupState(rua, check, reported !== undefined);
  const isKnown = check.findings.every(({ code }) => code !== "no_answer");
  const records = recordsToPublish(domain, rua, {
    ...published,
    // Once there are reports about the domain, the verdict judges whether it sends mail, whatever its records say.
    sendsNothing: reported === undefined ? published.sendsNothing : undefined,
    inherited: inheritedPolicy(domain, check),
    organization: isKnown ? check.organizationalDomain : undefined,
  });
  const setup = { sentence, records, ...(missing === undefined ? {} : { missing }) };
  await change(ledger, [
    keepSetup({ account, domain, rua, addedSeconds: 0, state, checkedSeconds: nowSeconds, setup }),
  ]);
  return { account, domain, rua, isNew, state, ...setup };
}

async function findPublished(domain: string, { lookup }: Resolver): Promise<Published> {
  const [dmarc, alias, tls, mail, sendsNothing] = await Promise.all([
    lookup(`_dmarc.${domain}`, "TXT"),
    aliasOf(`_dmarc.${domain}`, lookup),
    lookup(`_smtp._tls.${domain}`, "TXT"),
    findMailHosts(domain, lookup),
    whySendsNothing(domain, lookup),
  ]);
  // One that isn't set up yet has no mail hosts either.
  const takesNoMail = sendsNothing !== undefined && (mail?.isImplicit === true || mail?.hosts.length === 0);
  return { dmarc: recordsIfAnswered(dmarc), alias, tls: recordsIfAnswered(tls), sendsNothing, takesNoMail };
}

function recordsIfAnswered(answer: Answer): string[] | undefined {
  return isUnanswered(answer) ? undefined : recordsOf(answer);
}

function inheritedPolicy(domain: string, { record, policyDomain, policies }: DmarcCheck): Published["inherited"] {
  if (policyDomain === undefined || policyDomain === domain || policies.domain === undefined) return undefined;
  return {
    policy: policies.domain,
    from: policyDomain,
    isStrictDkim: record?.adkim === "s",
    isStrictSpf: record?.aspf === "s",
  };
}

/** Checks registered domains of one database that have no report yet, those checked longest ago first. @returns how many */
export async function checkDueSetups(invocation: Invocation, lookups: Lookups): Promise<number> {
  const { ledger, nowSeconds, shards } = invocation;
  const due = await ask(
    ledger,
    dueSetupsQuery({
      beforeSeconds: nowSeconds - SETUP_LIMITS.checkAgainSeconds,
      limit: Math.ceil(domainsPerRun(invocation.env, SETUP_LIMITS.checksPerRun) / shards.all.length),
    }),
  );
  for (const one of due) await describe({ ...one, isNew: false }, invocation, lookups);
  return due.length;
}
