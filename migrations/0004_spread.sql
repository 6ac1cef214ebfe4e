-- Days show how much of what they count comes from reports over several days, spread over them (shared/report-day.ts). Objects say how
-- many parts were found in them, so that what became of the parts can be held against it.

-- Messages, or sessions, of such reports. Days counted before this migration say 0 until they are counted again.
ALTER TABLE domain_days ADD COLUMN spread INTEGER NOT NULL DEFAULT 0;

-- Reports, what could not be read, and what was passed over. NULL: committed before this migration.
ALTER TABLE objects ADD COLUMN found INTEGER;
-- JSON object: kind of what was passed over → count; NULL for nothing.
ALTER TABLE objects ADD COLUMN passed_over TEXT;
