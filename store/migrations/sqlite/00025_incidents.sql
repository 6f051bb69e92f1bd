-- Times in which an endpoint or a domain reported far more hard bounces than it
-- usually does. ended_at 0: still going on.

-- +goose Up
CREATE TABLE incidents (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  dim          TEXT NOT NULL,
  name         TEXT NOT NULL,
  began_at     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  ended_at     INTEGER NOT NULL DEFAULT 0,
  peak         INTEGER NOT NULL,
  usual        INTEGER NOT NULL,
  dismissed_at INTEGER NOT NULL DEFAULT 0,
  dismissed_by TEXT NOT NULL DEFAULT '',
  note         TEXT NOT NULL DEFAULT ''
);
CREATE INDEX incidents_open ON incidents (ended_at, dim, name);
CREATE INDEX incidents_undismissed ON incidents (dismissed_at, last_at);
