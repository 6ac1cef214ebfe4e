-- Who sent a report, as its mail's authentication proves it, and what a day's sums rest on (docs/authentication.md).

-- verified, unchecked, unverified or contradicted; what came before it was looked at is unchecked.
ALTER TABLE reports ADD COLUMN sender_state TEXT NOT NULL DEFAULT 'unchecked';
-- The domain that the mail's authentication vouches for.
ALTER TABLE reports ADD COLUMN sender_domain TEXT NOT NULL DEFAULT '';

-- Of the sums beside them, what reports say that the judgement of a domain does not count: unverified and contradicted
-- ones. Figures that cron has merged (day_figures) are of the other ones alone.
ALTER TABLE domain_days ADD COLUMN uncounted_reports INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain_days ADD COLUMN uncounted_total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domain_days ADD COLUMN uncounted_passed INTEGER NOT NULL DEFAULT 0;
-- And what reports say that nobody could check.
ALTER TABLE domain_days ADD COLUMN unchecked_total INTEGER NOT NULL DEFAULT 0;

-- Whose reports a raw object holds, for the daily budget of a reporter: `verified <domain>` or `other <reporter>`.
ALTER TABLE objects ADD COLUMN reporter TEXT NOT NULL DEFAULT '';
-- Reports found in it.
ALTER TABLE objects ADD COLUMN reports INTEGER NOT NULL DEFAULT 0;
