/** Which domains the list is about by tag and by group of accounts, and the links that choose them. */
import { type TagCount, tagCountsQuery } from "../../../shared/ledger/tags.ts";
import { TAG_LIMITS } from "../../../shared/limits.ts";
import { linkWith } from "../parts/links.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { Chip } from "./domain-status.tsx";

/** The list's accounts, with what it can be narrowed by. */
export interface DomainChoice {
  /** The accounts the person may see, in the chosen group. */
  accounts: readonly string[];
  tags: readonly TagCount[];
  /** Account → its group; those in none are left out. */
  groupOf: ReadonlyMap<string, string>;
}

/** Changes of a link that clear the tag and the group. */
export const NO_CHOICE = { tag: undefined, group: undefined };

/** Tags and groups of what the person may see. */
export async function askChoice(request: PageRequest): Promise<DomainChoice> {
  const accounts = await request.accounts();
  const [tags, { items }] = await Promise.all([
    request.ask(tagCountsQuery(accounts)),
    request.read("listAccountGroups", {}),
  ]);
  const groupOf = new Map(items.map(({ account, group }) => [account, group]));
  const asked = request.parameters.get("group");
  return { accounts: asked === null ? accounts : accounts.filter((one) => groupOf.get(one) === asked), tags, groupOf };
}

interface ChipsProps {
  request: PageRequest;
  choice: DomainChoice;
}

/** Links that leave the domains of one tag, and of the accounts of one group. */
export function ChoiceChips({ request: { url, parameters }, choice: { tags, groupOf } }: ChipsProps) {
  const accounts = new Map<string, number>();
  for (const group of groupOf.values()) accounts.set(group, (accounts.get(group) ?? 0) + 1);
  const groups = [...accounts].sort(([a], [b]) => (a < b ? -1 : 1));
  const largest = [...tags].sort((a, b) => b.domains - a.domains).slice(0, TAG_LIMITS.offered);
  return (
    <div class="chips">
      <Choice
        label="Tag"
        current={parameters.get("tag")}
        choices={largest.map(({ tag, domains }) => [tag, domains])}
        linkOf={(tag) => linkWith(url, { tag, "domains.page": undefined })}
      />
      <Choice
        label="Group of accounts"
        current={parameters.get("group")}
        choices={groups.slice(0, TAG_LIMITS.offered)}
        linkOf={(group) => linkWith(url, { group, "domains.page": undefined })}
      />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  current: string | null;
  /** Each with how many there are. */
  choices: readonly (readonly [string, number])[];
  /** @param name undefined = any */
  linkOf(name: string | undefined): string;
}

function Choice({ label, current, choices, linkOf }: ChoiceProps) {
  if (choices.length === 0 && current === null) return null;
  const isListed = current === null || choices.some(([name]) => name === current);
  const all = isListed ? choices : [[current, 0] as const, ...choices];
  return (
    <nav aria-label={label}>
      <span class="small muted">{label}:</span>
      {all.map(([name, count]) => (
        <Chip
          href={linkOf(name === current ? undefined : name)}
          isCurrent={name === current}
          label={name}
          count={count}
        />
      ))}
    </nav>
  );
}
