/** What the dashboard answers about accounts, their people and the audit log. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { noAccountProblem } from "../../../shared/contract/problems.ts";
import { accountHeadQuery, accountProfilesQuery, listAccounts } from "../../../shared/ledger/accounts.ts";
import { type AuditFilter, auditQuery } from "../../../shared/ledger/audit.ts";
import { accountPeopleQuery } from "../../../shared/ledger/people.ts";
import { ACCOUNT_LIMITS, AUDIT_LIMITS } from "../../../shared/limits.ts";
import { accountsWith } from "../../../shared/people.ts";
import { parseDay, SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import type { Access } from "../access.ts";
import { ApiError } from "../errors.ts";
import type { Call } from "./call.ts";
import { pageFrom, partOf } from "./page.ts";

/** Accounts the caller may see, by name; a part of them. */
export async function getAccounts(c: Call, input: Inputs["listAccounts"]): Promise<Outputs["listAccounts"]> {
  const { text = "" } = input;
  const { accounts } = c.get("access");
  const part = partOf(input, ACCOUNT_LIMITS.listed);
  const list = { accounts, text, ...part };
  const { rows, matching } = await listAccounts((query) => c.get("ledger").askDirectory(query), list);
  return pageFrom(rows, part, matching);
}

/** One account. @throws ApiError (404) where there is none */
export async function getAccount(c: Call, { account }: Inputs["getAccount"]): Promise<Outputs["getAccount"]> {
  const [found] = await c.get("ledger").askDirectory(accountHeadQuery(account));
  if (found === undefined) throw ApiError.of(noAccountProblem(account));
  return found;
}

/** An account's logo. @throws ApiError (404) where there is no account, or it has none */
export async function getAccountLogo(
  c: Call,
  { account }: Inputs["getAccountLogo"],
): Promise<Outputs["getAccountLogo"]> {
  const [found] = await c.get("ledger").askDirectory(accountProfilesQuery([account]));
  if (found === undefined) throw ApiError.of(noAccountProblem(account));
  if (found.logo === undefined) throw new ApiError("not_found", `The account '${account}' has no logo.`);
  const { mediaType, base64, changedSeconds: logoSeconds } = found.logo;
  return { account, mediaType, base64, logoSeconds };
}

/** The people with a role in an account. */
export async function getAccountPeople(
  c: Call,
  { account }: Inputs["listAccountPeople"],
): Promise<Outputs["listAccountPeople"]> {
  return { items: await c.get("ledger").askDirectory(accountPeopleQuery([account])) };
}

/** A page of the audit log, newest first. @throws ApiError when a day is not valid */
export async function getAudit(c: Call, { cursor, ...asked }: Inputs["listAudit"]): Promise<Outputs["listAudit"]> {
  const { limit = AUDIT_LIMITS.listed } = asked;
  const beforeId = cursor === undefined ? undefined : partOf({ cursor }, limit).offset;
  const items = await c
    .get("ledger")
    .askDirectory(auditQuery(auditFilter(c.get("access"), asked), { beforeId, limit }));
  const last = items.at(-1);
  return items.length < limit || last === undefined ? { items } : { items, cursor: String(last.id) };
}

/** The part of the log that the person may see, filtered as asked. @throws ApiError when a day is not valid */
export function auditFilter(
  { authority }: Pick<Access, "authority">,
  { account, domain, who, operation, since, until }: Omit<Inputs["listAudit"], "cursor" | "limit">,
): AuditFilter {
  const administered = accountsWith(authority, "administrator");
  const accounts =
    account === undefined ? administered : [account].filter((one) => administered?.includes(one) ?? true);
  const lastDay = until === undefined ? undefined : secondsOf(until) + SECONDS_PER_DAY;
  return {
    accounts,
    domain,
    who: who || undefined,
    operation,
    sinceSeconds: since === undefined ? undefined : secondsOf(since),
    beforeSeconds: lastDay,
  };
}

function secondsOf(text: string): number {
  const day = parseDay(text);
  if (day === undefined) throw new ApiError("bad_request", `'${text}' is not a day; write it as YYYY-MM-DD.`);
  return day * SECONDS_PER_DAY;
}
