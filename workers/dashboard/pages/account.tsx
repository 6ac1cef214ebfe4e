/** One account: its name and logo, the people with a role in it, adding one, and seeing it as they do. */
import { decodeBase64 } from "../../../shared/base64.ts";
import type { Outputs } from "../../../shared/contract/operations.ts";
import { accountProfilesQuery } from "../../../shared/ledger/accounts.ts";
import { ACCOUNT_LIMITS } from "../../../shared/limits.ts";
import { ACCOUNT_ROLES, type AccountRole, normalizeEmail } from "../../../shared/people.ts";
import { maySee } from "../access.ts";
import { isoMinute } from "../data/days.ts";
import { formatBytes } from "../data/numbers.ts";
import { ApiError, isWrongInput } from "../errors.ts";
import { AccountsHead, accountPath } from "../parts/accounts-frame.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { logoPath } from "../parts/layout.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { type Said, SaidNote, saying, typedFor } from "../parts/said-note.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

type Head = Outputs["getAccount"];
type Person = Outputs["listAccountPeople"]["items"][number];

const ROLE_WORDS: Record<AccountRole, string> = {
  administrator: "Administrator",
  viewer: "Viewer",
};

/** @throws ApiError (404) where there is no such account, or no access to it; (403) for its viewers */
export async function accountPage(request: PageRequest, account: string, said?: Said): Promise<PageResult> {
  if (!maySee(request.access, account)) throw new ApiError("not_found", "There is no such account.");
  const { items: people } = await request.read("listAccountPeople", { account });
  const head = await request.read("getAccount", { account });
  const table = peopleTable(request, account, people);
  return {
    tables: [table],
    content: {
      title: `Account ${account}`,
      section: "accounts",
      crumbs: [{ label: "Accounts", href: "/accounts" }],
      body: (
        <>
          <AccountsHead
            request={request}
            tab="accounts"
            title={<ForeignText text={head.name} />}
            lead={
              <>
                Account <ForeignText text={account} />
              </>
            }
          />
          {said !== undefined && <SaidNote said={said} />}
          {request.access.role === "operator" && <ViewAsForm account={account} />}
          {table.view(request.url)}
          <AddPersonForm account={account} typed={typedFor(said, "person")} />
          <ProfileForms head={head} />
        </>
      ),
    },
  };
}

function ViewAsForm({ account }: { account: string }) {
  return (
    <form class="inline" method="post" action="/view-as">
      <input type="hidden" name="account" value={account} />
      <button type="submit">View as this account</button>
      <span class="small muted">Shows what its viewers see. Nothing can be changed until you leave.</span>
    </form>
  );
}

function peopleTable(request: PageRequest, account: string, rows: readonly Person[]): BoundTable {
  return bindTable<Person>({
    id: "people",
    caption: "People",
    rows,
    sort: "email",
    empty: "Nobody has a role in this account. Operators can see every account.",
    columns: [
      { key: "email", label: "Person", value: ({ email }) => email, cell: ({ email }) => <ForeignText text={email} /> },
      { key: "role", label: "Role", value: ({ role }) => role },
      {
        key: "state",
        label: "First seen",
        value: ({ firstSeenSeconds }) => (firstSeenSeconds === 0 ? "invited" : isoMinute(firstSeenSeconds)),
        cell: ({ firstSeenSeconds }) =>
          firstSeenSeconds === 0 ? <span class="tag">invited</span> : isoMinute(firstSeenSeconds),
      },
      { key: "by", label: "Added by", value: ({ addedBy }) => addedBy },
      { key: "added", label: "Added", value: ({ addedSeconds }) => isoMinute(addedSeconds) },
      {
        key: "change",
        label: "Change",
        value: () => "",
        cell: (person) =>
          isOneself(request, person) ? (
            <span class="small muted">yourself</span>
          ) : (
            <ChangeForm account={account} person={person} />
          ),
      },
    ],
  });
}

function isOneself({ access }: PageRequest, { email }: Person): boolean {
  return access.role !== "operator" && normalizeEmail(access.name) === email;
}

function ChangeForm({ account, person: { email, role } }: { account: string; person: Person }) {
  const other = role === "viewer" ? "administrator" : "viewer";
  return (
    <form class="inline" method="post" action={accountPath(account)}>
      <input type="hidden" name="email" value={email} />
      <input type="hidden" name="role" value={other} />
      <button type="submit" name="action" value="person" aria-label={`Make ${other}: ${email}`}>
        Make {other}
      </button>
      <button type="submit" name="action" value="remove" aria-label={`Remove ${email}`}>
        Remove
      </button>
    </form>
  );
}

