/**
 * Viewing as an account: an operator sees what its viewers see, and changes nothing, until they leave. Kept in a cookie of the
 * browser's session; for anybody but operators it has no effect, whatever the cookie says.
 */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { type Access, accessOf } from "./access.ts";
import type { ApiContext } from "./api/call.ts";

const COOKIE = "view_as";

/** The access of a request: an operator's while they view as an account is that of its viewers. */
export function viewedAccess(c: Context<ApiContext>, access: Access): Access {
  const account = getCookie(c, COOKIE);
  if (account === undefined || account === "" || access.role !== "operator") return access;
  return { ...accessOf(access.name, { isOperator: false, accounts: { [account]: "viewer" } }), viewingAs: account };
}

/** Views as an account from now on; undefined = leaves. */
export function viewAs(c: Context<ApiContext>, account: string | undefined): void {
  const options = { path: "/", secure: new URL(c.req.url).protocol === "https:" };
  if (account === undefined) deleteCookie(c, COOKIE, options);
  else setCookie(c, COOKIE, account, { ...options, httpOnly: true, sameSite: "Strict" });
}
