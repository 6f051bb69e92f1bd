-- Times are microseconds since 1970 in UTC; 0 is "never" (1 is an echo, which
-- has no time of its own). Keys are compared as bytes, so that no collation can
-- merge two people. Statements can be repeated, because DDL does not roll back.

-- +goose Up
CREATE TABLE IF NOT EXISTS recipients (
  recipient_key   BINARY(16) NOT NULL,
  channel         VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  address         VARCHAR(320) NULL,
  erased_at       BIGINT NOT NULL DEFAULT 0,
  blocked_at      BIGINT NOT NULL DEFAULT 0,
  unblocked_at    BIGINT NOT NULL DEFAULT 0,
  opted_out_at    BIGINT NOT NULL DEFAULT 0,
  complained_at   BIGINT NOT NULL DEFAULT 0,
  opted_in_at     BIGINT NOT NULL DEFAULT 0,
  soft_bounced_at BIGINT NOT NULL DEFAULT 0,
  delivered_at    BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (recipient_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS events (
  id            BIGINT NOT NULL AUTO_INCREMENT,
  fingerprint   BINARY(16) NOT NULL,
  recipient_key BINARY(16) NOT NULL,
  at            BIGINT NOT NULL,
  received_at   BIGINT NOT NULL,
  kind          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  echo          TINYINT NOT NULL,
  channel       VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  endpoint      VARCHAR(128) NULL,
  event_id      VARCHAR(255) NULL,
  message_id    VARCHAR(255) NULL,
  code          VARCHAR(128) NULL,
  rule          VARCHAR(128) NULL,
  detail        TEXT NULL,
  send_out      VARCHAR(128) NULL,
  actor         VARCHAR(191) NULL,
  evidence      TEXT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY events_fingerprint (fingerprint),
  KEY events_recipient (recipient_key, at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS contacts (
  id          BIGINT NOT NULL AUTO_INCREMENT,
  external_id VARBINARY(191) NOT NULL,
  name        VARCHAR(255) NOT NULL,
  language    VARCHAR(35) NOT NULL,
  email_key   BINARY(16) NULL,
  email_on    TINYINT NOT NULL DEFAULT 0,
  phone_key   BINARY(16) NULL,
  phone_on    TINYINT NOT NULL DEFAULT 0,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY contacts_external_id (external_id),
  KEY contacts_email (email_key),
  KEY contacts_phone (phone_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS contact_terms (
  term       VARBINARY(255) NOT NULL,
  contact_id BIGINT NOT NULL,
  PRIMARY KEY (term, contact_id),
  KEY contact_terms_contact (contact_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS quarantine (
  id            BIGINT NOT NULL AUTO_INCREMENT,
  endpoint      VARCHAR(128) NOT NULL,
  provider      VARCHAR(64) NOT NULL,
  reason        VARCHAR(32) NOT NULL,
  method        VARCHAR(16) NOT NULL,
  url           TEXT NOT NULL,
  header        MEDIUMTEXT NOT NULL,
  body          MEDIUMBLOB NOT NULL,
  size          BIGINT NOT NULL,
  received_at   BIGINT NOT NULL,
  recipient_key BINARY(16) NULL,
  detail        TEXT NOT NULL,
  replayed_at   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY quarantine_endpoint (endpoint, size),
  KEY quarantine_received (received_at),
  KEY quarantine_recipient (recipient_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS requests (
  id            BIGINT NOT NULL AUTO_INCREMENT,
  channel       VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  address       VARCHAR(320) NULL,
  recipient_key BINARY(16) NULL,
  token_id      VARCHAR(64) NULL,
  kind          VARCHAR(16) NOT NULL,
  language      VARCHAR(35) NOT NULL,
  received_at   BIGINT NOT NULL,
  resolved_at   BIGINT NOT NULL DEFAULT 0,
  resolved_by   VARCHAR(191) NULL,
  resolution    VARCHAR(255) NULL,
  PRIMARY KEY (id),
  KEY requests_resolved (resolved_at, id),
  KEY requests_recipient (recipient_key, kind)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS users (
  id            BIGINT NOT NULL AUTO_INCREMENT,
  name          VARCHAR(191) NOT NULL,
  role          VARCHAR(16) NOT NULL,
  password_hash VARCHAR(255) NULL,
  subject       VARCHAR(255) NULL,
  created_at    BIGINT NOT NULL,
  disabled_at   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY users_name (name),
  UNIQUE KEY users_subject (subject)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
  token_hash BINARY(32) NOT NULL,
  user_id    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (token_hash),
  KEY sessions_user (user_id),
  KEY sessions_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS api_keys (
  name         VARCHAR(191) NOT NULL,
  scopes       VARCHAR(255) NOT NULL,
  hash         BINARY(32) NOT NULL,
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL DEFAULT 0,
  revoked_at   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (name),
  UNIQUE KEY api_keys_hash (hash)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS meta (
  name  VARCHAR(191) NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every transaction that writes events locks this row in share mode; a reader of
-- the feed that locks it for itself knows that no smaller id is still to come.
INSERT INTO meta (name, value) VALUES ('feed', '') ON DUPLICATE KEY UPDATE name = name;

CREATE TABLE IF NOT EXISTS audit (
  id            BIGINT NOT NULL AUTO_INCREMENT,
  at            BIGINT NOT NULL,
  actor         VARCHAR(191) NOT NULL,
  action        VARCHAR(64) NOT NULL,
  recipient_key BINARY(16) NULL,
  detail        TEXT NOT NULL,
  PRIMARY KEY (id),
  KEY audit_at (at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE OR REPLACE VIEW suppressions AS
SELECT LOWER(HEX(recipient_key)) AS recipient_key, channel, address,
  (blocked_at > 0 AND unblocked_at <= blocked_at) AS blocked,
  (GREATEST(opted_out_at, complained_at) > 0 AND opted_in_at <= GREATEST(opted_out_at, complained_at)) AS opted_out,
  CASE WHEN blocked_at > 1 THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL blocked_at MICROSECOND END AS blocked_at,
  CASE WHEN unblocked_at > 1 THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL unblocked_at MICROSECOND END AS unblocked_at,
  CASE WHEN opted_out_at > 1 THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL opted_out_at MICROSECOND END AS opted_out_at,
  CASE WHEN complained_at > 1 THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL complained_at MICROSECOND END AS complained_at,
  CASE WHEN opted_in_at > 1 THEN CAST('1970-01-01' AS DATETIME(6)) + INTERVAL opted_in_at MICROSECOND END AS opted_in_at
FROM recipients
WHERE (blocked_at > 0 AND unblocked_at <= blocked_at)
   OR (GREATEST(opted_out_at, complained_at) > 0 AND opted_in_at <= GREATEST(opted_out_at, complained_at));