function AddPersonForm({ account, typed }: { account: string; typed: URLSearchParams | undefined }) {
  return (
    <section class="card" aria-labelledby="add-person">
      <h2 id="add-person">Add a person</h2>
      <form class="stacked" method="post" action={accountPath(account)}>
        <Field id="person-email" label="Mail address">
          <input
            id="person-email"
            name="email"
            type="email"
            required
            maxlength={400}
            placeholder="ann@example.com"
            value={typed?.get("email") ?? ""}
          />
        </Field>
        <Field id="person-role" label="Role">
          <select id="person-role" name="role">
            {[...ACCOUNT_ROLES].reverse().map((role) => (
              <option value={role} selected={role === typed?.get("role")}>
                {ROLE_WORDS[role]}
              </option>
            ))}
          </select>
        </Field>
        <button class="primary" type="submit" name="action" value="person">
          Add
        </button>
        <p class="small muted">
          Viewers read; administrators also manage people, channels, domains and decisions. No mail is sent. The person
          may see the account as soon as they sign in through Cloudflare Access with this address.
        </p>
      </form>
    </section>
  );
}

function ProfileForms({ head: { account, name, logoSeconds } }: { head: Head }) {
  return (
    <section class="card" aria-labelledby="profile">
      <h2 id="profile">Name and logo</h2>
      <p class="lead">Shown on its pages, in its digests and on printed reports.</p>
      <form class="stacked" method="post" action={accountPath(account)}>
        <Field id="account-name" label="Name">
          <input
            id="account-name"
            name="name"
            type="text"
            maxlength={ACCOUNT_LIMITS.nameChars}
            value={name === account ? "" : name}
            placeholder={account}
          />
        </Field>
        <button type="submit" name="action" value="name">
          Save name
        </button>
      </form>
      <form class="stacked" method="post" action={accountPath(account)} enctype="multipart/form-data">
        {logoSeconds > 0 && <img class="logo" src={logoPath(account, logoSeconds)} alt="Current logo" />}
        <Field id="account-logo" label="Logo">
          <input id="account-logo" name="logo" type="file" accept="image/png,image/jpeg" />
        </Field>
        <div class="buttons">
          <button type="submit" name="action" value="logo">
            Save logo
          </button>
          {logoSeconds > 0 && (
            <button type="submit" name="action" value="remove-logo">
              Remove logo
            </button>
          )}
        </div>
        <p class="small muted">A PNG or JPEG picture of at most {formatBytes(ACCOUNT_LIMITS.logoBytes)}.</p>
      </form>
    </section>
  );
}

/** The logo as a picture, never as anything else. @throws ApiError (404) where there is none, or no access */
export async function accountLogo(request: PageRequest, account: string): Promise<Response> {
  const [profile] = maySee(request.access, account) ? await request.askDirectory(accountProfilesQuery([account])) : [];
  if (profile?.logo === undefined) throw new ApiError("not_found", "No such logo, or no access.");
  const { mediaType, base64 } = profile.logo;
  return new Response(decodeBase64(base64), {
    headers: {
      "content-type": mediaType,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "private, max-age=3600",
    },
  });
}

/** Changes an account or its people. @returns the page to go to, or the page with what is wrong */
export async function changeAccount(
  request: PageRequest,
  form: URLSearchParams,
  account: string,
): Promise<string | PageResult> {
  if (!maySee(request.access, account)) throw new ApiError("not_found", "There is no such account.");
  try {
    await applyChange(request, form, account);
    return saying(form.get("action")?.startsWith("remove") === true ? "removed" : "saved", accountPath(account));
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return accountPage(request, account, { kind: "fault", sentence: error.message, typed: form });
  }
}

async function applyChange(request: PageRequest, form: URLSearchParams, account: string): Promise<void> {
  const email = form.get("email")?.trim() ?? "";
  switch (form.get("action")) {
    case "person": {
      const role = ACCOUNT_ROLES.find((one) => one === form.get("role"));
      if (role === undefined) throw new ApiError("bad_request", "Choose a role.");
      await request.operate("putAccountPerson", { account, email, role });
      break;
    }
    case "remove":
      await request.operate("removeAccountPerson", { account, email });
      break;
    case "logo": {
      const base64 = form.get("logo") ?? "";
      if (base64 === "") throw new ApiError("bad_request", "Choose a picture.");
      await request.operate("setAccountLogo", { account, base64 });
      break;
    }
    case "remove-logo":
      await request.operate("removeAccountLogo", { account });
      break;
    default:
      await request.operate("setAccountName", { account, name: form.get("name")?.trim() ?? "" });
  }
}
