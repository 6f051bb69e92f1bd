-- One-time links for administrators, and what slows guessing down. Tokens are
-- kept as SHA-256, names and networks of failed sign-ins as digests.

-- +goose Up
CREATE TABLE IF NOT EXISTS invites (
  token_hash BINARY(32) NOT NULL,
  kind       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id    BIGINT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (token_hash),
  KEY invites_user (user_id),
  KEY invites_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS login_limits (
  id       BINARY(16) NOT NULL,
  failures BIGINT NOT NULL DEFAULT 0,
  last_at  BIGINT NOT NULL,
  until_at BIGINT NOT NULL DEFAULT 0,
  good_at  BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY login_limits_last (last_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
