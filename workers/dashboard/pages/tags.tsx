/** Tags of domains and groups of accounts: which there are, and changing them. */
import { domainName } from "../../../shared/domain-name.ts";
import type { AccountDomain } from "../../../shared/ledger/domain-checks.ts";
import {
  accountsOfDomainsQuery,
  type GroupedAccount,
  type TagCount,
  tagCountsQuery,
} from "../../../shared/ledger/tags.ts";
import { DASHBOARD_LIMITS, SETUP_LIMITS, TAG_LIMITS } from "../../../shared/limits.ts";
import { splitTags } from "../../../shared/tag.ts";
import { mayAdminister } from "../access.ts";
import { formatCount } from "../data/numbers.ts";
import { unless } from "../errors.ts";
import { Field } from "../parts/field.tsx";
import { Name } from "../parts/foreign-text.tsx";
import { limitNote, Note, ProblemNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { groupPath, tagPath } from "../paths.ts";
import { listedDomains } from "./domains.tsx";

const PATH = "/tags";

/** What a form could not do, and what was typed, to be corrected. */
interface Said {
  problem: string;
  form: URLSearchParams;
}

export function tagsPage(request: PageRequest): Promise<PageResult> {
  return render(request);
}

async function render(request: PageRequest, said?: Said): Promise<PageResult> {
  const accounts = await request.accounts();
  const { role } = request.access;
  const [tags, { items: groups }] = await Promise.all([
    request.ask(tagCountsQuery(accounts)),
    request.read("listAccountGroups", {}),
  ]);
  const tables = [tagsTable(tags), groupsTable(groups)] as const;
  const done = Number(request.parameters.get("changed") ?? "");
  return {
    tables: [...tables],
    content: {
      title: "Tags and groups",
      section: "domains",
      crumbs: [{ label: "Domains", href: "/" }],
      body: (
        <>
          <PageHead
            title="Tags and groups"
            lead="Tags combine domains, and groups combine accounts. The page Domains filters by both."
          />
          {said !== undefined && <ProblemNote problem={said.problem} />}
          {said === undefined && done > 0 && (
            <Note kind="done" isOutcome>
              {formatCount(done)} changed.
            </Note>
          )}
          {role !== "viewer" && <TagForm form={said?.form ?? request.parameters} />}
          {tables[0].view(request.url)}
          {role === "operator" && <GroupForm accounts={accounts} form={said?.form ?? request.parameters} />}
          {(role === "operator" || groups.length > 0) && tables[1].view(request.url)}
        </>
      ),
    },
  };
}

function TagForm({ form }: { form: URLSearchParams }) {
  const list = form.get("list");
  return (
    <section class="card" aria-labelledby="tag-domains">
      <h2 id="tag-domains">Tag domains</h2>
      <form class="stacked" method="post" action={PATH}>
        {list === null ? (
          <>
            <label for="tags-domains">Domains, one a line</label>
            <textarea id="tags-domains" name="domains" class="wide" rows={4} required spellcheck={false}>
              {form.get("domains") ?? ""}
            </textarea>
          </>
        ) : (
          <p>
            <a href={`/?${new URLSearchParams(list)}`}>All {formatCount(countOf(form))} domains of the list</a>
            <input type="hidden" name="list" value={list} />
            <input type="hidden" name="count" value={countOf(form)} />
          </p>
        )}
        <Field id="tags-tags" label="Tags, separated by commas">
          <input id="tags-tags" name="tags" type="text" required value={form.get("tags") ?? ""} />
        </Field>
        <div class="buttons">
          <button class="primary" type="submit" name="action" value="add">
            Add tags
          </button>{" "}
          <button type="submit" name="action" value="remove">
            Remove tags
          </button>
        </div>
      </form>
      <p class="small muted">
        At most {TAG_LIMITS.perDomain} tags a domain, {TAG_LIMITS.chars} characters each, in lower case.
      </p>
    </section>
  );
}

function GroupForm({ accounts, form }: { accounts: readonly string[]; form: URLSearchParams }) {
  return (
    <section class="card" aria-labelledby="group-account">
      <h2 id="group-account">Group an account</h2>
      <form class="stacked" method="post" action={PATH}>
        <Field id="group-name" label="Account">
          <input
            id="group-name"
            name="account"
            type="text"
            list="group-accounts"
            required
            value={form.get("account") ?? ""}
          />
        </Field>
        <datalist id="group-accounts">
          {accounts.map((account) => (
            <option value={account} />
          ))}
        </datalist>
        <Field id="group-group" label="Group (empty: none)">
          <input
            id="group-group"
            name="group"
            type="text"
            maxlength={TAG_LIMITS.chars}
            value={form.get("group") ?? ""}
          />
        </Field>
        <button class="primary" type="submit" name="action" value="group">
          Save
        </button>
      </form>
    </section>
  );
}

function tagsTable(tags: readonly TagCount[]): BoundTable {
  return bindTable<TagCount>({
    id: "tags",
    caption: "Tags",
    rows: tags,
    sort: "tag",
    empty: "No domain has a tag.",
    partial: limitNote(tags, TAG_LIMITS.listed, "the first by name are here"),
    columns: [
      {
        key: "tag",
        label: "Tag",
        value: ({ tag }) => tag,
        cell: ({ tag }) => (
          <a href={tagPath(tag)}>
            <Name text={tag} />
          </a>
        ),
      },
      { key: "domains", label: "Domains", align: "end", value: ({ domains }) => domains },
    ],
  });
}

function groupsTable(groups: readonly GroupedAccount[]): BoundTable {
  return bindTable<GroupedAccount>({
    id: "groups",
    caption: "Accounts in groups",
    rows: groups,
    sort: "group",
    empty: "No account is in a group.",
    columns: [
      { key: "account", label: "Account", value: ({ account }) => account },
      {
        key: "group",
        label: "Group",
        value: ({ group }) => group,
        cell: ({ group }) => (
          <a href={groupPath(group)}>
            <Name text={group} />
          </a>
        ),
      },
    ],
  });
}

/** Tags domains, or groups an account. @returns the page to go to, or the form again with what was wrong */
export async function changeTagsByForm(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  const problem = form.get("action") === "group" ? await groupAccount(request, form) : await tagByForm(request, form);
  return typeof problem === "number" ? `${PATH}?changed=${problem}` : render(request, { problem, form });
}

/** @returns how many were changed, or why not */
async function groupAccount(request: PageRequest, form: URLSearchParams): Promise<number | string> {
  const input = { account: (form.get("account") ?? "").trim(), group: form.get("group") ?? "" };
  const done = await unless(["bad_request", "not_found"], request.operate("setAccountGroup", input));
  return done.ok ? 1 : done.error;
}

/** How many domains the list had when the form was made. */
function countOf(form: URLSearchParams): number {
  return Number(form.get("count") ?? "") || 0;
}

/** @returns how many were changed, or why not */
async function tagByForm(request: PageRequest, form: URLSearchParams): Promise<number | string> {
  const found = form.has("list") ? await findListed(request, form) : await findNamed(request, form);
  if (typeof found === "string") return found;
  const perAccount = Map.groupBy(found, (one) => one.account);
  if (perAccount.size > DASHBOARD_LIMITS.callsPerForm) {
    return `At most the domains of ${DASHBOARD_LIMITS.callsPerForm} accounts at a time.`;
  }
  const tags = splitTags(form.get("tags") ?? "");
  const change = form.get("action") === "remove" ? { remove: tags } : { add: tags };
  let changed = 0;
  const problems: string[] = [];
  for (const [account, list] of perAccount) {
    const domains = list.map(({ domain }) => domain);
    const tagged = await unless(
      ["bad_request", "not_found"],
      request.operate("tagDomains", { account, domains, ...change }),
    );
    if (!tagged.ok) {
      problems.push(...domains.map(() => tagged.error));
      continue;
    }
    const refused = tagged.value.items.flatMap(({ problem }) => problem ?? []);
    changed += tagged.value.items.length - refused.length;
    problems.push(...refused);
  }
  const [first] = problems;
  if (first === undefined) return changed;
  return changed === 0 ? first : `${formatCount(changed)} changed, ${formatCount(problems.length)} not: ${first}`;
}

/** Those of the list, as long as it has as many as were shown. @returns a problem otherwise, with their number in the form */
async function findListed(request: PageRequest, form: URLSearchParams): Promise<AccountDomain[] | string> {
  const listed = await listedDomains(request, new URLSearchParams(form.get("list") ?? ""));
  const { size } = new Set(listed.map(({ domain }) => domain));
  if (size > TAG_LIMITS.domainsAtOnce) return tooMany(TAG_LIMITS.domainsAtOnce);
  if (size !== countOf(form)) {
    form.set("count", String(size));
    return `The list has ${formatCount(size)} domains now.`;
  }
  return listed.filter(({ account }) => mayAdminister(request.access, account));
}

function tooMany(most: number): string {
  return `At most ${formatCount(most)} domains at a time.`;
}

async function findNamed(request: PageRequest, form: URLSearchParams): Promise<AccountDomain[] | string> {
  const domains = (form.get("domains") ?? "").split(/[\s,;]+/).filter((text) => text !== "");
  const names = [...new Set(domains.map(domainName))];
  if (names.length === 0) return "Enter at least one domain.";
  if (names.length > SETUP_LIMITS.addedAtOnce) return tooMany(SETUP_LIMITS.addedAtOnce);
  const mine = (await request.accounts()).filter((account) => mayAdminister(request.access, account));
  const found = await request.ask(accountsOfDomainsQuery(mine, names));
  const missing = names.filter((name) => !found.some(({ domain }) => domain === name));
  return missing.length > 0 ? `Not one of your domains: ${missing.join(", ")}` : found;
}
