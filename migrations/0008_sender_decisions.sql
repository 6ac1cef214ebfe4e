-- What owners say of who sends in their name. A row a decision, never changed: the newest of a source holds, undo adds the one before.

-- A decision about a source of a domain.
CREATE TABLE sender_decisions (
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  -- As pages name it: an organisational domain, or an address.
  source TEXT NOT NULL,
  decided_seconds INTEGER NOT NULL,
  -- mine, notMine, forwarder; undecided: withdrawn.
  decision TEXT NOT NULL,
  note TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  PRIMARY KEY (account, domain, source, decided_seconds)
) WITHOUT ROWID;
