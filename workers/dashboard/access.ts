/**
 * What an identity may see and do: a program with the secret API_TOKEN everything; one with a token what the token is for; a
 * person what the ledger says, and nothing when it says nothing.
 */
import type { AccountHead } from "../../shared/ledger/accounts.ts";
import { personQuery } from "../../shared/ledger/people.ts";
import { tokenByHashQuery } from "../../shared/ledger/tokens.ts";
import { TOKEN_LIMITS } from "../../shared/limits.ts";
import {
  type Authority,
  accountsWith,
  highestRole,
  mayAsk,
  normalizeEmail,
  OPERATOR,
  type Role,
} from "../../shared/people.ts";
import { type Token, tokenHash, tokenState } from "../../shared/tokens.ts";
import type { Identity } from "./auth.ts";
import { ApiError } from "./errors.ts";
import type { LedgerReader } from "./ledger.ts";

/** The caller, and what they may see. */
export interface Access {
  /** For the page's head, and as who did it: mail address, name of the token, or `API token`. */
  name: string;
  /** What they may do; `mayAsk` in shared/people.ts decides by it. */
  authority: Authority;
  /** The highest role they have anywhere. */
  role: Role;
  /** Accounts that may be seen; absent = all. */
  accounts?: readonly string[];
  /** The account an operator views as. */
  viewingAs?: string;
  /** What the head shows of the account, where it is one. */
  head?: AccountHead;
  /** A person who comes for the first time. */
  isFirst?: true;
  /** A token with the scope `read`: nothing may be changed. */
  isReadOnly?: true;
  /** Id of the token, if its use is to be noted: the last note is an hour old. */
  tokenToNote?: string;
}

/** Access by what somebody may do. */
export function accessOf(name: string, authority: Authority): Access {
  const accounts = accountsWith(authority, "viewer");
  return { name, authority, role: highestRole(authority), ...(accounts === undefined ? {} : { accounts }) };
}

/**
 * Looks the identity up in the ledger.
 *
 * @throws ApiError (403) for a person nobody has given access, and a token that is unknown, expired or revoked;
 *   LedgerUnavailableError
 */
export async function findAccess(identity: Identity, ledger: LedgerReader, nowSeconds: number): Promise<Access> {
  if (identity.via === "secret") return accessOf("API token", OPERATOR);
  if (identity.via === "token") {
    const [token] = await ledger.askDirectory(tokenByHashQuery(await tokenHash(identity.secret)));
    return accessOfToken(token, nowSeconds);
  }
  const { email } = identity;
  const [person] = await ledger.askDirectory(personQuery(normalizeEmail(email)));
  if (person === undefined) {
    throw new ApiError(
      "forbidden",
      `${email} has no access. An operator can give it with: dmarc identity add ${email} --role viewer --account NAME`,
    );
  }
  const access = accessOf(person.email, person.authority);
  return person.firstSeenSeconds === 0 ? { ...access, isFirst: true } : access;
}

function accessOfToken(token: Token | undefined, nowSeconds: number): Access {
  if (token === undefined) throw new ApiError("forbidden", "There is no such token.");
  const state = tokenState(token, nowSeconds);
  if (state !== "active") {
    const when = new Date((state === "revoked" ? token.revokedSeconds : token.expiresSeconds) * 1000).toISOString();
    const what = state === "revoked" ? "was revoked" : "expired";
    throw new ApiError("forbidden", `The token '${token.name}' ${what} at ${when}.`);
  }
  const { id, name, account, scope, lastUsedSeconds } = token;
  const role = scope === "operate" ? "administrator" : "viewer";
  return {
    ...accessOf(name, account === "" ? OPERATOR : { isOperator: false, accounts: { [account]: role } }),
    ...(scope === "read" && { isReadOnly: true }),
    ...(lastUsedSeconds <= nowSeconds - TOKEN_LIMITS.usedSeconds && { tokenToNote: id }),
  };
}

/** Whether an account's data may be seen. */
export function maySee({ authority }: Access, account: string): boolean {
  return mayAsk(authority, "viewer", account);
}

/** Whether an account's domains, decisions, channels and people may be changed. */
export function mayAdminister({ authority }: Access, account: string): boolean {
  return mayAsk(authority, "administrator", account);
}
