-- What each endpoint accepted and rejected, and why it rejected: a bounded list
-- of reasons, never a body.

-- +goose Up
CREATE TABLE IF NOT EXISTS endpoint_hours (
  endpoint VARCHAR(128) NOT NULL,
  hour     INT NOT NULL,
  accepted BIGINT NOT NULL,
  rejected BIGINT NOT NULL,
  PRIMARY KEY (endpoint, hour)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS rejections (
  endpoint  VARCHAR(128) NOT NULL,
  reason_id BINARY(16) NOT NULL,
  reason    VARCHAR(255) NOT NULL,
  hint      VARCHAR(512) NOT NULL,
  first_at  BIGINT NOT NULL,
  last_at   BIGINT NOT NULL,
  n         BIGINT NOT NULL,
  PRIMARY KEY (endpoint, reason_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
