/** How an account presents itself in reports that are passed on: its name and its logo. */
import { type AccountProfile, accountProfilesQuery } from "../../../shared/ledger/accounts.ts";
import type { LedgerRequest } from "./ledger-request.ts";

/** @param account "" = none; its own name stands where none was given */
export async function profileOf(request: LedgerRequest, account: string): Promise<AccountProfile> {
  const [found] = await request.askDirectory(accountProfilesQuery([account]));
  return found ?? { account, name: account, logo: undefined };
}
