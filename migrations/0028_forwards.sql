-- Where accepted reports are forwarded to, and what waits to be. A target of one account is in the database of that account; one
-- of all accounts (account '') is in every database under the same id, each of which forwards its own reports.

CREATE TABLE forward_targets (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  -- http, splunk, s3.
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  -- S3: region and access key id; '' for other kinds.
  region TEXT NOT NULL,
  access_key_id TEXT NOT NULL,
  -- Key of the signature, token, or secret access key.
  secret TEXT NOT NULL,
  -- 1: with the records of each report.
  with_records INTEGER NOT NULL,
  created_seconds INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  -- Reports sent, and when the last one was; 0 = never.
  sent INTEGER NOT NULL DEFAULT 0,
  sent_seconds INTEGER NOT NULL DEFAULT 0,
  -- What the last attempt came to, as a sentence.
  result TEXT NOT NULL DEFAULT '',
  -- Attempts in a row at which the target took nothing; nothing is sent before next_seconds.
  failures INTEGER NOT NULL DEFAULT 0,
  next_seconds INTEGER NOT NULL DEFAULT 0,
  -- Somebody began to send then and may still be at it; 0 = nobody.
  claimed_seconds INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX forward_targets_by_account ON forward_targets (account);

-- Reports on their way to a target, added in the transaction that accepts them and removed once they are sent.
CREATE TABLE forwards (
  target TEXT NOT NULL,
  uid BLOB NOT NULL,
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  domain TEXT NOT NULL,
  day INTEGER NOT NULL,
  -- waiting, failed.
  state TEXT NOT NULL,
  -- Attempts at which the target refused this report.
  attempts INTEGER NOT NULL,
  result TEXT NOT NULL,
  -- The next part of a large report, from 1.
  next_part INTEGER NOT NULL,
  created_seconds INTEGER NOT NULL,
  next_seconds INTEGER NOT NULL,
  PRIMARY KEY (target, uid)
) WITHOUT ROWID;
CREATE INDEX forwards_due ON forwards (target, state, next_seconds);
