/** Operations about accounts, their people, tokens, and the audit log. operations.ts assembles them. */
import * as v from "valibot";
import { importLine } from "../import-lines.ts";
import { ACCOUNT_LIMITS, AUDIT_LIMITS, PAGE_LIMITS, TOKEN_LIMITS } from "../limits.ts";
import { ACCOUNT_ROLES, personEntry } from "../people.ts";
import { accountName } from "../registry.ts";
import { group } from "../tag.ts";
import { TOKEN_SCOPES, tokenName } from "../tokens.ts";
import * as shapes from "./account-shapes.ts";
import { countedPageOf, listOf, pageOf } from "./common-shapes.ts";
import {
  account,
  count,
  countBetween,
  cursor,
  day,
  displayName,
  domain,
  id,
  idInput,
  mailAddress,
  nothing,
  pageFields,
} from "./fields.ts";
import { get, post, put, remove } from "./operation.ts";
import { job } from "./pipeline-shapes.ts";

/** "" = all accounts, for operators. */
const tokenAccount = v.pipe(v.string(), v.maxLength(64));
const personInput = v.strictObject({ email: mailAddress });

export const ACCOUNT_OPERATIONS = {
  listIdentities: {
    summary: "Who may do what in which accounts",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/identities"),
    input: nothing,
    output: listOf(shapes.person),
  },
  getIdentity: {
    summary: "What one person may do",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/identities/:email"),
    input: personInput,
    output: shapes.person,
  },
  putIdentity: {
    summary: "Sets what a person may do, in all accounts",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/identities/:email",
      place: { json: "field", field: "entry" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ email: mailAddress, entry: personEntry }),
    output: shapes.person,
  },
  removeIdentity: {
    summary: "Removes a person's access",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: remove("/identities/:email"),
    input: personInput,
    output: v.undefined(),
  },

  listAccounts: {
    summary: "Accounts, by name, a page at a time",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/accounts"),
    input: v.strictObject({
      /** Part of the name. */
      text: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(200))),
      ...pageFields(ACCOUNT_LIMITS.listed),
      /** Instead of a cursor: accounts to leave out at the beginning. */
      offset: v.optional(count),
    }),
    output: countedPageOf(shapes.account),
  },
  getAccount: {
    summary: "An account's name, and whether it has a logo",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/accounts/:account"),
    input: v.strictObject({ account }),
    output: shapes.accountHead,
  },
  createAccount: {
    summary: "Creates an account; one that exists is not changed",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/accounts"),
    input: v.strictObject({ account: accountName, name: v.optional(displayName) }),
    output: shapes.accountHead,
  },
  setAccountName: {
    summary: "Sets an account's name on pages and in digests; if it is empty, the account's id is shown",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: put("/accounts/:account/name"),
    input: v.strictObject({ account, name: displayName }),
    output: shapes.accountHead,
  },
  getAccountLogo: {
    summary: "An account's logo, with its type and when it was set",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/accounts/:account/logo"),
    input: v.strictObject({ account }),
    output: shapes.accountLogo,
  },
  setAccountLogo: {
    summary: "Sets an account's logo: a PNG or JPEG picture of at most 64 KiB",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: put("/accounts/:account/logo"),
    input: v.strictObject({
      account,
      /** The file's bytes. The schema lets somewhat larger ones through, so that a sentence can name the limit. */
      base64: v.pipe(v.string(), v.minLength(1), v.maxLength(4 * ACCOUNT_LIMITS.logoBytes)),
    }),
    output: shapes.accountHead,
  },
  removeAccountLogo: {
    summary: "Removes an account's logo",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: remove("/accounts/:account/logo"),
    input: v.strictObject({ account }),
    output: v.undefined(),
  },
  listAccountPeople: {
    summary: "People with a role in an account, and when each first came",
    role: "administrator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/accounts/:account/people"),
    input: v.strictObject({ account }),
    output: listOf(shapes.accountPerson),
  },
  putAccountPerson: {
    summary: "Gives a person a role in an account, or changes it; a new person can sign in at once",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: put("/accounts/:account/people/:email"),
    input: v.strictObject({ account, email: mailAddress, role: v.picklist(ACCOUNT_ROLES) }),
    output: v.object({ account: v.string(), email: v.string(), role: v.picklist(ACCOUNT_ROLES) }),
  },
  removeAccountPerson: {
    summary: "Removes a person's role in an account",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: remove("/accounts/:account/people/:email"),
    input: v.strictObject({ account, email: mailAddress }),
    output: v.undefined(),
  },
  noteSeen: {
    summary: "Records the first visit of the person who asks",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: nothing,
    output: v.undefined(),
  },
  importAccounts: {
    summary:
      "Creates accounts and registers addresses and domains from a list, with a result for each line; existing entries do not change",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/accounts/import"),
    input: v.strictObject({
      lines: v.pipe(v.array(importLine), v.minLength(1), v.maxLength(ACCOUNT_LIMITS.importedAtOnce)),
      /** Only report what would be done. */
      dryRun: v.optional(v.boolean()),
    }),
    output: listOf(shapes.importedLine),
  },
  listAudit: {
    summary: "Who changed what: entries of the audit log, newest first",
    role: "administrator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/audit"),
    input: v.strictObject({
      account: v.optional(account),
      domain: v.optional(domain),
      /** Part of the person's address or the token's name. */
      who: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(400))),
      operation: v.optional(id),
      since: v.optional(day),
      until: v.optional(day),
      ...pageFields(AUDIT_LIMITS.listed),
    }),
    output: pageOf(shapes.auditEntry),
  },
  setAccountGroup: {
    summary: "Puts an account into a group of accounts; an empty name removes it from its group",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: put("/accounts/:account/group"),
    input: v.strictObject({ account, group }),
    output: v.object({ account: v.string(), group: v.string() }),
  },
  listAccountGroups: {
    summary: "Accounts that are in a group",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/account-groups"),
    input: nothing,
    output: listOf(v.object({ account: v.string(), group: v.string() })),
  },
  exportAccount: {
    summary: "All data of an account, a part at a time: rows of the ledger, then raw objects; secrets are left out",
    role: "operator",
    changes: false,
    answeredBy: "process",
    http: get("/accounts/:account/export"),
    input: v.strictObject({ account, cursor: v.optional(cursor) }),
    output: shapes.accountExport,
  },
  forgetAccount: {
    summary: "Forgets an account: a job removes its addresses, raw objects and rows, which cannot be undone",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/accounts/:account/forget",
      place: { json: "fields" },
      status: 202,
      answer: "json",
    },
    input: v.strictObject({
      account,
      /** The account once more. */
      confirm: account,
    }),
    output: job,
  },
  listTokens: {
    summary: "API tokens of the accounts that the person administers, without their secrets",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/tokens"),
    input: v.strictObject({ account: v.optional(tokenAccount), ...pageFields(PAGE_LIMITS.tokens) }),
    output: pageOf(shapes.token),
  },
  createToken: {
    summary: "Creates a token; its secret is returned only here",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/tokens"),
    input: v.strictObject({
      account: tokenAccount,
      name: tokenName,
      scope: v.picklist(TOKEN_SCOPES),
      /** Absent = it never expires. */
      expiresInDays: v.optional(countBetween(1, TOKEN_LIMITS.maxDays)),
    }),
    output: v.object({ ...shapes.token.entries, secret: v.string() }),
  },
  revokeToken: {
    summary: "Revokes a token",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/tokens/:id", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account: tokenAccount, id }),
    output: shapes.token,
  },
  noteTokenUse: {
    summary: "Records that a token was used, at most once an hour",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: idInput,
    output: v.undefined(),
  },
} as const;
