-- Figures of large reports by row id. In a table without one, a lookup reads the whole of every row it compares its key
-- with, and these rows have up to 400,000 characters.

CREATE TABLE report_figures_by_row (
  -- Hash of the object, part, generation, domain and day they were read from, so that two readings never mix.
  reading BLOB NOT NULL,
  chunk INTEGER NOT NULL,
  figures TEXT NOT NULL,
  written_seconds INTEGER NOT NULL
);
INSERT INTO report_figures_by_row (reading, chunk, figures, written_seconds)
  SELECT reading, chunk, figures, written_seconds FROM report_figures ORDER BY written_seconds;
DROP TABLE report_figures;
ALTER TABLE report_figures_by_row RENAME TO report_figures;
CREATE UNIQUE INDEX report_figures_by_reading ON report_figures (reading, chunk);
