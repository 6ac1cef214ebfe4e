-- The verdict about every domain as cron last computed it, so that ten thousand domains can be sorted and filtered by it. In the
-- database of the domain's account.

-- A domain's verdict over the 30 days before it was computed.
CREATE TABLE domain_verdicts (
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  -- As in VERDICT_STATES (shared/guidance/verdict.ts); '' until it was computed.
  state TEXT NOT NULL,
  -- Place of the state there, worst first; -1 until it was computed.
  place INTEGER NOT NULL,
  -- When the state was first found.
  since_seconds INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  own_messages INTEGER NOT NULL,
  -- Failing messages that receivers did not let through, of senders that are or may be the owner's: what a policy loses.
  at_risk INTEGER NOT NULL,
  -- Published policy as reports saw it: none, quarantine or reject; '' where none did.
  policy TEXT NOT NULL,
  -- 1: with t=y or pct.
  is_test INTEGER NOT NULL,
  -- Text of the record to publish next; '' to stay with the present one.
  next_record TEXT NOT NULL,
  -- JSON: what the state turns on, and the senders at risk (shared/guidance/stored-verdict.ts).
  reasons TEXT NOT NULL,
  senders TEXT NOT NULL,
  -- 0 until it was computed.
  computed_seconds INTEGER NOT NULL,
  -- What it was computed from: it is computed again when this changes.
  fingerprint TEXT NOT NULL,
  -- Rises with every change: a transaction that was prepared against another version is refused.
  version INTEGER NOT NULL,
  PRIMARY KEY (account, domain)
) WITHOUT ROWID;
CREATE INDEX domain_verdicts_worst ON domain_verdicts (account, place, at_risk DESC, domain);

-- How far the round over the domains is: one row.
CREATE TABLE watch_round (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  started_seconds INTEGER NOT NULL,
  -- 1: every domain was looked at.
  is_done INTEGER NOT NULL,
  -- The last domain that was looked at.
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  -- Runs that began here and got no further.
  attempts INTEGER NOT NULL
);
INSERT INTO watch_round (id, started_seconds, is_done, account, domain, attempts) VALUES (1, 0, 1, '', '', 0);
