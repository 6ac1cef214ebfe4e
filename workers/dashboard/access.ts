/**
 * What an identity may see: a program with the bearer secret everything; a person what the registry says, and nothing
 * when it says nothing.
 */
import { personQuery } from "../../shared/ledger/people.ts";
import { normalizeEmail } from "../../shared/viewers.ts";
import type { Identity } from "./auth.ts";
import { ApiError } from "./errors.ts";
import type { LedgerReader } from "./ledger.ts";

/** Who asks, and what they may see. */
export interface Access {
  /** For the page's head: mail address, or `API token`. */
  name: string;
  role: "owner" | "operator";
  /** Accounts that may be seen; absent = all. */
  accounts?: readonly string[];
}

/**
 * Finds it in the ledger.
 *
 * @throws ApiError (403) for a person nobody has given access; LedgerUnavailableError
 */
export async function findAccess(identity: Identity, ledger: LedgerReader): Promise<Access> {
  if (identity.via === "token") return { name: "API token", role: "operator" };
  const [viewer] = await ledger.askDirectory(personQuery(normalizeEmail(identity.email)));
  if (viewer === undefined) {
    const who = identity.email === "" ? "Your identity has no mail address and" : `${identity.email}`;
    throw new ApiError(
      "forbidden",
      `${who} may not see anything here yet. An operator gives access with: dmarc identity add ${identity.email || "ADDRESS"} --role owner --account NAME`,
    );
  }
  const { role, accounts } = viewer.entry;
  return role === "operator" ? { name: viewer.email, role } : { name: viewer.email, role, accounts };
}

/** Whether an account's data may be seen. */
export function maySee(access: Access, account: string): boolean {
  return access.accounts === undefined || access.accounts.includes(account);
}
