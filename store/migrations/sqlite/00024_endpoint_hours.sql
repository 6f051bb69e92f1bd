-- What each endpoint accepted and rejected, and why it rejected: a bounded list
-- of reasons, never a body.

-- +goose Up
CREATE TABLE endpoint_hours (
  endpoint TEXT NOT NULL,
  hour     INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  PRIMARY KEY (endpoint, hour)
) WITHOUT ROWID;

CREATE TABLE rejections (
  endpoint  TEXT NOT NULL,
  reason_id BLOB NOT NULL,
  reason    TEXT NOT NULL,
  hint      TEXT NOT NULL,
  first_at  INTEGER NOT NULL,
  last_at   INTEGER NOT NULL,
  n         INTEGER NOT NULL,
  PRIMARY KEY (endpoint, reason_id)
) WITHOUT ROWID;
