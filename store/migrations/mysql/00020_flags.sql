-- What is wrong with an address, as one number that has an index: 1 blocked,
-- 2 opted out, 4 complained, 8 soft-bouncing; and since when. Lists of blocked
-- addresses walk along it, newest first. Stored, because indexes on virtual
-- columns have a history of trouble in MariaDB.

-- +goose Up
ALTER TABLE recipients
  ADD COLUMN flags TINYINT AS (
    IF(blocked_at > 0 AND unblocked_at <= blocked_at, 1, 0) +
    IF(GREATEST(opted_out_at, complained_at) > 0 AND opted_in_at <= GREATEST(opted_out_at, complained_at), 2, 0) +
    IF(complained_at > 0 AND opted_in_at <= complained_at, 4, 0) +
    IF(soft_bounced_at > 0 AND delivered_at < soft_bounced_at, 8, 0)) STORED,
  ADD COLUMN flagged_at BIGINT AS (GREATEST(blocked_at, opted_out_at, complained_at, soft_bounced_at)) STORED,
  ADD KEY recipients_flags (flags, flagged_at);
