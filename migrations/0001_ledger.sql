-- The ledger, first version. Never changed: what comes later is a migration of its own.
-- Times are seconds since 1970 UTC (`…_seconds`), days are days since 1970-01-01 UTC. JSON columns say so. docs/storage.md explains the tables.

-- Directory: kept in the first database (shard 0) alone. ------------------------------------------------------------

-- Whose reports are kept, and in which database.
CREATE TABLE accounts (
  account TEXT NOT NULL PRIMARY KEY,
  -- Which database holds the account's ledger.
  shard INTEGER NOT NULL,
  created_seconds INTEGER NOT NULL
) WITHOUT ROWID;

-- RUA addresses that are registered, each with its account and what it accepts.
CREATE TABLE addresses (
  rua TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  -- JSON: what shared/registry.ts calls a registry entry.
  entry TEXT NOT NULL,
  changed_seconds INTEGER NOT NULL,
  -- Rises with every change; the copy in KV is due while copied_version is another one.
  version INTEGER NOT NULL,
  copied_version INTEGER NOT NULL DEFAULT 0,
  -- 1: no longer registered; the row goes when KV has been told.
  removed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX addresses_to_copy ON addresses (rua) WHERE version <> copied_version;
CREATE INDEX addresses_by_account ON addresses (account);

-- Who may see what in the dashboard.
CREATE TABLE people (
  email TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  -- JSON: names of accounts.
  accounts TEXT NOT NULL,
  changed_seconds INTEGER NOT NULL
) WITHOUT ROWID;

-- What came in, and what became of it. --------------------------------------------------------------------------------

-- One row a raw object that has reached its outcome. An object of R2 without a row is unfinished.
CREATE TABLE objects (
  rua TEXT NOT NULL,
  -- Day the mail arrived, as in the raw key.
  day INTEGER NOT NULL,
  -- First 16 bytes of the SHA-256 of the raw key.
  object_hash BLOB NOT NULL,
  account TEXT NOT NULL,
  -- Rises with every change: a transaction that was prepared against another version is refused.
  version INTEGER NOT NULL,
  -- 1 for the first reading, higher for each time it was run again.
  generation INTEGER NOT NULL,
  received_seconds INTEGER NOT NULL,
  settled_seconds INTEGER NOT NULL,
  -- Records accepted from it, for the daily budget.
  records INTEGER NOT NULL,
  -- JSON: what became of each part (shared/ledger/outcomes.ts).
  outcomes TEXT NOT NULL,
  raw_removed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (rua, day, object_hash)
) WITHOUT ROWID;

-- What a report says of one domain on one day. A report about several domains, or over several days, has a row for
-- each; the rows of one uid change together.
CREATE TABLE reports (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  day INTEGER NOT NULL,
  -- 16 bytes.
  uid BLOB NOT NULL,
  -- Which of the report's days about this domain it is, from 0. Reports are counted on the first.
  place INTEGER NOT NULL,
  version INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  -- accepted; retracted: run again, its object no longer gave it; taken_back: an operator removed it.
  state TEXT NOT NULL,
  -- 16 bytes: hash of the content as read.
  content_hash BLOB NOT NULL,
  reporter TEXT NOT NULL,
  report_id TEXT NOT NULL,
  begin_seconds INTEGER NOT NULL,
  end_seconds INTEGER NOT NULL,
  received_seconds INTEGER NOT NULL,
  rua TEXT NOT NULL,
  raw_key TEXT NOT NULL,
  part TEXT NOT NULL,
  -- Points of the whole report in Analytics Engine, and the most any generation had.
  points INTEGER NOT NULL,
  highest_points INTEGER NOT NULL,
  records INTEGER NOT NULL,
  -- Messages of an aggregate report, sessions of a TLS report, incidents of a failure report.
  total INTEGER NOT NULL,
  passed INTEGER NOT NULL,
  dkim_aligned INTEGER NOT NULL,
  spf_aligned INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  -- Published policy as `p=…; sp=…; …`; policy types of a TLS report.
  policy TEXT NOT NULL,
  -- JSON: all else the report says, its records and failure details excepted (shared/ledger/report-rows.ts).
  details TEXT NOT NULL,
  -- JSON object: figure key → count (shared/ledger/figures.ts). NULL once it has been removed for its age.
  figures TEXT,
  -- The figures of a large report are in report_figures, under this; 16 bytes.
  reading BLOB
);
CREATE UNIQUE INDEX reports_by_day ON reports (account, kind, domain, day, uid);
CREATE INDEX reports_not_accepted ON reports (day) WHERE state <> 'accepted';
CREATE INDEX reports_by_reading ON reports (reading) WHERE reading IS NOT NULL;

-- Figures of large reports: written before the report is accepted, they count only with its row.
CREATE TABLE report_figures (
  -- Hash of the object, part, generation, domain and day they were read from, so that two readings never mix.
  reading BLOB NOT NULL,
  chunk INTEGER NOT NULL,
  figures TEXT NOT NULL,
  written_seconds INTEGER NOT NULL,
  PRIMARY KEY (reading, chunk)
) WITHOUT ROWID;

-- Sums by day, always recomputed from `reports` in the transaction that changes them.
CREATE TABLE domain_days (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  day INTEGER NOT NULL,
  reports INTEGER NOT NULL,
  records INTEGER NOT NULL,
  total INTEGER NOT NULL,
  passed INTEGER NOT NULL,
  dkim_aligned INTEGER NOT NULL,
  spf_aligned INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  -- Of the report whose period ends last.
  last_end_seconds INTEGER NOT NULL,
  policy TEXT NOT NULL,
  -- Rows of day_figures that hold the day's figures; 0 while they are only in `reports`.
  figure_chunks INTEGER NOT NULL DEFAULT 0,
  -- 1 once the day is older than details are kept: its reports are gone and its sums are final.
  is_final INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, kind, domain, day)
) WITHOUT ROWID;

