-- A dead letter that a person discarded is kept, so that reprocessing does not bring it back and it can be undone; and mail
-- that was refused because its address is not registered.

-- When a person discarded it; 0 while it is open.
ALTER TABLE dead_letters ADD COLUMN discarded_seconds INTEGER NOT NULL DEFAULT 0;
-- Mail address of the person, or the name of the token.
ALTER TABLE dead_letters ADD COLUMN discarded_by TEXT NOT NULL DEFAULT '';

-- In the first database alone. Mail by day and by the address it was sent to; beyond a number of addresses a day it is
-- counted under the address ''. Counts end at a limit (shared/limits.ts), so that a flood fills nothing.
CREATE TABLE refused_mail (
  -- Day the mail came.
  day INTEGER NOT NULL,
  rua TEXT NOT NULL,
  mails INTEGER NOT NULL,
  last_seconds INTEGER NOT NULL,
  -- Envelope sender of the last one that was counted.
  last_sender TEXT NOT NULL,
  PRIMARY KEY (day, rua)
) WITHOUT ROWID;

-- How far a job is: objects that were run again, by the generation they were run in.
CREATE INDEX objects_run_again ON objects (generation) WHERE generation > 1;
