/** Adding domains: the form, for one or a list, and the result of each line of a list. */
import type { Child } from "hono/jsx";
import type { Outputs } from "../../../shared/contract/operations.ts";
import { readDomainList } from "../../../shared/domain-name.ts";
import { SETUP_LIMITS } from "../../../shared/limits.ts";
import { maySee } from "../access.ts";
import { formatCount } from "../data/numbers.ts";
import { ApiError, isWrongInput } from "../errors.ts";
import { AccountOptions } from "../parts/account-options.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText, Name, plainForeignText } from "../parts/foreign-text.tsx";
import { Note, ProblemNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { setupPath } from "../paths.ts";

const PATH = "/add";
/** The account that commands take unless another is named. */
const DEFAULT_ACCOUNT = "default";
/** Ours: accounts suggested to an operator while typing. */
const MAX_SUGGESTED = 1000;

type Line = Outputs["addDomains"]["items"][number];

/** What was submitted, and why it was refused. */
interface Typed {
  form: URLSearchParams;
  problem: string;
}

export async function addPage(request: PageRequest, typed?: Typed): Promise<PageResult> {
  const accounts = await request.administered();
  const isOperator = request.access.role === "operator";
  const { ruaHost } = await request.operate("addingDomains", {});
  return page(
    <>
      <PageHead
        title="Add domains"
        lead="Each domain gets an address for its reports, and you get the DNS records to publish."
      />
      {typed !== undefined && <ProblemNote problem={typed.problem} />}
      {ruaHost === "" && <NoHost isOperator={isOperator} />}
      {(ruaHost !== "" || isOperator) && (
        <section class="card">
          <form class="stacked" method="post" action={PATH}>
            <label for="add-domains">Domain, or a list with one domain a line</label>
            <textarea
              id="add-domains"
              name="domains"
              class="wide"
              rows={8}
              required
              placeholder="example.com"
              spellcheck={false}
            >
              {typed?.form.get("domains") ?? request.parameters.get("domain") ?? ""}
            </textarea>
            <AccountField request={request} accounts={accounts} chosen={typed?.form.get("account") ?? undefined} />
            {isOperator && <OwnAddress ruaHost={ruaHost} value={typed?.form.get("rua") ?? ""} />}
            <button class="primary" type="submit">
              Add
            </button>
          </form>
          <p class="small muted">
            At most {formatCount(SETUP_LIMITS.addedAtOnce)} domains at a time. Adding a domain again finds the address
            it has. Nothing is changed in DNS.
          </p>
        </section>
      )}
    </>,
  );
}

function page(body: Child): PageResult {
  return {
    tables: [],
    content: { title: "Add domains", section: "domains", crumbs: [{ label: "Domains", href: "/" }], body },
  };
}

function NoHost({ isOperator }: { isOperator: boolean }) {
  if (!isOperator) {
    return <Note>Domains can't be added here yet: no domain is set for their addresses. Ask your operator.</Note>;
  }
  return (
    <Note>
      No domain is set for addresses of new domains. Set <code>RUA_HOST</code> in <code>wrangler.process.toml</code> to
      a domain whose mail is all routed to ingest, and deploy process. Or enter your own address below; its mail must be
      routed to ingest.
    </Note>
  );
}

function OwnAddress({ ruaHost, value }: { ruaHost: string; value: string }) {
  return (
    <Field id="add-rua" label={ruaHost === "" ? "Address for the reports" : "Address of your own (optional)"}>
      <input
        id="add-rua"
        name="rua"
        type="email"
        value={value}
        required={ruaHost === ""}
        placeholder={ruaHost === "" ? "dmarc@example.com" : `made at ${ruaHost}`}
      />
    </Field>
  );
}

interface AccountProps {
  request: PageRequest;
  accounts: readonly string[];
  chosen?: string | undefined;
}

/** The account of the domain: a person with one account is not asked; an operator may name a new one. */
function AccountField({ request, accounts, chosen }: AccountProps) {
  const [only] = accounts;
  if (request.access.role === "operator") {
    return (
      <Field id="add-account" label="Account">
        <input
          id="add-account"
          name="account"
          type="text"
          list="add-accounts"
          required
          pattern="[A-Za-z0-9._\-]{1,64}"
          title="1 to 64 letters, digits, '.', '_' or '-'; a new name makes a new account"
          value={chosen ?? (accounts.length === 0 || accounts.includes(DEFAULT_ACCOUNT) ? DEFAULT_ACCOUNT : only)}
        />
        <datalist id="add-accounts">
          {accounts.slice(0, MAX_SUGGESTED).map((account) => (
            <option value={account} />
          ))}
        </datalist>
      </Field>
    );
  }
  if (accounts.length === 1) return <input type="hidden" name="account" value={only} />;
  return (
    <Field id="add-account" label="Account">
      <select id="add-account" name="account">
        <AccountOptions accounts={accounts} chosen={chosen} />
      </select>
    </Field>
  );
}

/** The form for one domain, where there is none yet. */
export function AddOneForm({ request, accounts }: Omit<AccountProps, "chosen">) {
  if (accounts.length === 0 && request.access.role !== "operator") return null;
  return (
    <form class="inline" method="post" action={PATH}>
      <Field id="add-domain" label="Domain">
        <input id="add-domain" name="domains" type="text" required maxlength={1000} placeholder="example.com" />
      </Field>
      <AccountField request={request} accounts={accounts} />
      <button class="primary" type="submit">
        Add domain
      </button>
      <a href={PATH}>Add a list</a>
    </form>
  );
}

/**
 * Adds what the form names.
 *
 * @returns the set-up page of a single domain, or the results of a list
 * @throws ApiError when the account is not the person's
 */
export async function addFromForm(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  const account = form.get("account")?.trim() ?? "";
  const isOperator = request.access.role === "operator";
  if (!isOperator && !maySee(request.access, account)) {
    throw new ApiError("not_found", "There is no such account.");
  }
  const lines = readDomainList(form.get("domains") ?? "");
  // A given address may belong to anybody; operators know whose mail comes here.
  const own = isOperator ? (form.get("rua")?.trim() ?? "") : "";
  const rua = own === "" ? undefined : own;
  const [first, ...others] = lines;
  try {
    if (first === undefined) throw new ApiError("bad_request", "Enter a domain.");
    if (others.length === 0) {
      const { domain } = await request.operate("addDomain", { account, domain: first, rua });
      return setupPath(domain, account);
    }
    if (lines.length > SETUP_LIMITS.addedAtOnce) throw new ApiError("bad_request", tooMany(lines.length));
    const { items } = await request.operate("addDomains", { account, domains: lines, rua });
    return { ...page(<Results account={account} items={items} />), status: 200 };
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return addPage(request, { form, problem: error.message });
  }
}

function tooMany(lines: number): string {
  return `The list has ${formatCount(lines)} lines; ${formatCount(SETUP_LIMITS.addedAtOnce)} domains can be added at a time.`;
}

function Results({ account, items }: { account: string; items: readonly Line[] }) {
  const added = items.filter(({ isNew }) => isNew === true).length;
  const refused = items.filter(({ problem }) => problem !== undefined).length;
  const known = items.length - added - refused;
  return (
    <>
      <PageHead title="Add domains" lead={<>Account {plainForeignText(account)}</>} />
      <Note kind={refused === 0 ? "done" : "warn"}>
        {formatCount(added)} added{known > 0 && `, ${formatCount(known)} added before`}
        {refused > 0 && `, ${formatCount(refused)} not added`}.
      </Note>
      <section class="card" aria-labelledby="results">
        <h2 id="results">Results</h2>
        <section class="scroll" tabindex={0} aria-label="Results, table">
          <table class="stacks" aria-labelledby="results">
            <thead>
              <tr>
                <th scope="col">Line</th>
                <th scope="col">Result</th>
                <th scope="col">Address for its reports</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <ResultRow account={account} item={item} />
              ))}
            </tbody>
          </table>
        </section>
        <p>
          <a href="/?status=setUp">Domains being set up</a> · <a href={PATH}>Add more</a>
        </p>
      </section>
    </>
  );
}

function ResultRow({ account, item: { typed, domain, rua, isNew, problem } }: { account: string; item: Line }) {
  return (
    <tr>
      <th scope="row" class="text">
        {domain === undefined ? (
          <ForeignText text={typed} />
        ) : (
          <a href={setupPath(domain, account)}>
            <Name text={domain} />
          </a>
        )}
      </th>
      <td class="text" data-label="Result">
        {problem === undefined ? (
          <span class="result pass">✓ {isNew ? "added" : "added before"}</span>
        ) : (
          <>
            <span class="result fail">✕ not added</span> <ForeignText text={problem} />
          </>
        )}
      </td>
      <td class="text" data-label="Address for its reports">
        {rua !== undefined && <Name text={rua} />}
      </td>
    </tr>
  );
}
