-- What is worth saying about domains: incidents, the notices about them, and what people do not want to hear of. In the database
-- of the domain's account; what is about the pipeline itself, of account '' and domain '', in the first one.

-- Something a rule found (shared/watch). One row from when it was opened until it is long over, however often it is found.
CREATE TABLE incidents (
  -- Hash of account, domain, rule, subject and the day it was opened.
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  -- Code of the rule, and what the incident is about: a sender, a record, a reporter.
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- urgent, attention, info.
  severity TEXT NOT NULL,
  -- open, resolved.
  state TEXT NOT NULL,
  -- 1: it happened once, and ends without a word.
  is_event INTEGER NOT NULL,
  title TEXT NOT NULL,
  -- JSON: sentences.
  evidence TEXT NOT NULL,
  -- JSON: what is behind it, the likeliest first (shared/watch/finding.ts).
  causes TEXT NOT NULL,
  -- Path of a page.
  link TEXT NOT NULL,
  opened_seconds INTEGER NOT NULL,
  -- When it was last found.
  found_seconds INTEGER NOT NULL,
  -- 0 for never.
  reminded_seconds INTEGER NOT NULL,
  resolved_seconds INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX incidents_by_domain ON incidents (account, domain, resolved_seconds);

-- What is told: a row for each step of an incident (opened, reminded, resolved), made in the transaction that takes the step.
CREATE TABLE notices (
  -- Incident and step, with its number where there are several: made again, it is the same row.
  id TEXT NOT NULL PRIMARY KEY,
  incident TEXT NOT NULL,
  account TEXT NOT NULL,
  domain TEXT NOT NULL,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  severity TEXT NOT NULL,
  -- opened, reminded, resolved.
  step TEXT NOT NULL,
  title TEXT NOT NULL,
  evidence TEXT NOT NULL,
  -- Sentence; '' where nothing is known.
  cause TEXT NOT NULL,
  link TEXT NOT NULL,
  created_seconds INTEGER NOT NULL,
  -- immediate: told on its own; digest: told with others.
  urgency TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX notices_by_account ON notices (account, created_seconds, id);
CREATE INDEX notices_by_time ON notices (created_seconds, id);
CREATE INDEX notices_by_domain ON notices (account, domain, created_seconds);

-- What people do not want to hear of: a rule, a domain, a sender, or any of them together.
CREATE TABLE mutes (
  account TEXT NOT NULL,
  -- '' = all.
  domain TEXT NOT NULL,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- 0 = for good.
  until_seconds INTEGER NOT NULL,
  note TEXT NOT NULL,
  muted_seconds INTEGER NOT NULL,
  muted_by TEXT NOT NULL,
  PRIMARY KEY (account, domain, rule, subject)
) WITHOUT ROWID;

-- The state that people were last told of; '' before anything was.
ALTER TABLE domain_verdicts ADD COLUMN told_state TEXT NOT NULL DEFAULT '';