-- Figures of a day, merged over its reports. Made by cron from `reports`, removed by any change of the day.
CREATE TABLE day_figures (
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  day INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  figures TEXT NOT NULL,
  PRIMARY KEY (account, kind, domain, day, chunk)
) WITHOUT ROWID;

-- What needs a person. ------------------------------------------------------------------------------------------------

-- What could not become figures, until it does or a person discards it.
CREATE TABLE dead_letters (
  id TEXT NOT NULL PRIMARY KEY,
  -- Day the mail arrived.
  day INTEGER NOT NULL,
  account TEXT NOT NULL,
  rua TEXT NOT NULL,
  domain TEXT NOT NULL,
  code TEXT NOT NULL,
  raw_key TEXT NOT NULL,
  part TEXT NOT NULL,
  generation INTEGER NOT NULL,
  received_seconds INTEGER NOT NULL,
  filed_seconds INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  -- JSON: reason, stage, message, last error, whose mail (shared/ledger/dead-letters.ts).
  letter TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX dead_letters_by_account ON dead_letters (account, domain, day);

-- Reports that came again with other content, until a person decides.
CREATE TABLE conflicts (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  kind TEXT NOT NULL,
  day INTEGER NOT NULL,
  uid BLOB NOT NULL,
  content_hash BLOB NOT NULL,
  filed_seconds INTEGER NOT NULL,
  -- JSON: both versions (shared/ledger/conflicts.ts).
  conflict TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX conflicts_by_account ON conflicts (account, domain);

-- What a person decided about one version of a report: it holds whenever that version comes again.
CREATE TABLE decisions (
  uid BLOB NOT NULL,
  content_hash BLOB NOT NULL,
  -- refused: counts as a duplicate; replaces: takes the place of the accepted one; counts: is a report of its own;
  -- taken_back: was accepted, was removed, stays out.
  decision TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  decided_seconds INTEGER NOT NULL,
  PRIMARY KEY (uid, content_hash)
) WITHOUT ROWID;

-- Work under way. -----------------------------------------------------------------------------------------------------

-- Reprocessing and reconciling, a page at a time.
CREATE TABLE jobs (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  started_seconds INTEGER NOT NULL,
  updated_seconds INTEGER NOT NULL,
  -- JSON: filter, dry run, generation, cursor, counts (shared/ledger/jobs.ts).
  job TEXT NOT NULL
) WITHOUT ROWID;

-- Reports whose points go out in slices: which of them have been written.
CREATE TABLE slices (
  uid BLOB NOT NULL,
  generation INTEGER NOT NULL,
  rua TEXT NOT NULL,
  raw_key TEXT NOT NULL,
  received_seconds INTEGER NOT NULL,
  started_seconds INTEGER NOT NULL,
  -- A character a slice: 0 due, 1 written, d filed as a dead letter.
  state TEXT NOT NULL,
  PRIMARY KEY (uid, generation)
) WITHOUT ROWID;

-- Raw objects without an outcome, by the day the mail arrived, as reconcile last counted them.
CREATE TABLE unfinished_days (
  day INTEGER NOT NULL PRIMARY KEY,
  objects INTEGER NOT NULL,
  seen_seconds INTEGER NOT NULL
);

-- Last error of a message that is being retried, for the dead letter it may end in.
CREATE TABLE faults (
  -- SHA-256 of the message's body, hex.
  message_hash TEXT NOT NULL PRIMARY KEY,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  at_seconds INTEGER NOT NULL
) WITHOUT ROWID;

-- A transaction that finds the ledger changed inserts here, which fails and undoes it. It never holds a row.
CREATE TABLE assertions (
  unchanged INTEGER NOT NULL CHECK (unchanged = 1)
);
