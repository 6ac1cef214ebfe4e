/** What the dashboard answers itself: from the ledger, and for SQL statements from Analytics Engine. */
import { postSql } from "../../../shared/analytics/sql.ts";
import { tokenOf } from "../../../shared/contract/account-shapes.ts";
import { channelOf } from "../../../shared/contract/delivery-shapes.ts";
import { conflictOf, deadLetterOf } from "../../../shared/contract/incoming-shapes.ts";
import type { DashboardOperation, Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { PROBLEM_STATUS, PROBLEM_TITLES } from "../../../shared/contract/problems.ts";
import { accountsQuery } from "../../../shared/ledger/accounts.ts";
import {
  ACTIVITY_DAYS,
  activityQuery,
  OUTCOME_STEPS,
  outcomesQuery,
  partsQuery,
  readActivity,
  readOutcomes,
  readParts,
} from "../../../shared/ledger/activity.ts";
import { addressesQuery } from "../../../shared/ledger/addresses.ts";
import { channelsQuery, deliveriesQuery } from "../../../shared/ledger/channels.ts";
import { conflictsNamedQuery, conflictsQuery, doubtedConflictsQuery } from "../../../shared/ledger/conflicts.ts";
import { domainDaysQuery } from "../../../shared/ledger/days.ts";
import {
  deadLetterPageQuery,
  deadLetterReasonsQuery,
  deadLettersNamedQuery,
} from "../../../shared/ledger/dead-letters.ts";
import { unsentReportsQuery } from "../../../shared/ledger/forwards.ts";
import { knownImportsQuery } from "../../../shared/ledger/imports.ts";
import { jobQuery, newestJobsQuery } from "../../../shared/ledger/jobs.ts";
import { incidentsQuery, mutesQuery, noticesQuery } from "../../../shared/ledger/notices.ts";
import { countOutcomes } from "../../../shared/ledger/outcomes.ts";
import { peopleQuery, personQuery } from "../../../shared/ledger/people.ts";
import { refusedMailQuery, reportMails } from "../../../shared/ledger/refused-mail.ts";
import { statsQuery } from "../../../shared/ledger/stats.ts";
import { groupedAccountsQuery, taggedDomainsQuery } from "../../../shared/ledger/tags.ts";
import { tokensQuery } from "../../../shared/ledger/tokens.ts";

import { FORWARD_LIMITS, NOTIFY_LIMITS, PAGE_LIMITS, WATCH_LIMITS } from "../../../shared/limits.ts";

import { pageOf } from "../../../shared/operations.ts";
import { accountsWith, normalizeEmail } from "../../../shared/people.ts";
import { normalizeRua } from "../../../shared/registry.ts";
import { parseDay, SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { isoDate } from "../../../shared/storage.ts";
import { maySee } from "../access.ts";
import { isoDay } from "../data/days.ts";
import { askOutcomeHistory } from "../data/outcome-history.ts";
import { resourcePrefix } from "../environment.ts";
import { ApiError, unless } from "../errors.ts";
import { getAccount, getAccountLogo, getAccountPeople, getAccounts, getAudit } from "./accounts.ts";
import { type Answered, type Call, operate, readConnection, requireAccount, requireRole } from "./call.ts";
import {
  daysOf,
  getFailureSummary,
  getKeptCheck,
  getOverview,
  getTlsSummary,
  listDecisions,
  listDomains,
  listOtherDomains,
} from "./domains.ts";
import { ledgerRequest, periodOfInput } from "./ledger-request.ts";
import { getAccountMonth, getDomainMonth } from "./months.ts";
import { getMtaSts } from "./mta-sts.ts";
import { pageOfFirst, partOf } from "./page.ts";
import { getReport, listReporters, listReports } from "./reports.ts";
import { getSenders } from "./senders.ts";
import { getSource, listHits, listSourceGroups, listSources } from "./sources.ts";
import { getVerdict } from "./verdict.ts";
import { getWorkDomains, getWorklist } from "./worklist.ts";

type Answers = {
  [Name in DashboardOperation]: (c: Call, input: Inputs[Name]) => Promise<Answered<Name>>;
};

/** Answers an operation from the ledger. @throws ApiError when the person may not ask this, or there is no such account or answer */
export async function read<Name extends DashboardOperation>(
  c: Call,
  name: Name,
  input: Inputs[Name],
): Promise<Answered<Name>> {
  requireRole(c, name, input);
  await requireAccount(c, name, input);
  return ANSWERS[name](c, input);
}

/** An answer for each operation. */
const ANSWERS: Answers = {
  describeProblem: async (_, { code }) => ({ code, title: PROBLEM_TITLES[code], status: PROBLEM_STATUS[code] }),
  status: getStatus,
  activity: async (c) => ({ items: readActivity(await c.get("ledger").ask(activityQuery(nowSeconds()))) }),
  outcomeHistory: getOutcomeHistory,
  stats: getStats,
  domainDays: getDomainDays,
  verdict: (c, input) => getVerdict(c, input, nowSeconds()),
  mtaSts: (c, input) => getMtaSts(c, input, nowSeconds()),
  senders: (c, input) => getSenders(c, input, nowSeconds()),
  listDomains,
  otherDomains: listOtherDomains,
  domainOverview: getOverview,
  tlsSummary: getTlsSummary,
  failureSummary: getFailureSummary,
  keptCheck: getKeptCheck,
  listReports,
  listReporters,
  getReport,
  listSources,
  listHits,
  listDecisions,
  domainMonth: getDomainMonth,
  accountMonth: getAccountMonth,
  listSourceGroups,
  getSource,
  query: runQuery,
  async refusedMail(c, { from, to }) {
    const { firstDay, lastDay } = lastWeek();
    const days = {
      firstDay: from === undefined ? firstDay : dayOrRefuse(from),
      lastDay: to === undefined ? lastDay : dayOrRefuse(to),
    };
    return { items: await c.get("ledger").askDirectory(refusedMailQuery(days)) };
  },
  async listIncidents(c, { account, domain, state = "open", ...asked }) {
    const part = partOf(asked, PAGE_LIMITS.incidents);
    const resolvedSinceSeconds = nowSeconds() - WATCH_LIMITS.shownSeconds;
    const question = incidentsQuery(await accountsOf(c, account), {
      domain,
      state: state === "open" ? state : { resolvedSinceSeconds },
      limit: part.offset + part.limit + 1,
    });
    return pageOfFirst(await c.get("ledger").ask(question, account), part);
  },
  async listTags(c, { account, tag }) {
    const question = taggedDomainsQuery(await accountsOf(c, account), tag);
    return { items: await c.get("ledger").ask(question, account) };
  },
  listAccountGroups: async (c) => ({
    items: await c.get("ledger").askDirectory(groupedAccountsQuery(c.get("access").accounts)),
  }),
  worklist: async (c, { account }) => ({ items: await getWorklist(c, await accountsOf(c, account), account) }),
  worklistDomains: async (c, input) => getWorkDomains(c, input, await accountsOf(c, input.account)),
  async listNotices(c, { account, ...asked }) {
    const part = partOf(asked, PAGE_LIMITS.incidents);
    const question = noticesQuery(await accountsOf(c, account), part.offset + part.limit + 1);
    return pageOfFirst(await c.get("ledger").ask(question, account), part);
  },
  async listMutes(c, { account }) {
    const question = mutesQuery(await accountsOf(c, account), nowSeconds());
    return { items: await c.get("ledger").ask(question, account) };
  },
  listRegistrations: async (c) => ({
    items: (await c.get("ledger").askDirectory(addressesQuery())).map(({ rua, entry }) => ({ rua, entry })),
  }),
  getRegistration,
  knownImports: getKnownImports,
  listIdentities: async (c) => ({
    items: (await c.get("ledger").askDirectory(peopleQuery())).map(({ email, entry }) => ({ email, entry })),
  }),
  getIdentity,
  listAccounts: getAccounts,
  getAccount,
  getAccountLogo,
  listAccountPeople: getAccountPeople,
  listAudit: getAudit,
  listDeadLetters,
  getDeadLetter,
  async deadLetterReasons(c, input) {
    const question = deadLetterReasonsQuery(input);
    if (!question.ok) throw new ApiError("bad_request", question.error);
    return { items: await c.get("ledger").ask(question.value) };
  },
  async listConflicts(c, { cursor, limit = PAGE_LIMITS.deadLetters, without_doubted: withoutDoubted }) {
    const page = pageOf(await c.get("ledger").ask(conflictsQuery({ after: cursor, withoutDoubted, limit })), limit);
    return { ...page, items: page.items.map(conflictOf) };
  },
  async listDoubtedConflicts(c) {
    const found = await c.get("ledger").ask(doubtedConflictsQuery());
    return { items: found.map(({ total, ...group }) => ({ ...group, messages: total })) };
  },
  async getConflict(c, { id }) {
    const [found] = await c.get("ledger").ask(conflictsNamedQuery([id]));
    if (found === undefined) throw new ApiError("not_found", `There is no conflict '${id}'.`);
    return conflictOf(found);
  },
  async listJobs(c) {
    const ledger = c.get("ledger");
    const jobs = await ledger.askDirectory(newestJobsQuery(PAGE_LIMITS.jobs));
    return { items: await ledger.followJobs(jobs, nowSeconds()) };
  },
  async getJob(c, { id }) {
    const ledger = c.get("ledger");
    const [found] = await ledger.followJobs(await ledger.askDirectory(jobQuery(id)), nowSeconds());
    if (found === undefined) throw new ApiError("not_found", `There is no job '${id}'.`);
    return found;
  },
  async listChannels(c, { account }) {
    const accounts = await channelAccounts(c, account);
    return { items: (await c.get("ledger").ask(channelsQuery(accounts))).map(channelOf) };
  },
  async listDeliveries(c, { account }) {
    const accounts = await channelAccounts(c, account);
    return { items: await c.get("ledger").ask(deliveriesQuery(accounts, NOTIFY_LIMITS.deliveriesShown)) };
  },
  async listUnsentReports(c) {
    const most = FORWARD_LIMITS.unsentShown;
    const found = await c.get("ledger").ask(unsentReportsQuery(most + 1));
    const items = found.slice(0, most).map(({ reportUid: uid, day, ...row }) => ({ ...row, uid, day: isoDay(day) }));
    return { items, isComplete: found.length <= most };
  },
  async listTokens(c, { account, cursor = "", limit = PAGE_LIMITS.tokens }) {
    const administered = accountsWith(c.get("access").authority, "administrator");
    const isTheirs = account !== undefined && (administered?.includes(account) ?? true);
    const accounts = account === undefined ? administered : isTheirs ? [account] : [];
    const page = pageOf(await c.get("ledger").askDirectory(tokensQuery(accounts, cursor, limit)), limit);
    return { ...page, items: page.items.map((token) => tokenOf(token, nowSeconds())) };
  },
  acceptConflict: (c, { id }) => operate(c, "decideConflict", { id, decision: "replace" }),
  discardConflict: (c, { id }) => operate(c, "decideConflict", { id, decision: "keep" }),
};

/** Outcomes of reports over a period. @throws ApiError when the period makes no sense */
async function getOutcomeHistory(c: Call, input: Inputs["outcomeHistory"]): Promise<Outputs["outcomeHistory"]> {
  const request = ledgerRequest(c);
  const period = periodOfInput(input, request.today);
  const { step, outcomes, latency } = await askOutcomeHistory(request, period);
  return {
    ...daysOf(period),
    step,
    outcomes: outcomes.map(({ at, ...counted }) => ({ beginSeconds: at * OUTCOME_STEPS[step], ...counted })),
    latency: latency.map(({ day, ...seconds }) => ({ day: isoDay(day), ...seconds })),
  };
}

/** As accountsOf, but for an operator also accounts without reports, which may have channels already. */
async function channelAccounts(c: Call, account: string | undefined): Promise<readonly string[]> {
  if (account !== undefined || c.get("access").accounts !== undefined) return accountsOf(c, account);
  return [...(await c.get("ledger").askDirectory(accountsQuery())).map((one) => one.account), ""];
}

/**
 * The accounts of which a person may see what belongs to them: their own; for operators all, and '' for what is the pipeline's own.
 *
 * @param account only this one
 */
async function accountsOf(c: Call, account: string | undefined): Promise<readonly string[]> {
  const access = c.get("access");
  if (account !== undefined) return maySee(access, account) ? [account] : [];
  return access.accounts ?? ["", ...(await c.get("ledger").accounts())];
}

// Status is what an operator looks at when something is broken, so it is answered without the outcomes too.
async function getStatus(c: Call): Promise<Outputs["status"]> {
  const prefix = resourcePrefix(c.env);
  const status = { ...(await operate(c, "pipelineStatus", {})), prefix };
  try {
    const ledger = c.get("ledger");
    const [outcomes, parts, refused] = await Promise.all([
      ledger.ask(outcomesQuery(nowSeconds())),
      ledger.ask(partsQuery(nowSeconds())),
      ledger.askDirectory(refusedMailQuery(lastWeek())),
    ]);
    const refusedMails = refused.reduce((sum, { mails }) => sum + mails, 0);
    const refusedReports = reportMails(refused);
    return { ...status, outcomes: readOutcomes(outcomes), parts: readParts(parts), refusedMails, refusedReports };
  } catch (error) {
    const outcomesProblem = error instanceof Error ? error.message : String(error);
    return { ...status, outcomes: null, outcomesProblem, parts: null };
  }
}

async function getStats(c: Call, filter: Inputs["stats"]): Promise<Outputs["stats"]> {
  const ledger = c.get("ledger");
  const own = c.get("access").accounts;
  const accounts = own ?? (await ledger.accounts());
  const [stats] = await ledger.ask(statsQuery({ accounts, ownOnly: own !== undefined, ...filter }), filter.account);
  if (stats === undefined) throw new Error("Stats always have a row.");
  return stats;
}

async function getDomainDays(c: Call, input: Inputs["domainDays"]): Promise<Outputs["domainDays"]> {
  const { kind, from, to, domain, account, cursor, limit = PAGE_LIMITS.domainDays } = input;
  const ledger = c.get("ledger");
  const scope = {
    accounts: account === undefined ? (c.get("access").accounts ?? (await ledger.accounts())) : [account],
    domains: domain === undefined ? undefined : [domain],
    firstDay: dayOrRefuse(from),
    lastDay: dayOrRefuse(to),
  };
  const after = cursor === undefined ? undefined : domainDayOf(cursor);
  const rows = await ledger.ask(domainDaysQuery(kind, scope, { after, limit: limit + 1 }));
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    items: shown.map(({ day, ...sums }) => ({ ...sums, day: isoDate(day * SECONDS_PER_DAY) })),
    isComplete: last === undefined,
    ...(last !== undefined && { cursor: `${last.day} ${last.domain}` }),
  };
}

/** Where sums by domain and day continue. @throws ApiError if the cursor is not from this list */
function domainDayOf(cursor: string): { day: number; domain: string } {
  const [, day, domain = ""] = /^(\d{1,9}) (.*)$/.exec(cursor) ?? [];
  if (day === undefined) throw new ApiError("bad_request", "cursor: it is not from this list.");
  return { day: Number(day), domain };
}

function dayOrRefuse(text: string): number {
  const day = parseDay(text);
  if (day === undefined) throw new ApiError("bad_request", `'${text}' is not a day; write it as YYYY-MM-DD.`);
  return day;
}

async function getRegistration(c: Call, { rua }: Inputs["getRegistration"]): Promise<Outputs["getRegistration"]> {
  const [found] = await c.get("ledger").askDirectory(addressesQuery([normalizeRua(rua)]));
  if (found === undefined) throw new ApiError("not_found", `'${rua}' is not registered.`);
  return { rua: found.rua, entry: found.entry };
}

async function getIdentity(c: Call, { email }: Inputs["getIdentity"]): Promise<Outputs["getIdentity"]> {
  const [found] = await c.get("ledger").askDirectory(personQuery(normalizeEmail(email)));
  if (found === undefined) throw new ApiError("not_found", `'${email}' has no access.`);
  return { email: found.email, entry: found.entry };
}

async function listDeadLetters(c: Call, input: Inputs["listDeadLetters"]): Promise<Outputs["listDeadLetters"]> {
  const question = deadLetterPageQuery(input);
  if (!question.ok) throw new ApiError("bad_request", question.error);
  const page = pageOf(await c.get("ledger").ask(question.value), input.limit ?? PAGE_LIMITS.deadLetters);
  return { ...page, items: page.items.map(deadLetterOf) };
}

// Only process knows what is in R2; a dead letter can be read without that.
async function getDeadLetter(c: Call, { id }: Inputs["getDeadLetter"]): Promise<Outputs["getDeadLetter"]> {
  const [found] = await c.get("ledger").ask(deadLettersNamedQuery([id]));
  if (found === undefined) throw new ApiError("not_found", `There is no dead letter '${id}'.`);
  const letter = deadLetterOf(found);
  if (letter.rawKey === "") return { letter };
  const raw = await unless(
    ["not_found", "process_unavailable"],
    operate(c, "describeRawObject", { key: letter.rawKey }),
  );
  return raw.ok ? { letter, raw: raw.value } : { letter };
}

/** The days that status looks at. */
function lastWeek(): { firstDay: number; lastDay: number } {
  const lastDay = Math.floor(nowSeconds() / SECONDS_PER_DAY);
  return { firstDay: lastDay - ACTIVITY_DAYS, lastDay };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** `format` → the engine's FORMAT clause. */
const FORMATS = { json: "JSON", jsoneachrow: "JSONEachRow", tsv: "TabSeparated" } as const;

/** Passes a statement to the engine unchanged, and its answer back. */
async function runQuery(c: Call, { sql: given, format }: Inputs["query"]): Promise<Response> {
  const sql = given.trim().replace(/;$/, "");
  if (sql === "") throw new ApiError("bad_request", "The body is empty; it must be one SQL statement.");
  // On its own line, because the statement may end in a comment.
  const statement = format === undefined ? sql : `${sql}\nFORMAT ${FORMATS[format]}`;
  const answer = await postSql(readConnection(c), statement, (url, init) => fetch(url, init));
  if (!answer.ok) throw new ApiError(answer.error.code, answer.error.message);
  const type = answer.value.headers.get("content-type") ?? "text/plain; charset=utf-8";
  return new Response(answer.value.body, { headers: { "content-type": type } });
}

async function getKnownImports(c: Call, { sha256s }: Inputs["knownImports"]): Promise<Outputs["knownImports"]> {
  const found = await c.get("ledger").ask(knownImportsQuery(sha256s));
  return {
    items: found.map(({ place, rua, rawKey: key, importedSeconds, outcomes }) => ({
      sha256: sha256s[place] ?? "",
      rua,
      key,
      importedAt: new Date(importedSeconds * 1000).toISOString(),
      isDone: outcomes !== null,
      outcomes: countOutcomes(outcomes ?? []),
    })),
  };
}
