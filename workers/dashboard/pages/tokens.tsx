/** Tokens of programs that ask the API: making one, those there are, and revoking them. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { TOKEN_LIMITS } from "../../../shared/limits.ts";
import { TOKEN_SCOPES, type TokenScope } from "../../../shared/tokens.ts";
import { isoMinute } from "../data/days.ts";
import { ApiError, isWrongInput } from "../errors.ts";
import { AccountOptions } from "../parts/account-options.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { type Said, SaidNote, saying, typedFor } from "../parts/said-note.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

const PATH = "/tokens";

type Token = Outputs["listTokens"]["items"][number];

const SCOPE_WORDS: Record<TokenScope, string> = { read: "read", operate: "read and change" };

export async function tokensPage(request: PageRequest, said?: Said): Promise<PageResult> {
  const table = tokensTable(await allTokens(request));
  return {
    tables: [table],
    content: {
      title: "Tokens",
      section: "tokens",
      crumbs: [{ label: "Domains", href: "/" }],
      body: (
        <>
          <PageHead
            title="Tokens"
            lead={
              "Programs use the API with a token: for one account or all, to read or to change. What they do is " +
              "recorded under the token's name."
            }
          />
          {said !== undefined && <SaidNote said={said} secretIs="Its secret" />}
          <section class="card" aria-labelledby="make-token">
            <h2 id="make-token">Create a token</h2>
            <MakeForm request={request} accounts={await request.administered()} typed={typedFor(said, "make")} />
          </section>
          {table.view(request.url)}
        </>
      ),
    },
  };
}

/** Every token: an account has a few, and a table sorts and exports all of them. */
async function allTokens(request: PageRequest): Promise<Token[]> {
  const tokens: Token[] = [];
  let cursor: string | undefined;
  do {
    const page: Outputs["listTokens"] = await request.read("listTokens", { cursor });
    tokens.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return tokens;
}

interface MakeProps {
  request: PageRequest;
  accounts: readonly string[];
  typed: URLSearchParams | undefined;
}

function MakeForm({ request, accounts, typed }: MakeProps) {
  const isAll = typed?.get("account") === "";
  return (
    <form class="stacked" method="post" action={PATH}>
      <Field id="token-name" label="Name">
        <input
          id="token-name"
          name="name"
          type="text"
          required
          maxlength={TOKEN_LIMITS.nameChars}
          value={typed?.get("name") ?? ""}
        />
      </Field>
      <Field id="token-account" label="Account">
        <select id="token-account" name="account">
          <AccountOptions accounts={accounts} chosen={typed?.get("account") ?? undefined} />
          {request.access.role === "operator" && (
            <option value="" selected={isAll}>
              all accounts, as an operator
            </option>
          )}
        </select>
      </Field>
      <Field id="token-scope" label="It may">
        <select id="token-scope" name="scope">
          {TOKEN_SCOPES.map((scope) => (
            <option value={scope} selected={scope === typed?.get("scope")}>
              {SCOPE_WORDS[scope]}
            </option>
          ))}
        </select>
      </Field>
      <Field id="token-days" label="Expires in days">
        <input
          id="token-days"
          name="days"
          type="number"
          min={1}
          max={TOKEN_LIMITS.maxDays}
          placeholder="never"
          value={typed?.get("days") ?? ""}
        />
      </Field>
      <button class="primary" type="submit" name="action" value="make">
        Create
      </button>
      <p class="small muted">
        Send it as <code>Authorization: Bearer …</code> to <code>/api/v1</code>, which{" "}
        <a href="/api/v1/openapi.json">describes itself</a>, or give it to the command with{" "}
        <code>dmarc profile add</code>.
      </p>
    </form>
  );
}

function tokensTable(rows: readonly Token[]): BoundTable {
  return bindTable<Token>({
    id: "tokens",
    caption: "Tokens",
    rows,
    sort: "name",
    empty: "No tokens yet.",
    columns: [
      { key: "name", label: "Name", value: ({ name }) => name, cell: ({ name }) => <ForeignText text={name} /> },
      { key: "account", label: "Account", value: ({ account }) => (account === "" ? "(all)" : account) },
      { key: "scope", label: "May", value: ({ scope }) => SCOPE_WORDS[scope] },
      { key: "state", label: "State", value: ({ state }) => state },
      { key: "expires", label: "Expires", value: ({ expiresSeconds }) => timeOf(expiresSeconds) },
      { key: "used", label: "Last used", value: ({ lastUsedSeconds }) => timeOf(lastUsedSeconds) },
      { key: "created", label: "Made", value: ({ createdSeconds }) => timeOf(createdSeconds) },
      {
        key: "by",
        label: "Made by",
        value: ({ createdBy }) => createdBy,
        cell: ({ createdBy }) => <ForeignText text={createdBy} />,
      },
      { key: "change", label: "Change", value: () => "", cell: (token) => <RevokeForm token={token} /> },
    ],
  });
}

function timeOf(seconds: number): string {
  return seconds === 0 ? "never" : isoMinute(seconds);
}

function RevokeForm({ token: { id, account, name, state } }: { token: Token }) {
  if (state !== "active") return null;
  return (
    <form class="inline" method="post" action={PATH}>
      <input type="hidden" name="account" value={account} />
      <input type="hidden" name="id" value={id} />
      <button type="submit" name="action" value="revoke" aria-label={`Revoke ${name}`}>
        Revoke
      </button>
    </form>
  );
}

/**
 * Makes or revokes a token.
 *
 * @returns the page to go to; of a new token, or a problem, the page that says so
 * @throws ApiError when the account is not one the person administers
 */
export async function changeTokens(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  const account = form.get("account") ?? "";
  const administered = await request.administered();
  if (request.access.role !== "operator" && !administered.includes(account)) {
    throw new ApiError("not_found", "There is no such account.");
  }
  try {
    if (form.get("action") === "revoke") {
      await request.operate("revokeToken", { account, id: form.get("id") ?? "" });
      return saying("removed", PATH);
    }
    const { name, secret } = await request.operate("createToken", settingsOf(account, form));
    const page = await tokensPage(request, { kind: "done", sentence: `${name} was created.`, secret });
    return { ...page, status: 200 };
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return tokensPage(request, { kind: "fault", sentence: error.message, typed: form });
  }
}

function settingsOf(account: string, form: URLSearchParams) {
  const scope = TOKEN_SCOPES.find((one) => one === form.get("scope"));
  if (scope === undefined) throw new ApiError("bad_request", "Choose what the token may do.");
  const days = form.get("days")?.trim() ?? "";
  return { account, name: form.get("name") ?? "", scope, expiresInDays: days === "" ? undefined : Number(days) };
}
