-- MTA-STS policies that the dashboard serves (RFC 8461). In the first database, since they are asked for by domain alone. A row a
-- change, never changed: the newest of a domain holds, the others say who changed what and when.

-- A policy of a domain that is served at its host mta-sts, or that it is served no longer.
CREATE TABLE mta_sts_policies (
  domain TEXT NOT NULL,
  changed_seconds INTEGER NOT NULL,
  account TEXT NOT NULL,
  -- The address that the domain is registered with: without it nothing is served.
  rua TEXT NOT NULL,
  -- JSON: mode, mx, maxAgeSeconds; NULL: switched off.
  policy TEXT,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (domain, changed_seconds)
) WITHOUT ROWID;
