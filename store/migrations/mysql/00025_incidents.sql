-- Times in which an endpoint or a domain reported far more hard bounces than it
-- usually does. ended_at 0: still going on.

-- +goose Up
CREATE TABLE IF NOT EXISTS incidents (
  id           BIGINT NOT NULL AUTO_INCREMENT,
  dim          VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name         VARCHAR(255) NOT NULL,
  began_at     BIGINT NOT NULL,
  last_at      BIGINT NOT NULL,
  ended_at     BIGINT NOT NULL DEFAULT 0,
  peak         BIGINT NOT NULL,
  usual        BIGINT NOT NULL,
  dismissed_at BIGINT NOT NULL DEFAULT 0,
  dismissed_by VARCHAR(191) NOT NULL DEFAULT '',
  note         VARCHAR(255) NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  KEY incidents_open (ended_at, dim, name),
  KEY incidents_undismissed (dismissed_at, last_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
