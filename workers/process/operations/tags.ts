/** Puts tags on domains and accounts into groups. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { domainName } from "../../../shared/domain-name.ts";
import { findAccount } from "../../../shared/ledger/accounts.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { changeTags, domainsOfAccountQuery, setGroup } from "../../../shared/ledger/tags.ts";
import { TAG_LIMITS } from "../../../shared/limits.ts";
import { ok } from "../../../shared/result.ts";
import { noAccount } from "../answers.ts";
import { type Invocation, inShardOf } from "../env.ts";

type Tagged = Outputs["tagDomains"]["items"][number];

/** Changes the tags of some domains of one account, a result a domain. What would have too many is left as it is. */
export async function tagDomains(
  { account, domains, add = [], remove = [] }: Inputs["tagDomains"],
  invocation: Invocation,
): Promise<Answer<Outputs["tagDomains"]>> {
  const { ledger } = await inShardOf(account, invocation);
  const names = [...new Set(domains.map(domainName))];
  const known = new Map(
    (await ask(ledger, domainsOfAccountQuery(account, names))).map((one) => [one.domain, one.tags]),
  );
  const items = names.map((domain): Tagged => {
    const before = known.get(domain);
    if (before === undefined) return { domain, tags: [], problem: `Account ${account} has no domain ${domain}.` };
    const tags = [...new Set([...before.filter((tag) => !remove.includes(tag)), ...add])].sort();
    if (tags.length <= TAG_LIMITS.perDomain) return { domain, tags };
    return { domain, tags: before, problem: `${domain} would have more than ${TAG_LIMITS.perDomain} tags.` };
  });
  const changed = items.filter(({ problem }) => problem === undefined).map(({ domain }) => domain);
  if (changed.length > 0) await change(ledger, changeTags(account, changed, { add, remove }));
  return ok({ items });
}

/** Puts an account into a group; "" = into none. */
export async function setAccountGroup(
  input: Inputs["setAccountGroup"],
  { shards }: Invocation,
): Promise<Answer<Outputs["setAccountGroup"]>> {
  const found = await findAccount(shards.directory, input.account);
  if (found === undefined) return noAccount(input.account);
  await change(shards.directory, [setGroup(input)]);
  return ok(input);
}
