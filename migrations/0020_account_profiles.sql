-- What an account is called, and its picture. Directory: kept in the first database alone.

-- '' = its own name is shown.
ALTER TABLE accounts ADD COLUMN display_name TEXT NOT NULL DEFAULT '';

-- The logo of an account: one small picture.
CREATE TABLE account_logos (
  account TEXT NOT NULL PRIMARY KEY,
  -- image/png, image/jpeg: found by its bytes.
  media_type TEXT NOT NULL,
  -- The bytes, base64.
  picture TEXT NOT NULL,
  changed_seconds INTEGER NOT NULL
);
