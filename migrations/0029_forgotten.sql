-- Accounts that are forgotten: whose decisions are whose, and what must not come back. Rows of jobs that were cancelled are removed
-- once the jobs are old, and old incidents are found by their time.

-- Addresses of a forgotten account, in the first database alone: mail to them that is still under way is dropped. A hash stays
-- for a while; the names that the job needs go when it ends.
CREATE TABLE forgotten (
  -- First 16 bytes of the SHA-256 of the name.
  name_hash BLOB NOT NULL PRIMARY KEY,
  -- address, domain.
  kind TEXT NOT NULL,
  -- '' once the job is done.
  name TEXT NOT NULL,
  job_id TEXT NOT NULL,
  forgotten_seconds INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX forgotten_by_job ON forgotten (job_id, kind, name_hash);

-- Whose report was decided about; '' where its report had gone before this migration.
ALTER TABLE decisions ADD COLUMN account TEXT NOT NULL DEFAULT '';
UPDATE decisions SET account = r.account
  FROM (SELECT DISTINCT uid, account FROM reports WHERE uid IN (SELECT uid FROM decisions)) r WHERE r.uid = decisions.uid;
UPDATE decisions SET account = c.account
  FROM (SELECT uid, account FROM conflicts) c WHERE decisions.account = '' AND c.uid = decisions.uid;
CREATE INDEX decisions_by_account ON decisions (account);

CREATE INDEX incidents_resolved ON incidents (resolved_seconds) WHERE resolved_seconds > 0;
