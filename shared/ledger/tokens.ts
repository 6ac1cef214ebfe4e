/** Tokens of programs, in the directory, the first database: a token is looked up before anything is known of its account. */
import * as v from "valibot";
import { TOKEN_LIMITS } from "../limits.ts";
import { TOKEN_SCOPES, type Token } from "../tokens.ts";
import { type Change, knows, type Query, query } from "./database.ts";

const row = v.pipe(
  v.object({
    id: v.string(),
    account: v.string(),
    name: v.string(),
    scope: v.picklist(TOKEN_SCOPES),
    created_seconds: v.number(),
    created_by: v.string(),
    expires_seconds: v.number(),
    revoked_seconds: v.number(),
    last_used_seconds: v.number(),
  }),
  v.transform(
    ({ created_seconds, created_by, expires_seconds, revoked_seconds, last_used_seconds, ...token }): Token => ({
      ...token,
      createdSeconds: created_seconds,
      createdBy: created_by,
      expiresSeconds: expires_seconds,
      revokedSeconds: revoked_seconds,
      lastUsedSeconds: last_used_seconds,
    }),
  ),
);

/** The condition that this version knows what a token allows; one of another scope opens nothing. */
const KNOWS_SCOPE = knows("scope", TOKEN_SCOPES);

const COLUMNS =
  "id, account, name, scope, created_seconds, created_by, expires_seconds, revoked_seconds, last_used_seconds";

/** The token with this hash (hex): one row or none. */
export function tokenByHashQuery(hash: string): Query<Token> {
  return query(`SELECT ${COLUMNS} FROM tokens WHERE hash = unhex(?1) AND ${KNOWS_SCOPE}`, [hash], row);
}

/** One token of an account: one row or none. */
export function tokenQuery(account: string, id: string): Query<Token> {
  return query(`SELECT ${COLUMNS} FROM tokens WHERE id = ?1 AND account = ?2 AND ${KNOWS_SCOPE}`, [id, account], row);
}

/** The tokens of some accounts, or of all, by account and age. @param after id of the last one known */
export function tokensQuery(accounts: readonly string[] | undefined, after: string, limit: number): Query<Token> {
  const sql = `SELECT ${COLUMNS} FROM tokens
    WHERE (?1 IS NULL OR account IN (SELECT value FROM json_each(?1)))
      AND (?2 = '' OR (account, created_seconds, id) > (SELECT account, created_seconds, id FROM tokens WHERE id = ?2))
      AND ${KNOWS_SCOPE}
    ORDER BY account, created_seconds, id LIMIT ?3`;
  return query(sql, [accounts === undefined ? null : JSON.stringify(accounts), after, limit], row);
}

/** SQL: tokens that may open something. @param now parameter of the time */
const isActive = (now: string): string => `revoked_seconds = 0 AND (expires_seconds = 0 OR expires_seconds > ${now})`;

/**
 * Adds a token, unless its account has as many active ones as it may, or one of this name; and removes those of
 * the account that have opened nothing for long. The second change answers with a row if the token was added.
 */
export function addToken(token: Token, hash: string): Change[] {
  return [
    {
      sql: `DELETE FROM tokens WHERE account = ?1 AND ((revoked_seconds > 0 AND revoked_seconds < ?2)
        OR (expires_seconds > 0 AND expires_seconds < ?2))`,
      parameters: [token.account, token.createdSeconds - TOKEN_LIMITS.keptSeconds],
    },
    {
      sql: `INSERT INTO tokens (${COLUMNS}, hash)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, unhex(?8)
        WHERE (SELECT count(*) FROM tokens WHERE account = ?2 AND ${isActive("?5")}) < ?9
          AND NOT EXISTS (SELECT 1 FROM tokens WHERE account = ?2 AND name = ?3 AND ${isActive("?5")})
        RETURNING id`,
      parameters: [
        token.id,
        token.account,
        token.name,
        token.scope,
        token.createdSeconds,
        token.createdBy,
        token.expiresSeconds,
        hash,
        TOKEN_LIMITS.perAccount,
      ],
    },
  ];
}

/** Whether an account has an active token of this name: one row or none. */
export function tokenNamedQuery(account: string, name: string, nowSeconds: number): Query<Token> {
  const sql = `SELECT ${COLUMNS} FROM tokens WHERE account = ?1 AND name = ?2 AND ${isActive("?3")} AND ${KNOWS_SCOPE}`;
  return query(sql, [account, name, nowSeconds], row);
}

/** Revokes a token; one that is revoked stays as it is. */
export function revokeToken(account: string, id: string, nowSeconds: number): Change {
  return {
    sql: "UPDATE tokens SET revoked_seconds = ?3 WHERE id = ?1 AND account = ?2 AND revoked_seconds = 0",
    parameters: [id, account, nowSeconds],
  };
}

/** Notes that a token was used, if that was last noted long enough ago. */
export function noteTokenUse(id: string, nowSeconds: number): Change {
  return {
    sql: "UPDATE tokens SET last_used_seconds = ?2 WHERE id = ?1 AND last_used_seconds <= ?3",
    parameters: [id, nowSeconds, nowSeconds - TOKEN_LIMITS.usedSeconds],
  };
}
