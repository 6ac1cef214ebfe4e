-- Days show how much of what they count comes from reports over several days, spread over them (shared/report-day.ts).

-- Messages, or sessions, of such reports. Days counted before this migration say 0 until they are counted again.
ALTER TABLE domain_days ADD COLUMN spread INTEGER NOT NULL DEFAULT 0;
