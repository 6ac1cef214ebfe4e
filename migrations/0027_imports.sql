-- Files that were imported, each with its raw object: what an import that runs again leaves out, and who imported a report.
-- In the database of the account.
CREATE TABLE imports (
  -- First 16 bytes of the SHA-256 of the file.
  content_hash BLOB NOT NULL,
  rua TEXT NOT NULL,
  raw_key TEXT NOT NULL,
  -- First 16 bytes of the SHA-256 of the raw key, as in `objects`.
  object_hash BLOB NOT NULL,
  imported_seconds INTEGER NOT NULL,
  -- Mail address of the person, or the name of the token.
  imported_by TEXT NOT NULL,
  -- Where it was found: a path, or a mailbox and the mail in it.
  origin TEXT NOT NULL,
  PRIMARY KEY (content_hash, rua)
) WITHOUT ROWID;
