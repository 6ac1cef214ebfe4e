-- Domains that were added or that an address names, whether or not a report has come. In the database of the domain's account.

-- A domain that is registered, and how far it is on the way to its first report.
CREATE TABLE registered_domains (
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  -- Where its reports go.
  rua TEXT NOT NULL,
  added_seconds INTEGER NOT NULL,
  -- As in SETUP_STATES (shared/guidance/setup-state.ts); unknown while it was not checked.
  state TEXT NOT NULL,
  -- 0: not checked yet.
  checked_seconds INTEGER NOT NULL,
  -- JSON: sentence and records to publish (shared/ledger/registered-domains.ts); {} while it was not checked.
  setup TEXT NOT NULL,
  PRIMARY KEY (account, domain)
) WITHOUT ROWID;
CREATE INDEX registered_domains_due ON registered_domains (checked_seconds) WHERE state <> 'receiving';
CREATE INDEX registered_domains_by_rua ON registered_domains (rua);
