/**
 * What an identity may see and do: a program with the secret API_TOKEN everything; one with a token what the token is for; a
 * person what the ledger says, and nothing when it says nothing.
 */
import { personQuery } from "../../shared/ledger/people.ts";
import { tokenByHashQuery } from "../../shared/ledger/tokens.ts";
import { TOKEN_LIMITS } from "../../shared/limits.ts";
import { type Token, tokenHash, tokenState } from "../../shared/tokens.ts";
import { normalizeEmail } from "../../shared/viewers.ts";
import type { Identity } from "./auth.ts";
import { ApiError } from "./errors.ts";
import type { LedgerReader } from "./ledger.ts";

/** Who asks, and what they may see. */
export interface Access {
  /** For the page's head, and as who did it: mail address, name of the token, or `API token`. */
  name: string;
  role: "owner" | "operator";
  /** Accounts that may be seen; absent = all. */
  accounts?: readonly string[];
  /** A token with the scope `read`: nothing may be changed. */
  isReadOnly?: true;
  /** Id of a token whose use has not been noted for an hour. */
  tokenToNote?: string;
}

/**
 * Finds it in the ledger.
 *
 * @throws ApiError (403) for a person nobody has given access, and a token that is unknown, expired or revoked;
 *   LedgerUnavailableError
 */
export async function findAccess(identity: Identity, ledger: LedgerReader, nowSeconds: number): Promise<Access> {
  if (identity.via === "secret") return { name: "API token", role: "operator" };
  if (identity.via === "token") {
    const [token] = await ledger.askDirectory(tokenByHashQuery(await tokenHash(identity.secret)));
    return accessOf(token, nowSeconds);
  }
  const [viewer] = await ledger.askDirectory(personQuery(normalizeEmail(identity.email)));
  if (viewer === undefined) {
    const { email } = identity;
    throw new ApiError(
      "forbidden",
      `${email} may not see anything here yet. An operator gives access with: dmarc identity add ${email} --role owner --account NAME`,
    );
  }
  const { role, accounts } = viewer.entry;
  return role === "operator" ? { name: viewer.email, role } : { name: viewer.email, role, accounts };
}

function accessOf(token: Token | undefined, nowSeconds: number): Access {
  if (token === undefined) throw new ApiError("forbidden", "There is no such token.");
  const state = tokenState(token, nowSeconds);
  if (state !== "active") {
    const when = new Date((state === "revoked" ? token.revokedSeconds : token.expiresSeconds) * 1000).toISOString();
    const what = state === "revoked" ? "was revoked" : "expired";
    throw new ApiError("forbidden", `The token '${token.name}' ${what} at ${when}.`);
  }
  const { id, name, account, scope, lastUsedSeconds } = token;
  return {
    name,
    ...(account === "" ? { role: "operator" } : { role: "owner", accounts: [account] }),
    ...(scope === "read" && { isReadOnly: true }),
    ...(lastUsedSeconds <= nowSeconds - TOKEN_LIMITS.usedSeconds && { tokenToNote: id }),
  };
}

/** Whether an account's data may be seen. */
export function maySee(access: Access, account: string): boolean {
  return access.accounts === undefined || access.accounts.includes(account);
}
