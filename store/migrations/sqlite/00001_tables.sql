-- Times are microseconds since 1970 in UTC; 0 is "never" (1 is an echo, which
-- has no time of its own). SQLite ignores declared lengths, so the checks stand
-- in for MySQL's strict mode.

-- +goose Up
CREATE TABLE recipients (
  recipient_key   BLOB NOT NULL PRIMARY KEY CHECK (length(recipient_key) = 16),
  channel         TEXT NOT NULL CHECK (channel IN ('email', 'sms')),
  address         TEXT NULL CHECK (length(address) <= 320),
  erased_at       INTEGER NOT NULL DEFAULT 0,
  blocked_at      INTEGER NOT NULL DEFAULT 0,
  unblocked_at    INTEGER NOT NULL DEFAULT 0,
  opted_out_at    INTEGER NOT NULL DEFAULT 0,
  complained_at   INTEGER NOT NULL DEFAULT 0,
  opted_in_at     INTEGER NOT NULL DEFAULT 0,
  soft_bounced_at INTEGER NOT NULL DEFAULT 0,
  delivered_at    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- AUTOINCREMENT: an id is never used twice, so that the feed's cursor holds.
CREATE TABLE events (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint   BLOB NOT NULL CHECK (length(fingerprint) = 16),
  recipient_key BLOB NOT NULL CHECK (length(recipient_key) = 16),
  at            INTEGER NOT NULL,
  received_at   INTEGER NOT NULL,
  kind          TEXT NOT NULL CHECK (length(kind) <= 16),
  echo          INTEGER NOT NULL,
  channel       TEXT NOT NULL CHECK (length(channel) <= 8),
  source        TEXT NOT NULL CHECK (length(source) <= 16),
  endpoint      TEXT NULL CHECK (length(endpoint) <= 128),
  event_id      TEXT NULL CHECK (length(event_id) <= 255),
  message_id    TEXT NULL CHECK (length(message_id) <= 255),
  code          TEXT NULL CHECK (length(code) <= 128),
  rule          TEXT NULL CHECK (length(rule) <= 128),
  detail        TEXT NULL CHECK (length(detail) <= 65535),
  send_out      TEXT NULL CHECK (length(send_out) <= 128),
  actor         TEXT NULL CHECK (length(actor) <= 191),
  evidence      TEXT NULL CHECK (length(evidence) <= 65535)
);
CREATE UNIQUE INDEX events_fingerprint ON events (fingerprint);
CREATE INDEX events_recipient ON events (recipient_key, at);

CREATE TABLE contacts (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  external_id BLOB NOT NULL CHECK (length(external_id) <= 191),
  name        TEXT NOT NULL,
  language    TEXT NOT NULL,
  email_key   BLOB NULL,
  email_on    INTEGER NOT NULL DEFAULT 0,
  phone_key   BLOB NULL,
  phone_on    INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
);
CREATE UNIQUE INDEX contacts_external_id ON contacts (external_id);
CREATE INDEX contacts_email ON contacts (email_key);
CREATE INDEX contacts_phone ON contacts (phone_key);

CREATE TABLE contact_terms (
  term       BLOB NOT NULL,
  contact_id INTEGER NOT NULL,
  PRIMARY KEY (term, contact_id)
) WITHOUT ROWID;
CREATE INDEX contact_terms_contact ON contact_terms (contact_id);

CREATE TABLE quarantine (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  endpoint      TEXT NOT NULL,
  provider      TEXT NOT NULL,
  reason        TEXT NOT NULL,
  method        TEXT NOT NULL,
  url           TEXT NOT NULL,
  header        TEXT NOT NULL,
  body          BLOB NOT NULL,
  size          INTEGER NOT NULL,
  received_at   INTEGER NOT NULL,
  recipient_key BLOB NULL,
  detail        TEXT NOT NULL,
  replayed_at   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX quarantine_endpoint ON quarantine (endpoint, size);
CREATE INDEX quarantine_received ON quarantine (received_at);
CREATE INDEX quarantine_recipient ON quarantine (recipient_key);

CREATE TABLE requests (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  channel       TEXT NOT NULL,
  address       TEXT NULL,
  recipient_key BLOB NULL,
  token_id      TEXT NULL,
  kind          TEXT NOT NULL,
  language      TEXT NOT NULL,
  received_at   INTEGER NOT NULL,
  resolved_at   INTEGER NOT NULL DEFAULT 0,
  resolved_by   TEXT NULL,
  resolution    TEXT NULL
);
CREATE INDEX requests_resolved ON requests (resolved_at, id);
CREATE INDEX requests_recipient ON requests (recipient_key, kind);

CREATE TABLE users (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  name          TEXT NOT NULL UNIQUE,
  role          TEXT NOT NULL,
  password_hash TEXT NULL,
  subject       TEXT NULL UNIQUE,
  created_at    INTEGER NOT NULL,
  disabled_at   INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE sessions (
  token_hash BLOB NOT NULL PRIMARY KEY,
  user_id    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE api_keys (
  name         TEXT NOT NULL PRIMARY KEY,
  scopes       TEXT NOT NULL,
  hash         BLOB NOT NULL UNIQUE,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL DEFAULT 0,
  revoked_at   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  at            INTEGER NOT NULL,
  actor         TEXT NOT NULL,
  action        TEXT NOT NULL,
  recipient_key BLOB NULL,
  detail        TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);

CREATE VIEW suppressions AS
SELECT lower(hex(recipient_key)) AS recipient_key, channel, address,
  (blocked_at > 0 AND unblocked_at <= blocked_at) AS blocked,
  (max(opted_out_at, complained_at) > 0 AND opted_in_at <= max(opted_out_at, complained_at)) AS opted_out,
  CASE WHEN blocked_at > 1 THEN strftime('%Y-%m-%d %H:%M:%S', blocked_at / 1000000, 'unixepoch') || printf('.%06d', blocked_at % 1000000) END AS blocked_at,
  CASE WHEN unblocked_at > 1 THEN strftime('%Y-%m-%d %H:%M:%S', unblocked_at / 1000000, 'unixepoch') || printf('.%06d', unblocked_at % 1000000) END AS unblocked_at,
  CASE WHEN opted_out_at > 1 THEN strftime('%Y-%m-%d %H:%M:%S', opted_out_at / 1000000, 'unixepoch') || printf('.%06d', opted_out_at % 1000000) END AS opted_out_at,
  CASE WHEN complained_at > 1 THEN strftime('%Y-%m-%d %H:%M:%S', complained_at / 1000000, 'unixepoch') || printf('.%06d', complained_at % 1000000) END AS complained_at,
  CASE WHEN opted_in_at > 1 THEN strftime('%Y-%m-%d %H:%M:%S', opted_in_at / 1000000, 'unixepoch') || printf('.%06d', opted_in_at % 1000000) END AS opted_in_at
FROM recipients
WHERE (blocked_at > 0 AND unblocked_at <= blocked_at)
   OR (max(opted_out_at, complained_at) > 0 AND opted_in_at <= max(opted_out_at, complained_at));
