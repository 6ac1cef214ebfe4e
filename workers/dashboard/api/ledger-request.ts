/** The ledger as a request may see it, for pages and for operations of the API that answer what pages show. */

import { dayOfSeconds } from "../data/days.ts";
import type { LedgerRequest } from "../data/ledger-request.ts";
import { type Period, readPeriod } from "../data/period.ts";
import { ApiError } from "../errors.ts";
import { type Call, operate } from "./call.ts";

/**
 * The request.
 *
 * @param account the one it is about; the caller has checked that the person may see it. undefined = all they may see
 */
export function ledgerRequest(c: Call, account?: string): LedgerRequest {
  const ledger = c.get("ledger");
  const access = c.get("access");
  const nowSeconds = Math.floor(Date.now() / 1000);
  return {
    access,
    nowSeconds,
    today: dayOfSeconds(nowSeconds),
    databases: account === undefined ? ledger.databases : 1,
    ask: (query, one = account) => ledger.ask(query, one),
    askDirectory: (query) => ledger.askDirectory(query),
    accounts: async () => (account === undefined ? (access.accounts ?? (await ledger.accounts())) : [account]),
    operate: (name, input) => operate(c, name, input),
    later: (work) => c.executionCtx.waitUntil(work.catch(() => undefined)),
  };
}

/** Days of an input. */
interface AskedPeriod {
  from?: string | undefined;
  to?: string | undefined;
}

/** The period of an input, 30 days by default. @throws ApiError when it makes no sense */
export function periodOfInput({ from = "", to = "" }: AskedPeriod, today: number): Period {
  const period = readPeriod(new URLSearchParams({ from, to }), today);
  if (!period.ok) throw new ApiError("bad_request", period.error);
  return period.value;
}
