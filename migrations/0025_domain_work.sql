-- What is to be done about each domain, so that the worklist over ten thousand of them is one question.

-- JSON: what to do, the most mail at risk first (shared/watch/work.ts); filled when the verdict is computed.
ALTER TABLE domain_verdicts ADD COLUMN work TEXT NOT NULL DEFAULT '[]';
-- The worklist reads it alone, without the rest of the rows.
CREATE INDEX domain_verdicts_work ON domain_verdicts (account, domain, work) WHERE work <> '[]';
