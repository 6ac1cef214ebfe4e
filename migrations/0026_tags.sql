-- How people put domains and accounts together.

-- Tags of a domain. In the database of its account.
CREATE TABLE domain_tags (
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (account, domain, tag)
) WITHOUT ROWID;
CREATE INDEX domain_tags_by_tag ON domain_tags (tag, account, domain);

-- The group an account is in; '' = none. In the first database alone, as accounts are.
ALTER TABLE accounts ADD COLUMN account_group TEXT NOT NULL DEFAULT '';
