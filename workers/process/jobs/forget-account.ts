/**
 * Forgets an account: the pages of a `forget` job. First its addresses are closed, so that nothing more comes in; then
 * its raw objects and its rows are removed, in every database; and once what was under way has ended, everything is looked
 * through again. Each page can be repeated. This is the only thing that deletes what others may still want below raw/.
 */
import * as v from "valibot";
import { ACCOUNT_TABLES } from "../../../shared/ledger/account-tables.ts";
import { copyDue } from "../../../shared/ledger/addresses.ts";
import { type Change, change } from "../../../shared/ledger/database.ts";
import { changeDayUses } from "../../../shared/ledger/day-uses.ts";
import {
  addressesToClose,
  closeAddresses,
  domainsHeldQuery,
  isCopyLeft,
  leaveWatchRound,
  type RowOwner,
  removeAccount,
  removeAccountRows,
  removeFromPeople,
} from "../../../shared/ledger/forget.ts";
import { dropNames, forgottenAmong, forgottenNames, putForgotten } from "../../../shared/ledger/forgotten.ts";
import { removeImports } from "../../../shared/ledger/imports.ts";
import type { Job } from "../../../shared/ledger/jobs.ts";
import { removeObjects } from "../../../shared/ledger/objects.ts";
import { askAll, missingDatabase } from "../../../shared/ledger/shards.ts";
import { FORGET_LIMITS } from "../../../shared/limits.ts";
import type { Invocation } from "../env.ts";
import { othersAmong, rawObjectsPage } from "../reports/objects-of-account.ts";

const PHASES = ["close", "raw", "rows", "settle", "raw again", "rows again"] as const;

/** Where a job stands. */
const position = v.object({
  phase: v.picklist(PHASES),
  /** Of the raw objects: the last key. Of a table: where it continues. */
  after: v.string(),
  /** Of the rows: which of the names, database and table. */
  chunk: v.number(),
  shard: v.number(),
  table: v.number(),
  /** Of `settle`: when it is over, seconds. */
  untilSeconds: v.number(),
});
type Position = v.InferOutput<typeof position>;

const cursor = v.pipe(v.string(), v.parseJson(), position);

/** What a page did. */
export interface ForgottenPage {
  /** Raw objects looked at. */
  scanned: number;
  /** Raw objects and rows removed. */
  removed: number;
  /** The start of the next page; undefined on the last one. */
  cursor: string | undefined;
  /** Seconds until the next page is due; absent = at once. */
  delaySeconds?: number;
}

/** Does one page. @throws Error when a database is not bound: what is in it would stay, and what others have could not be told */
export async function forgetPage(job: Job, invocation: Invocation): Promise<ForgottenPage> {
  const missing = await missingDatabase(invocation.shards);
  if (missing !== undefined) throw new Error(missing);
  const at = job.cursor === "" ? startOf("close") : v.parse(cursor, job.cursor);
  const { page, next } = await doPage(at, job, invocation);
  if (next === undefined) await finish(job, invocation);
  const delaySeconds = next?.phase === "settle" ? Math.max(0, next.untilSeconds - invocation.nowSeconds) : 0;
  return {
    ...page,
    cursor: next === undefined ? undefined : JSON.stringify(next),
    ...(delaySeconds > 0 ? { delaySeconds } : {}),
  };
}

interface Done {
  page: { scanned: number; removed: number };
  /** undefined when everything is done. */
  next: Position | undefined;
}

function startOf(phase: Position["phase"], untilSeconds = 0): Position {
  return { phase, after: "", chunk: 0, shard: 0, table: 0, untilSeconds };
}

async function doPage(at: Position, job: Job, invocation: Invocation): Promise<Done> {
  const idle = { scanned: 0, removed: 0 };
  switch (at.phase) {
    case "close":
      return { page: idle, next: (await close(job, invocation)) ? startOf("raw") : at };
    case "settle":
      return { page: idle, next: invocation.nowSeconds < at.untilSeconds ? at : startOf("raw again") };
    case "raw":
    case "raw again":
      return removeRaw(at, job, invocation);
    case "rows":
    case "rows again":
      return removeRows(at, job, invocation);
  }
}

/** Closes some addresses and removes them from KV. @returns whether all are closed */
async function close({ id: jobId, filter }: Job, { env, shards, nowSeconds }: Invocation): Promise<boolean> {
  const { account = "" } = filter;
  const { directory } = shards;
  const noted = { jobId, nowSeconds };
  const domains = (await askAll(shards.all, domainsHeldQuery(account))).map(({ domain }) => domain);
  const ruas = await addressesToClose(directory, account, FORGET_LIMITS.addressesPerPage);
  await change(directory, [
    ...removeFromPeople(account, nowSeconds),
    await putForgotten("domain", domains, noted),
    await putForgotten("address", ruas, noted),
    closeAddresses(account, ruas, nowSeconds),
  ]);
  await copyDue({ directory, copy: env.KV_DMARC_REPORTS }, undefined, FORGET_LIMITS.addressesPerPage);
  return !(await isCopyLeft(directory, account));
}

