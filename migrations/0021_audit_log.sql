-- Who changed what. Directory: kept in the first database alone, for a limited time.

-- A change that somebody asked for: written before it is made, its outcome after.
CREATE TABLE audit_log (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at_seconds INTEGER NOT NULL,
  -- Mail address of a person, or name of a token.
  who TEXT NOT NULL,
  -- Name in the table of operations.
  operation TEXT NOT NULL,
  -- The account concerned; '' = none, or several.
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  -- unknown: asked, and no outcome was written; done, refused, failed.
  outcome TEXT NOT NULL,
  -- Why it was refused or failed.
  message TEXT NOT NULL DEFAULT '',
  -- JSON, bounded and without secrets: what was asked, and what it was about before and after.
  input TEXT NOT NULL,
  state_before TEXT NOT NULL,
  state_after TEXT NOT NULL DEFAULT 'null'
);
CREATE INDEX audit_log_by_account ON audit_log (account, id);
CREATE INDEX audit_log_by_time ON audit_log (at_seconds);
