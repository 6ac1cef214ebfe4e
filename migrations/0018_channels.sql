-- Where notices and digests of an account are sent, and each delivery. In the database of the account; channels of account ''
-- get notices about the pipeline itself, in the first database.

CREATE TABLE channels (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  -- email, webhook, slack, teams.
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Mail address, or https URL.
  target TEXT NOT NULL,
  -- Key that webhooks are signed with; '' for other kinds.
  secret TEXT NOT NULL,
  -- 1: immediate notices are sent.
  sends_notices INTEGER NOT NULL,
  -- none, daily, weekly.
  digest TEXT NOT NULL,
  -- IANA name: digests are due at a local hour.
  time_zone TEXT NOT NULL,
  created_seconds INTEGER NOT NULL,
  created_by TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX channels_by_account ON channels (account, created_seconds);

CREATE TABLE deliveries (
  -- Channel and what is delivered: the same thing is never delivered twice to a channel.
  id TEXT NOT NULL PRIMARY KEY,
  channel TEXT NOT NULL,
  account TEXT NOT NULL,
  -- notice, digest, test.
  kind TEXT NOT NULL,
  -- Id of the notice, day of the digest (YYYY-MM-DD), or the time of the test.
  subject TEXT NOT NULL,
  -- waiting, sent, failed.
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  -- What the last attempt came to, as a sentence.
  result TEXT NOT NULL,
  created_seconds INTEGER NOT NULL,
  -- When the next attempt is due.
  next_seconds INTEGER NOT NULL,
  -- An attempt that began then may still be under way; 0 = none is.
  claimed_seconds INTEGER NOT NULL,
  -- When it was sent or given up; 0 while it is waiting.
  finished_seconds INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (next_seconds) WHERE state = 'waiting';
CREATE INDEX deliveries_by_channel ON deliveries (channel, created_seconds);
CREATE INDEX deliveries_by_account ON deliveries (account, created_seconds);
