-- Small counters for the desk, so that it answers quickly whatever the size of
-- events. One process at a time counts new events from the cursor in meta, in
-- the transaction that moves the cursor on: each event is counted once. Days
-- are those of received_at, slots ten minutes long; both count from 1970.

-- +goose Up
CREATE TABLE day_counts (
  day      INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  source   TEXT NOT NULL,
  kind     TEXT NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (day, endpoint, source, kind)
) WITHOUT ROWID;

CREATE TABLE day_reasons (
  day      INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  rule     TEXT NOT NULL,
  code     TEXT NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (day, kind, endpoint, rule, code)
) WITHOUT ROWID;

CREATE TABLE day_domains (
  day    INTEGER NOT NULL,
  kind   TEXT NOT NULL,
  domain TEXT NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (day, kind, domain)
) WITHOUT ROWID;

-- Hard bounces by endpoint and by recipients' domain, with the range of their
-- ids in events, where an incident is looked for.
CREATE TABLE hard_slots (
  dim      TEXT NOT NULL,
  name     TEXT NOT NULL,
  slot     INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  last_id  INTEGER NOT NULL,
  PRIMARY KEY (dim, name, slot)
) WITHOUT ROWID;
CREATE INDEX hard_slots_slot ON hard_slots (slot);

INSERT INTO meta (name, value) VALUES ('rollup', '0') ON CONFLICT (name) DO NOTHING;
