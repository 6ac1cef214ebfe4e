/** The tables of the ledger, read from migrations/, and what each holds, as docs/storage.md shows it. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const STATEMENT =
  /^(?:CREATE TABLE (?:IF NOT EXISTS )?(?<created>\w+)|DROP TABLE (?<dropped>\w+)|ALTER TABLE (?<from>\w+) RENAME TO (?<to>\w+))/gm;

/** The names of the tables that exist once all migrations below `root` have run, in the order in which they came. */
export function readTables(root: string): string[] {
  const folder = join(root, "migrations");
  const tables = new Set<string>();
  for (const name of readdirSync(folder).sort()) {
    for (const { groups } of readFileSync(join(folder, name), "utf8").matchAll(STATEMENT)) {
      const { created, dropped, from, to } = groups ?? {};
      for (const gone of [dropped, from]) if (gone !== undefined) tables.delete(gone);
      for (const added of [created, to]) if (added !== undefined) tables.add(added);
    }
  }
  return [...tables];
}

/** What each table holds. A test holds the names against the migrations. */
export const TABLE_MEANINGS: Record<string, string> = {
  accounts: "Accounts, each with the number of its database.",
  addresses: "Registered RUA addresses, each with its account and the domains it accepts.",
  people: "People who may use the dashboard.",
  objects: "One row for each raw object that has reached its outcome. An object in R2 without a row is unfinished.",
  reports:
    "What a report says about one domain on one day. A report about several domains or days has a row for each; the rows of one uid change together.",
  report_figures:
    "Figures of large reports. They are written before the report is accepted, and count only once its row exists.",
  domain_days: "Sums by day, always recomputed from `reports` in the transaction that changes them.",
  day_figures:
    "Figures of a day, merged over its reports. Cron makes them from `reports`; any change of the day removes them.",
  day_uses:
    "Use of the daily budgets on a busy day, of an address or of an account: sums over `objects`, changed in the transaction that changes those. A missing row means that the day is counted from its objects.",
  dead_letters:
    "Reports, mails and messages that could not be processed, until a retry succeeds or a person discards them.",
  conflicts: "Reports that arrived again with other content, until a person decides.",
  decisions: "What a person decided about one version of a report. It applies whenever that version arrives again.",
  jobs: "Jobs that reprocess, reconcile or forget, with the page each has reached.",
  slices: "Reports whose points are written in slices, and which slices are written.",
  unfinished_days: "Raw objects without an outcome, by day of arrival, as reconcile last counted them.",
  faults: "The last error of a message that is being retried, for the dead letter that it may become.",
  assertions:
    "Never holds a row. A transaction that finds the ledger changed inserts here, which fails and undoes the transaction.",
  refused_mail:
    "Mail to addresses that are not registered, by day and address; only in database 0. Beyond a number of addresses a day, mail is counted under the address ''. Counts stop at a limit (shared/limits.ts), so that a flood cannot fill the database.",
  domain_checks: "What a domain published at the last check. In the database of its account.",
  record_changes: "DNS records that differed from the check before. In the database of its account.",
  address_names: "Host name and network of an IP address, until they expire.",
  sender_decisions: "What a person decided about a source of a domain.",
  skipped_objects:
    "Objects of a cancelled job that were acknowledged without being read. One row for each object, so that a message delivered twice counts once.",
  registered_domains: "Domains that were added, with their progress towards the first report.",
  mta_sts_policies: "MTA-STS policies served for a domain, and when each was changed or withdrawn.",
  domain_verdicts: "The verdict on each domain, over the 30 days before it was computed.",
  watch_round: "One row: how far the round over all domains has come.",
  incidents:
    "What a rule of shared/watch found. An incident has one row, however often it is found, until long after it is over.",
  notices:
    "What people are told about an incident: a row for each step (opened, reminded, resolved), written in the transaction that takes the step.",
  mutes: "What people muted: a rule, a domain, a sender, or a combination of them.",
  channels:
    "Where notices and digests of an account are sent. Channels of account '' get notices about the pipeline itself; they are in database 0.",
  deliveries: "Notices, digests, test messages and confirmation mails to a channel, with the result of each.",
  account_people: "Roles of people in accounts. Operators may do everything and need no role.",
  account_logos: "The logo of an account: one small picture.",
  audit_log:
    "Changes that a person or program asked for. The entry is written before the change, its outcome afterwards.",
  tokens: "API tokens of programs: hash of the secret, owner, and what the token allows. In database 0.",
  domain_tags: "Tags of a domain. In the database of its account.",
  imports:
    "Imported files, each with its raw object and the person who imported it, so that a repeated import skips them. In the database of the account.",
  forward_targets: "Where accepted reports of an account are forwarded, with the secrets of each target.",
  forwards:
    "Reports to be sent to a target. The transaction that accepts a report adds it; a successful request removes it.",
  forgotten:
    "Addresses of a forgotten account, so that mail still in transit is dropped; only in database 0. Hashes stay for a while; names stay until the job ends.",
};
