-- One-time links for administrators, and what slows guessing down. Tokens are
-- kept as SHA-256, names and networks of failed sign-ins as digests.

-- +goose Up
CREATE TABLE invites (
  token_hash BLOB NOT NULL PRIMARY KEY,
  kind       TEXT NOT NULL,
  user_id    INTEGER NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX invites_user ON invites (user_id);
CREATE INDEX invites_expires ON invites (expires_at);

CREATE TABLE login_limits (
  id       BLOB NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL DEFAULT 0,
  last_at  INTEGER NOT NULL,
  until_at INTEGER NOT NULL DEFAULT 0,
  good_at  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX login_limits_last ON login_limits (last_at);
