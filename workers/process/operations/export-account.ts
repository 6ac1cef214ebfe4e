/**
 * Reads everything stored about an account, a part at a time: the rows of each table and database, then the raw objects.
 * Changes nothing.
 */
import * as v from "valibot";
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { findAccount } from "../../../shared/ledger/accounts.ts";
import { addressesOfAccountQuery } from "../../../shared/ledger/addresses.ts";
import { ask } from "../../../shared/ledger/database.ts";
import { EXPORTED_TABLES, type RowOwner, readAccountRows } from "../../../shared/ledger/forget.ts";
import { missingDatabase } from "../../../shared/ledger/shards.ts";
import { fail, ok } from "../../../shared/result.ts";
import { badRequest, noAccount } from "../answers.ts";
import type { Invocation } from "../env.ts";
import { rawObjectsPage } from "../reports/objects-of-account.ts";

type Part = Outputs["exportAccount"];

const position = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    /** Index of the database; the raw objects come after the last one. */
    shard: v.pipe(v.number(), v.integer(), v.minValue(0)),
    table: v.pipe(v.number(), v.integer(), v.minValue(0)),
    after: v.string(),
  }),
);
type Position = v.InferOutput<typeof position>;

/** One part. @returns a problem where there is no such account, or the cursor is of something else */
export async function exportAccount(
  account: string,
  cursor: string | undefined,
  invocation: Invocation,
): Promise<Answer<Part>> {
  const { shards } = invocation;
  if ((await findAccount(shards.directory, account)) === undefined) {
    return noAccount(account);
  }
  const missing = await missingDatabase(shards);
  if (missing !== undefined) return fail({ code: "not_configured", message: missing });
  const at = v.safeParse(position, cursor ?? JSON.stringify({ shard: 0, table: 0, after: "" }));
  if (!at.success) return badRequest("cursor: it is not one of an export.");
  const ruas = (await ask(shards.directory, addressesOfAccountQuery(account))).map(({ rua }) => rua);
  if (at.output.shard >= shards.all.length) return ok(await readObjects(account, { ruas, at: at.output }, invocation));
  return ok(await readRows({ account, ruas: JSON.stringify(ruas), domains: "[]" }, at.output, invocation));
}

async function readRows(
  owner: RowOwner,
  { shard, table: index, after }: Position,
  { shards }: Invocation,
): Promise<Part> {
  const table = EXPORTED_TABLES[index];
  if (table === undefined) {
    return { rows: [], objects: [], cursor: JSON.stringify({ shard: shard + 1, table: 0, after: "" }) };
  }
  const read = await readAccountRows(shards.of(shard), table, { owner, after });
  const next = read.after === "" ? { shard, table: index + 1, after: "" } : { shard, table: index, after: read.after };
  return {
    rows: read.rows.map((row) => ({ table: table.table, row })),
    objects: [],
    cursor: JSON.stringify(next),
  };
}

async function readObjects(
  account: string,
  { ruas, at }: { ruas: readonly string[]; at: Position },
  invocation: Invocation,
): Promise<Part> {
  const own: ReadonlySet<string> = new Set(ruas);
  const isAddress = async (): Promise<ReadonlySet<string>> => own;
  const page = await rawObjectsPage({ account, isAddress, after: at.after }, invocation);
  return {
    rows: [],
    objects: page.objects.map(({ rawKey: key, sizeBytes, metadata }) => ({
      key,
      sizeBytes,
      metadata: { ...metadata },
    })),
    cursor: page.next === undefined ? undefined : JSON.stringify({ ...at, after: page.next }),
  };
}
