-- Who sent a report, as its mail's authentication proves it, and what a day's sums rest on (docs/authentication.md).

-- 2 verified, 1 unchecked, 0 unverified, -1 contradicted; what came before it was looked at is unchecked.
ALTER TABLE reports ADD COLUMN sender_rank INTEGER NOT NULL DEFAULT 1;
-- The domain that the mail's authentication vouches for.
ALTER TABLE reports ADD COLUMN sender_domain TEXT NOT NULL DEFAULT '';

-- Of the sums beside them, what reports say that the judgement of a domain does not count: unverified and contradicted
-- ones. Figures that cron has merged (day_figures) are of the other ones alone.
ALTER TABLE domain_days ADD COLUMN uncounted_reports INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain_days ADD COLUMN uncounted_total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain_days ADD COLUMN uncounted_passed INTEGER NOT NULL DEFAULT 0;
-- And what reports say that nobody could check.
ALTER TABLE domain_days ADD COLUMN unchecked_total INTEGER NOT NULL DEFAULT 0;

-- Whose reports a raw object holds, for the daily budget of a reporter: a hash of its name, above 0 where its mail is
-- authenticated as the reporter's, below 0 where it is not; 0 where there is none.
ALTER TABLE objects ADD COLUMN reporter INTEGER NOT NULL DEFAULT 0;
-- Reports found in it.
ALTER TABLE objects ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