/** Removes raw objects of the account, and their rows. Those that another account has a row of stay. */
async function removeRaw(at: Position, { id, filter }: Job, invocation: Invocation): Promise<Done> {
  const { env, shards } = invocation;
  const { account = "" } = filter;
  const isAddress = async (ruas: readonly string[]): Promise<ReadonlySet<string>> =>
    new Set((await forgottenAmong(shards.directory, ruas, { jobId: id })).keys());
  const { objects, scanned, next } = await rawObjectsPage({ account, isAddress, after: at.after }, invocation);
  if (objects.length > 0) {
    const noted = { jobId: id, nowSeconds: invocation.nowSeconds };
    const former = objects.map(({ rua }) => rua);
    await change(shards.directory, [await putForgotten("former", former, noted)]);
    await env.R2_DMARC_REPORTS.delete(objects.map(({ rawKey }) => rawKey));
    const rows = objects.map((object) => ({ ...object, version: 0 }));
    // Their addresses may belong to another account by now; the objects were counted to its daily use.
    const changes = [await changeDayUses([], rows), await removeObjects(rows), removeImports(objects)];
    for (const ledger of shards.all) await change(ledger, changes);
  }
  const following = at.phase === "raw" ? "rows" : "rows again";
  return {
    page: { scanned, removed: objects.length },
    next: next === undefined ? startOf(following) : { ...at, after: next },
  };
}

async function removeRows(start: Position, job: Job, invocation: Invocation): Promise<Done> {
  const { shards, nowSeconds } = invocation;
  const owner = await namesOf(job, start.chunk, invocation);
  let at: Position | undefined = start;
  let removed = 0;
  for (let i = 0; i < FORGET_LIMITS.statementsPerPage && at !== undefined && at.chunk === start.chunk; i++) {
    const table = ACCOUNT_TABLES[at.table];
    const ledger = shards.of(at.shard);
    if (table === undefined) {
      await change(ledger, [leaveWatchRound(owner.account)]);
      at = nextDatabase(at, { databases: shards.all.length, isLast: owner.isLast });
      continue;
    }
    const gone = await removeAccountRows(ledger, table, { owner, after: at.after });
    removed += gone.rows;
    // Addresses that the account had before: mail to them may be under way, too.
    if (gone.ruas.length > 0) await noteAddresses(gone.ruas, job, invocation);
    at = gone.after === undefined ? { ...at, table: at.table + 1, after: "" } : { ...at, after: gone.after };
  }
  const next = at ?? (start.phase === "rows" ? startOf("settle", nowSeconds + FORGET_LIMITS.settleSeconds) : undefined);
  return { page: { scanned: 0, removed }, next };
}

function nextDatabase(
  at: Position,
  { databases, isLast }: { databases: number; isLast: boolean },
): Position | undefined {
  if (at.shard + 1 < databases) return { ...at, shard: at.shard + 1, table: 0, after: "" };
  return isLast ? undefined : { ...startOf(at.phase), chunk: at.chunk + 1 };
}

/** A part of the account's addresses and domains, and whether it is the last one. */
async function namesOf(
  { id: jobId, filter }: Job,
  chunk: number,
  { shards }: Invocation,
): Promise<RowOwner & { isLast: boolean }> {
  const page = { jobId, limit: FORGET_LIMITS.namesAtOnce, offset: chunk * FORGET_LIMITS.namesAtOnce };
  const ruas = await forgottenNames(shards.directory, { ...page, kind: "address" });
  const domains = await forgottenNames(shards.directory, { ...page, kind: "domain" });
  return {
    account: filter.account ?? "",
    ruas: JSON.stringify(ruas),
    domains: JSON.stringify(domains),
    isLast: Math.max(ruas.length, domains.length) < FORGET_LIMITS.namesAtOnce,
  };
}

async function noteAddresses(ruas: readonly string[], { id, filter }: Job, invocation: Invocation): Promise<void> {
  const others = await othersAmong(ruas, filter.account ?? "", invocation);
  const own = ruas.filter((rua) => !others.has(rua));
  const noted = { jobId: id, nowSeconds: invocation.nowSeconds };
  await change(invocation.shards.directory, [
    await putForgotten("address", own, noted),
    await putForgotten("former", [...others], noted),
  ]);
}

/** The account's own row, and the names that the job needed. */
async function finish({ id, filter }: Job, { shards }: Invocation): Promise<void> {
  const changes: Change[] = [removeAccount(filter.account ?? ""), ...dropNames(id)];
  await change(shards.directory, changes);
}
