-- What was found by reading a table whole. None of these tables has a row for an ordinary report.

-- Conflicts of a report that begins to count.
CREATE INDEX conflicts_by_uid ON conflicts (uid);
-- Open dead letters are counted and listed without reading their contents, nor the discarded ones; discarded ones go with their day.
CREATE INDEX dead_letters_open ON dead_letters (account, domain, filed_seconds, code) WHERE discarded_seconds = 0;
CREATE INDEX dead_letters_discarded ON dead_letters (day) WHERE discarded_seconds > 0;
-- Figures that no report came to own: the time is behind up to 400,000 characters of the row.
CREATE INDEX report_figures_by_time ON report_figures (written_seconds, reading, chunk);
