-- Lists that administrators upload. They are kept for a day, in parts, so that a
-- restart loses nothing; what became of them is kept for longer.

-- +goose Up
CREATE TABLE imports (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  options    TEXT NOT NULL,
  size       INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  stage      TEXT NOT NULL,
  runner     TEXT NOT NULL DEFAULT '',
  beat_at    INTEGER NOT NULL DEFAULT 0,
  report     TEXT NOT NULL,
  problem    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX imports_created ON imports (created_at);

CREATE TABLE import_parts (
  import_id INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  part      INTEGER NOT NULL,
  body      BLOB NOT NULL,
  PRIMARY KEY (import_id, kind, part)
) WITHOUT ROWID;
