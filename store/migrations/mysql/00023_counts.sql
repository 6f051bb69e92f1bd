-- Small counters for the desk, so that it answers quickly whatever the size of
-- events. One process at a time counts new events from the cursor in meta, in
-- the transaction that moves the cursor on: each event is counted once. Days
-- are those of received_at, slots ten minutes long; both count from 1970.

-- +goose Up
CREATE TABLE IF NOT EXISTS day_counts (
  day      INT NOT NULL,
  endpoint VARCHAR(128) NOT NULL,
  source   VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  n        BIGINT NOT NULL,
  PRIMARY KEY (day, endpoint, source, kind)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS day_reasons (
  day      INT NOT NULL,
  kind     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  endpoint VARCHAR(128) NOT NULL,
  rule     VARCHAR(128) NOT NULL,
  code     VARCHAR(128) NOT NULL,
  n        BIGINT NOT NULL,
  PRIMARY KEY (day, kind, endpoint, rule, code)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS day_domains (
  day    INT NOT NULL,
  kind   VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  domain VARCHAR(255) NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (day, kind, domain)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Hard bounces by endpoint and by recipients' domain, with the range of their
-- ids in events, where an incident is looked for.
CREATE TABLE IF NOT EXISTS hard_slots (
  dim      VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name     VARCHAR(255) NOT NULL,
  slot     INT NOT NULL,
  n        BIGINT NOT NULL,
  first_id BIGINT NOT NULL,
  last_id  BIGINT NOT NULL,
  PRIMARY KEY (dim, name, slot),
  KEY hard_slots_slot (slot)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO meta (name, value) VALUES ('rollup', '0') ON DUPLICATE KEY UPDATE name = name;
