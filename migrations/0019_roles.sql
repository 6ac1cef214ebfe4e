-- What people may do in each account, and when they first came. Directory: kept in the first database alone.

-- Roles in accounts. Operators, who may do everything, need none.
CREATE TABLE account_people (
  account TEXT NOT NULL,
  email TEXT NOT NULL,
  -- administrator, viewer
  role TEXT NOT NULL,
  added_by TEXT NOT NULL,
  added_seconds INTEGER NOT NULL,
  PRIMARY KEY (account, email)
) WITHOUT ROWID;
CREATE INDEX account_people_by_email ON account_people (email, account, role);

-- 0 = has not come yet.
ALTER TABLE people ADD COLUMN first_seen_seconds INTEGER NOT NULL DEFAULT 0;

-- Owners of earlier versions might do all that administrators may. Their rows in `people` stay as they are until they change, so
-- that a Worker of an earlier version still reads them.
INSERT INTO account_people (account, email, role, added_by, added_seconds)
SELECT value, email, 'administrator', '', changed_seconds FROM people, json_each(people.accounts) WHERE people.role = 'owner';
