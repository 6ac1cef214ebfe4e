/**
 * What an identity may see: a program with the bearer secret everything; a person what the registry says, and nothing
 * when it says nothing.
 */
import type { AccountHead } from "../../shared/ledger/accounts.ts";
import { personQuery } from "../../shared/ledger/people.ts";
import {
  type Authority,
  accountsWith,
  highestRole,
  mayAsk,
  normalizeEmail,
  OPERATOR,
  type Role,
} from "../../shared/people.ts";
import type { Identity } from "./auth.ts";
import { ApiError } from "./errors.ts";
import type { LedgerReader } from "./ledger.ts";

/** Who asks, and what they may see. */
export interface Access {
  /** For the page's head: mail address, or `API token`. */
  name: string;
  /** What they may do; who decides by it asks `mayAsk` of shared/people.ts. */
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
}

/** Access by what somebody may do. */
export function accessOf(name: string, authority: Authority): Access {
  const accounts = accountsWith(authority, "viewer");
  return { name, authority, role: highestRole(authority), ...(accounts === undefined ? {} : { accounts }) };
}

/**
 * Finds it in the ledger.
 *
 * @throws ApiError (403) for a person nobody has given access; LedgerUnavailableError
 */
export async function findAccess(identity: Identity, ledger: LedgerReader): Promise<Access> {
  if (identity.via === "token") return accessOf("API token", OPERATOR);
  const [person] = await ledger.askDirectory(personQuery(normalizeEmail(identity.email)));
  if (person === undefined) {
    const who = identity.email === "" ? "Your identity has no mail address and" : `${identity.email}`;
    throw new ApiError(
      "forbidden",
      `${who} may not see anything here yet. An operator gives access with: dmarc identity add ${identity.email || "ADDRESS"} --role viewer --account NAME`,
    );
  }
  const access = accessOf(person.email, person.authority);
  return person.firstSeenSeconds === 0 ? { ...access, isFirst: true } : access;
}

/** Whether an account's data may be seen. */
export function maySee({ authority }: Access, account: string): boolean {
  return mayAsk(authority, "viewer", account);
}

/** Whether an account's domains, decisions, channels and people may be changed. */
export function mayAdminister({ authority }: Access, account: string): boolean {
  return mayAsk(authority, "administrator", account);
}
