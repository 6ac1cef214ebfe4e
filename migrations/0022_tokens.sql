-- Tokens of programs that ask the API: hashes of their secrets, whose they are, and what they may do. In the first database.
CREATE TABLE tokens (
  -- Random; names the token, and opens nothing.
  id TEXT NOT NULL PRIMARY KEY,
  -- '' = all accounts, as an operator.
  account TEXT NOT NULL,
  -- What is recorded as who did it.
  name TEXT NOT NULL,
  -- SHA-256 of the secret. The secret itself is kept nowhere.
  hash BLOB NOT NULL UNIQUE,
  -- read, operate.
  scope TEXT NOT NULL,
  created_seconds INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  -- 0 = never.
  expires_seconds INTEGER NOT NULL,
  -- 0 = not revoked.
  revoked_seconds INTEGER NOT NULL,
  -- 0 = never used; written at most once an hour.
  last_used_seconds INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tokens_by_account ON tokens (account, created_seconds);
