-- Short links hold what a token says, for text messages and mailto addresses.
-- Counts of links by the key that signed them tell what revoking one breaks.

-- +goose Up
CREATE TABLE IF NOT EXISTS short_links (
  code          VARBINARY(26) NOT NULL,
  recipient_key BINARY(16) NOT NULL,
  channel       VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  send_out      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  language      VARCHAR(35) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  preview       TINYINT NOT NULL,
  created_at    BIGINT NOT NULL,
  PRIMARY KEY (code),
  KEY short_links_recipient (recipient_key, send_out)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS link_counts (
  key_id   VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issued   BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  PRIMARY KEY (key_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
