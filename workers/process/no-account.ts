/** The answer about an account that is not there. */
import type { Answer } from "../../shared/contract/problems.ts";
import { fail } from "../../shared/result.ts";

/** Not found, with the account's name in the sentence. */
export function noAccount(account: string): Answer<never> {
  return fail({ code: "not_found", message: `There is no account '${account}'.` });
}
