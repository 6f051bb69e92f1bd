-- Lists that administrators upload. They are kept for a day, in parts, so that
-- any replica can read them and a restart loses nothing; what became of them is
-- kept for longer.

-- +goose Up
CREATE TABLE IF NOT EXISTS imports (
  id         BIGINT NOT NULL AUTO_INCREMENT,
  name       VARCHAR(255) NOT NULL,
  options    TEXT NOT NULL,
  size       BIGINT NOT NULL,
  created_by VARCHAR(191) NOT NULL,
  created_at BIGINT NOT NULL,
  stage      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  runner     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  beat_at    BIGINT NOT NULL DEFAULT 0,
  report     TEXT NOT NULL,
  problem    VARCHAR(255) NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  KEY imports_created (created_at)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS import_parts (
  import_id BIGINT NOT NULL,
  kind      VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  part      INT NOT NULL,
  body      MEDIUMBLOB NOT NULL,
  PRIMARY KEY (import_id, kind, part)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
