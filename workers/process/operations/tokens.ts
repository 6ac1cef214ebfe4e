/** Makes and revokes tokens of programs. */

import { tokenOf } from "../../../shared/contract/account-shapes.ts";
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { toHex } from "../../../shared/identity.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { addToken, revokeToken as revoke, tokenNamedQuery, tokenQuery } from "../../../shared/ledger/tokens.ts";
import { TOKEN_LIMITS } from "../../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { fail, ok } from "../../../shared/result.ts";
import { type Token, tokenHash, tokenSecret } from "../../../shared/tokens.ts";
import { noAccount, notFound } from "../answers.ts";
import { type Call, isAccountOrPipeline, randomBytes } from "../env.ts";

/**
 * Makes a token.
 *
 * @returns the token with its secret, which is kept nowhere and not shown again; a problem if there is no such account, it
 *   has a token of this name, or as many as it may have
 */
export async function createToken(
  { account, name, scope, expiresInDays }: Inputs["createToken"],
  { invocation, caller }: Call,
): Promise<Answer<Outputs["createToken"]>> {
  const { shards, nowSeconds } = invocation;
  if (!(await isAccountOrPipeline(account, invocation))) return noAccount(account);
  const token: Token = {
    id: toHex(randomBytes(8)),
    account,
    name,
    scope,
    createdSeconds: nowSeconds,
    createdBy: caller.name,
    expiresSeconds: expiresInDays === undefined ? 0 : nowSeconds + expiresInDays * SECONDS_PER_DAY,
    revokedSeconds: 0,
    lastUsedSeconds: 0,
  };
  const secret = tokenSecret(randomBytes(TOKEN_LIMITS.secretBytes));
  const [, added] = await change(shards.directory, addToken(token, await tokenHash(secret)));
  if (added?.results.length === 1) return ok({ ...tokenOf(token, nowSeconds), secret });
  if ((await ask(shards.directory, tokenNamedQuery(account, name, nowSeconds))).length > 0) {
    return fail({
      code: "already_exists",
      message: `There is a token '${name}' already: revoke it, or choose a name.`,
    });
  }
  const message = `There are ${TOKEN_LIMITS.perAccount} tokens, as many as there may be: revoke one that is not used.`;
  return fail({ code: "too_large", message });
}

/** Revokes a token; revoking it again changes nothing. @returns the token; a problem if there is no such token */
export async function revokeToken(
  { account, id }: Inputs["revokeToken"],
  { invocation: { shards, nowSeconds } }: Call,
): Promise<Answer<Outputs["revokeToken"]>> {
  await change(shards.directory, [revoke(account, id, nowSeconds)]);
  const [token] = await ask(shards.directory, tokenQuery(account, id));
  if (token === undefined) return notFound(`There is no token '${id}'.`);
  return ok(tokenOf(token, nowSeconds));
}
