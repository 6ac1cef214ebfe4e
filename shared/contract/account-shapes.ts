/** What operations about accounts, people and tokens answer, as schemas. Times in seconds since 1970 UTC. Pure. */
import * as v from "valibot";
import { IMPORT_RESULTS } from "../import-lines.ts";
import { AUDIT_OUTCOMES } from "../ledger/audit.ts";
import { LOGO_TYPES } from "../logo.ts";
import { ACCOUNT_ROLES, personEntry } from "../people.ts";
import { TOKEN_SCOPES, TOKEN_STATES, type Token, tokenState } from "../tokens.ts";

export const person = v.object({ email: v.string(), entry: personEntry });

export const accountHead = v.object({
  account: v.string(),
  /** What it is called. */
  name: v.string(),
  /** When its logo was set, seconds since 1970 UTC; 0 = it has none. */
  logoSeconds: v.number(),
});

export const accountLogo = v.object({
  account: v.string(),
  mediaType: v.picklist(LOGO_TYPES),
  /** The picture's bytes. */
  base64: v.string(),
  /** When it was set, seconds since 1970 UTC. */
  logoSeconds: v.number(),
});

export const account = v.object({
  account: v.string(),
  /** "" = none was given. */
  name: v.string(),
  createdSeconds: v.number(),
  /** Number of the D1 database that its ledger is in. */
  database: v.number(),
  /** People with a role in it; operators are not counted. */
  people: v.number(),
  /** RUA addresses. */
  addresses: v.number(),
});

export const accountPerson = v.object({
  account: v.string(),
  email: v.string(),
  role: v.picklist(ACCOUNT_ROLES),
  addedBy: v.string(),
  addedSeconds: v.number(),
  /** When the person first came through Access; 0 = invited. */
  firstSeenSeconds: v.number(),
});

export const importedLine = v.object({
  /** As given. */
  line: v.number(),
  account: v.string(),
  domain: v.optional(v.string()),
  /** The address its reports go to. */
  rua: v.optional(v.string()),
  result: v.picklist(IMPORT_RESULTS),
  /** What is new, or wrong. */
  message: v.string(),
});

export const auditEntry = v.object({
  id: v.number(),
  atSeconds: v.number(),
  who: v.string(),
  operation: v.string(),
  /** "" = no account, or several. */
  account: v.string(),
  domain: v.string(),
  outcome: v.picklist(AUDIT_OUTCOMES),
  /** Why it was refused or failed. */
  message: v.string(),
  /** Without secrets, cut where long. */
  input: v.unknown(),
  before: v.unknown(),
  after: v.unknown(),
});

/** A part of what is held of an account. */
export const accountExport = v.object({
  /** Rows by table, as the ledger has them; bytes are hex digits. */
  rows: v.array(
    v.object({
      table: v.string(),
      row: v.record(v.string(), v.nullable(v.union([v.string(), v.number()]))),
    }),
  ),
  /** Raw objects; readRawObject has their bytes. */
  objects: v.array(v.object({ key: v.string(), sizeBytes: v.number(), metadata: v.record(v.string(), v.unknown()) })),
  /** Where the next part begins; absent on the last one. */
  cursor: v.optional(v.string()),
});

/** A token, without its secret. Times in seconds since 1970 UTC, 0 for never. */
export const token = v.object({
  id: v.string(),
  /** "" = all accounts, as an operator. */
  account: v.string(),
  name: v.string(),
  scope: v.picklist(TOKEN_SCOPES),
  state: v.picklist(TOKEN_STATES),
  createdSeconds: v.number(),
  createdBy: v.string(),
  expiresSeconds: v.number(),
  revokedSeconds: v.number(),
  /** At most an hour behind. */
  lastUsedSeconds: v.number(),
});

/** A token as output. */
export function tokenOf(kept: Token, nowSeconds: number): v.InferOutput<typeof token> {
  return { ...kept, state: tokenState(kept, nowSeconds) };
}
