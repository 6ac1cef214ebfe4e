-- Use of the daily budgets of busy days, so that a batch reads one row and not a row for each object of the day. Nothing is filled
-- in here: a day without a row is counted from `objects`, and its row is made by the next batch that finds it busy.

-- Sums over `objects` of one day, of an address or of an account; changed in every transaction that changes those objects. A
-- row may be missing at any time, and is never wrong.
CREATE TABLE day_uses (
  -- '' = of an address.
  account TEXT NOT NULL,
  -- '' = of an account.
  rua TEXT NOT NULL,
  -- Day the mail arrived.
  day INTEGER NOT NULL,
  -- Records of objects whose mail is authenticated for their reporter, and of others.
  verified_records INTEGER NOT NULL,
  unverified_records INTEGER NOT NULL,
  -- Of an address, JSON object: reporter, as in `objects` → reports; beyond a number of reporters "1" and "-1" have those of all others.
  reporters TEXT NOT NULL,
  PRIMARY KEY (account, rua, day)
) WITHOUT ROWID;
