-- Short links hold what a token says, for text messages and mailto addresses.
-- Counts of links by the key that signed them tell what revoking one breaks.

-- +goose Up
CREATE TABLE short_links (
  code          BLOB NOT NULL PRIMARY KEY,
  recipient_key BLOB NOT NULL,
  channel       TEXT NOT NULL,
  send_out      TEXT NOT NULL,
  language      TEXT NOT NULL,
  preview       INTEGER NOT NULL,
  created_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX short_links_recipient ON short_links (recipient_key, send_out);

CREATE TABLE link_counts (
  key_id   TEXT NOT NULL PRIMARY KEY,
  issued   INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at  INTEGER NOT NULL
) WITHOUT ROWID;
