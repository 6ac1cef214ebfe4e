/** Accounts: the list of those the person administers, and creating one. */
import { type ListedAccount, listAccounts } from "../../../shared/ledger/accounts.ts";
import { ACCOUNT_LIMITS } from "../../../shared/limits.ts";
import { accountsWith } from "../../../shared/people.ts";
import { isoMinute } from "../data/days.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { isWrongInput } from "../errors.ts";
import { AccountsHead, accountPath } from "../parts/accounts-frame.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { type Said, SaidNote } from "../parts/said-note.tsx";
import { bindTable } from "../parts/table-view.tsx";

const PATH = "/accounts";
const TABLE = { id: "accounts", sort: "account" };

export async function accountsPage(request: PageRequest, said?: Said): Promise<PageResult> {
  const isOperator = request.access.role === "operator";
  const state = readTableState(request.parameters, TABLE);
  const { text } = state;
  const found = await listAccounts(request.askDirectory, {
    accounts: accountsWith(request.access.authority, "administrator"),
    text,
    ...readRowRange(request.parameters, state),
  });
  const table = bindTable<ListedAccount>({
    ...TABLE,
    caption: "Accounts",
    rows: found.rows,
    paged: { count: found.matching, sortable: () => false },
    empty: text === "" ? "No account yet." : "No account has this in its name.",
    columns: [
      {
        key: "account",
        label: "Account",
        value: ({ account }) => account,
        cell: ({ account }) => (
          <a href={accountPath(account)}>
            <ForeignText text={account} />
          </a>
        ),
      },
      { key: "name", label: "Name", value: ({ name }) => name, cell: ({ name }) => <ForeignText text={name} /> },
      { key: "people", label: "People", align: "end", value: ({ people }) => people },
      { key: "addresses", label: "RUA addresses", align: "end", value: ({ addresses }) => addresses },
      { key: "created", label: "Created", value: ({ createdSeconds }) => isoMinute(createdSeconds) },
    ],
  });
  return {
    tables: [table],
    content: {
      title: "Accounts",
      section: "accounts",
      body: (
        <>
          <AccountsHead
            request={request}
            tab="accounts"
            title="Accounts"
            lead="Each account has its own domains, and people who see them."
          />
          {said !== undefined && <SaidNote said={said} />}
          {table.view(request.url)}
          {isOperator && <CreateForm typed={said?.typed} />}
        </>
      ),
    },
  };
}

function CreateForm({ typed }: { typed: URLSearchParams | undefined }) {
  return (
    <section class="card" aria-labelledby="create">
      <h2 id="create">Create an account</h2>
      <form class="stacked" method="post" action={PATH}>
        <Field id="create-account" label="Account">
          <input
            id="create-account"
            name="account"
            type="text"
            required
            pattern="[A-Za-z0-9._\-]{1,64}"
            title="1 to 64 letters, digits, '.', '_' or '-'; it stays as it is"
            placeholder="acme"
            value={typed?.get("account") ?? ""}
          />
        </Field>
        <Field id="create-name" label="Name">
          <input
            id="create-name"
            name="name"
            type="text"
            maxlength={ACCOUNT_LIMITS.nameChars}
            placeholder="Acme Ltd"
            value={typed?.get("name") ?? ""}
          />
        </Field>
        <button class="primary" type="submit">
          Create
        </button>
        <p class="small muted">Links and files use the account, which can't be changed later. People see the name.</p>
      </form>
    </section>
  );
}

/** Creates an account. @returns its page, or the list with what is wrong */
export async function createFromForm(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  const account = form.get("account")?.trim() ?? "";
  try {
    await request.operate("createAccount", { account, name: form.get("name")?.trim() ?? "" });
    return accountPath(account);
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return accountsPage(request, { kind: "fault", sentence: error.message, typed: form });
  }
}
