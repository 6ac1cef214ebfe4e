/**
 * People, their roles, and what each role may do: `mayAsk` is the one place that decides it, for pages, the API and process.
 * Stored in the ledger (ledger/people.ts). Anybody not listed sees nothing. Pure.
 */
import * as v from "valibot";
import { accountName } from "./registry.ts";

/** Roles in one account. administrator: manages its people, channels, domains and decisions. viewer: reads. */
export const ACCOUNT_ROLES = ["administrator", "viewer"] as const;
export type AccountRole = (typeof ACCOUNT_ROLES)[number];

/** operator: everything, of all accounts. */
export const ROLES = ["operator", ...ACCOUNT_ROLES] as const;
export type Role = (typeof ROLES)[number];

/** What a caller may do, person or program. */
export interface Authority {
  /** Everything, of all accounts; `accounts` means nothing then. */
  isOperator: boolean;
  /** Account → role in it. */
  accounts: Readonly<Record<string, AccountRole>>;
}

export const OPERATOR: Authority = { isOperator: true, accounts: {} };

/**
 * Whether an operation may be asked.
 *
 * @param needed role the operation is for
 * @param account the account concerned; undefined = the operation names none, and its answer is about those the person has the
 *   role in
 */
export function mayAsk({ isOperator, accounts }: Authority, needed: Role, account: string | undefined): boolean {
  if (isOperator) return true;
  if (needed === "operator") return false;
  if (account === undefined) return needed === "viewer" || Object.values(accounts).includes("administrator");
  // A name may be that of a property every object has.
  const role = Object.hasOwn(accounts, account) ? accounts[account] : undefined;
  return role === "administrator" || (role === "viewer" && needed === "viewer");
}

/** The accounts in which somebody has at least a role, by name; undefined = all. */
export function accountsWith(authority: Authority, needed: AccountRole): string[] | undefined {
  if (authority.isOperator) return undefined;
  return Object.keys(authority.accounts)
    .filter((account) => mayAsk(authority, needed, account))
    .sort();
}

/** The highest role somebody has anywhere, for display. */
export function highestRole(authority: Authority): Role {
  if (authority.isOperator) return "operator";
  return accountsWith(authority, "administrator")?.length === 0 ? "viewer" : "administrator";
}

const accountNames = v.pipe(v.array(accountName), v.maxLength(100));

/** The schema of what a person may do, for input from outside. */
export const personEntry = v.object({
  /** `owner` is the name administrators had before there were viewers. */
  role: v.pipe(
    v.picklist([...ROLES, "owner"]),
    v.transform((role): Role => (role === "owner" ? "administrator" : role)),
  ),
  /** Accounts the person has this role in; ignored for operators, who see all. */
  accounts: accountNames,
  /** Further accounts that an administrator only reads. */
  alsoViews: v.optional(accountNames),
});

export type PersonEntry = v.InferOutput<typeof personEntry>;

/** A person and what they may do. */
export interface Person {
  email: string;
  entry: PersonEntry;
}

/** What an entry lets a person do. */
export function authorityOf({ role, accounts, alsoViews = [] }: PersonEntry): Authority {
  if (role === "operator") return OPERATOR;
  const views = alsoViews.map((account): [string, AccountRole] => [account, "viewer"]);
  return { isOperator: false, accounts: Object.fromEntries([...views, ...accounts.map((account) => [account, role])]) };
}

/** The entry that says what somebody may do. */
export function entryOf(authority: Authority): PersonEntry {
  const role = highestRole(authority);
  if (role === "operator") return { role, accounts: [] };
  const readable = accountsWith(authority, "viewer") ?? [];
  if (role === "viewer") return { role, accounts: readable };
  const accounts = accountsWith(authority, "administrator") ?? [];
  const alsoViews = readable.filter((account) => !accounts.includes(account));
  return alsoViews.length === 0 ? { role, accounts } : { role, accounts, alsoViews };
}

/** Thrown when an address or an entry is not valid. */
export class PersonValueError extends Error {
  override name = "PersonValueError";
}

/** Validates what a person may do. @throws PersonValueError when address or entry is invalid */
export function validPerson(email: string, entry: unknown): Person {
  const key = normalizeEmail(email);
  if (!isAddress(key)) throw new PersonValueError(`'${key}' is not a mail address.`);
  const parsed = v.safeParse(personEntry, entry);
  if (parsed.success) return { email: key, entry: parsed.output };
  const [issue] = parsed.issues;
  throw new PersonValueError(`Person ${key}: ${v.getDotPath(issue) ?? "value"}: ${issue.message}`);
}

/** The normal form of people's addresses: lower case, trimmed. */
export function normalizeEmail(email: string): string {
  return email.trim().toLowerCase();
}

function isAddress(email: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(email) && new TextEncoder().encode(email).length <= 400;
}
