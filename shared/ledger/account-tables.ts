/**
 * What every table of the ledger holds of an account: the one list that forgetting and exporting go through. A test holds
 * it against the migrations, so that a new table is either in it or fails.
 */

/** How the rows of an account are found in a table. */
export type FoundBy =
  /** By its column `account`. */
  | "account"
  /** By its column `account`; rows of account '' by their column `rua`, if it is an address of the account. */
  | "accountOrAddress"
  /** By its column `rua`. */
  | "address"
  /** By a report of the account that names it. */
  | "reading"
  /** By a text, in SQL, that contains one of the account's addresses or domains. */
  | { text: string }
  /** By a column that is one of the account's domains, or below one. */
  | { host: string };

/** A table with rows of accounts. */
export interface AccountTable {
  table: string;
  /** Columns that identify a row, in the order of its primary key; `rowid` where there is none. */
  key: readonly string[];
  by: FoundBy;
  /** Columns that an export leaves out: what opens something. */
  secret?: readonly string[];
  /** Further condition of the rows that forgetting removes, in SQL. */
  only?: string;
  /** No index leads to an account's rows: all rows are looked at, in windows. */
  isScanned?: true;
  /** Its rows are large: an export has few of them in one answer. */
  hasFigures?: true;
  /** Not part of an export: derived, or nobody's data. */
  isOnlyForgotten?: true;
}

/** In the order in which rows are removed: what is found through another row comes before it. */
export const ACCOUNT_TABLES: readonly AccountTable[] = [
  { table: "report_figures", key: ["reading", "chunk"], by: "reading", hasFigures: true },
  { table: "reports", key: ["rowid"], by: "account" },
  { table: "domain_days", key: ["account", "kind", "domain", "day"], by: "account" },
  { table: "day_figures", key: ["account", "kind", "domain", "day", "chunk"], by: "account", hasFigures: true },
  { table: "objects", key: ["rua", "day", "object_hash"], by: "accountOrAddress", isScanned: true },
  { table: "day_uses", key: ["account", "rua", "day"], by: "accountOrAddress", isOnlyForgotten: true },
  { table: "dead_letters", key: ["id"], by: "accountOrAddress" },
  { table: "conflicts", key: ["id"], by: "account" },
  { table: "decisions", key: ["uid", "content_hash"], by: "account" },
  { table: "slices", key: ["uid", "generation"], by: "address" },
  { table: "imports", key: ["content_hash", "rua"], by: "address", isScanned: true },
  { table: "domain_checks", key: ["account", "domain"], by: "account" },
  { table: "record_changes", key: ["account", "domain", "seen_seconds", "name", "type"], by: "account" },
  { table: "registered_domains", key: ["account", "domain"], by: "account" },
  { table: "domain_tags", key: ["account", "domain", "tag"], by: "account" },
  { table: "sender_decisions", key: ["account", "domain", "source", "decided_seconds"], by: "account" },
  { table: "domain_verdicts", key: ["account", "domain"], by: "account" },
  { table: "incidents", key: ["id"], by: "account" },
  { table: "notices", key: ["id"], by: "account" },
  { table: "mutes", key: ["account", "domain", "rule", "subject"], by: "account" },
  { table: "channels", key: ["id"], by: "account", secret: ["secret"] },
  { table: "deliveries", key: ["id"], by: "account" },
  { table: "forwards", key: ["target", "uid"], by: "account", isScanned: true },
  { table: "forward_targets", key: ["id"], by: "account", secret: ["secret", "access_key_id"] },
  { table: "tokens", key: ["id"], by: "account", secret: ["hash"] },
  { table: "account_people", key: ["account", "email"], by: "account" },
  { table: "account_logos", key: ["account"], by: "account" },
  { table: "audit_log", key: ["id"], by: "account" },
  // A change that belongs to no account may still name it.
  {
    table: "audit_log",
    key: ["id"],
    by: { text: "input || state_before || state_after || message || domain" },
    only: "account = ''",
    isOnlyForgotten: true,
  },
  { table: "mta_sts_policies", key: ["domain", "changed_seconds"], by: "account" },
  { table: "refused_mail", key: ["day", "rua"], by: "address" },
  { table: "faults", key: ["message_hash"], by: { text: "error" }, isOnlyForgotten: true },
  { table: "jobs", key: ["id"], by: { text: "job" }, only: "state <> 'running'", isOnlyForgotten: true },
  { table: "address_names", key: ["address"], by: { host: "host" }, isOnlyForgotten: true },
];

/** Exported as well: tables whose rows forgetting removes in its own way. */
export const ALSO_EXPORTED: readonly AccountTable[] = [
  { table: "accounts", key: ["account"], by: "account" },
  { table: "addresses", key: ["rua"], by: "account" },
];

/** Tables that forgetting deals with in another way, and how. */
export const OTHER_TABLES: Record<string, string> = {
  accounts: "its row is removed last",
  addresses: "removed first, from KV too (workers/process/jobs/forget-account.ts)",
  people: "people of no other account are removed (shared/ledger/forget.ts)",
  watch_round: "a round that has reached the account starts again",
  forgotten: "names are removed when the job ends, hashes later",
  skipped_objects: "has only ids of jobs and hashes",
  unfinished_days: "counts by day",
  assertions: "never holds a row",
};
