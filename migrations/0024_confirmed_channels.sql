-- Whether a channel's mail address has agreed to be written to, and whether the channel answers at present.

-- For docs/storage.md, since 0018 has no words before its tables:
-- `channels`: Where notices and digests of an account are sent. Those of account '' get notices about the pipeline itself, in the first database.
-- `deliveries`: Notices, digests, tests and questions to confirm on their way to a channel, and what came of each.

-- When it was confirmed that notices may be sent there; 0 = not yet. Only mail addresses of nobody of the account have to be.
ALTER TABLE channels ADD COLUMN confirmed_seconds INTEGER NOT NULL DEFAULT 0;
-- Attempts in a row that nothing answered to.
ALTER TABLE channels ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
-- Nothing is sent before, since it did not answer; 0 = it does.
ALTER TABLE channels ADD COLUMN silent_until_seconds INTEGER NOT NULL DEFAULT 0;
-- What is there has been written to since it was added.
UPDATE channels SET confirmed_seconds = created_seconds;
CREATE INDEX deliveries_waiting ON deliveries (channel, next_seconds) WHERE state = 'waiting';
