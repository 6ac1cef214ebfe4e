-- What a cancelled job had enqueued and nobody looked at: in the first database alone, as jobs are.

-- An object of a cancelled job that was acknowledged without being read. One row per object, so that a message that is
-- delivered twice counts once.
CREATE TABLE skipped_objects (
  job_id TEXT NOT NULL,
  -- First 16 bytes of the SHA-256 of the raw key.
  object_hash BLOB NOT NULL,
  PRIMARY KEY (job_id, object_hash)
) WITHOUT ROWID;
