-- What domains publish about their mail, as it was last found in DNS, and what changed in it. In the database of the domain's account.

-- What a domain publishes, as it was last found. In the database of its account, as changes of records are.
CREATE TABLE domain_checks (
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  -- 0: known, not checked yet.
  checked_seconds INTEGER NOT NULL,
  -- good, attention, broken, unknown.
  state TEXT NOT NULL,
  -- JSON: the checks (shared/guidance/stored-check.ts); {} while there was none.
  result TEXT NOT NULL,
  PRIMARY KEY (account, domain)
) WITHOUT ROWID;
CREATE INDEX domain_checks_due ON domain_checks (checked_seconds);

-- A record that was found to differ from the check before.
CREATE TABLE record_changes (
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  seen_seconds INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  -- JSON: texts of the records; empty where there was none.
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  PRIMARY KEY (account, domain, seen_seconds, name, type)
) WITHOUT ROWID;
