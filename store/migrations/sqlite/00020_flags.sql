-- What is wrong with an address, as one number that has an index: 1 blocked,
-- 2 opted out, 4 complained, 8 soft-bouncing; and since when. Lists of blocked
-- addresses walk along it, newest first. Most addresses are in order and cost
-- the index nothing.

-- +goose Up
ALTER TABLE recipients ADD COLUMN flags INTEGER GENERATED ALWAYS AS (
    (blocked_at > 0 AND unblocked_at <= blocked_at) +
    2 * (max(opted_out_at, complained_at) > 0 AND opted_in_at <= max(opted_out_at, complained_at)) +
    4 * (complained_at > 0 AND opted_in_at <= complained_at) +
    8 * (soft_bounced_at > 0 AND delivered_at < soft_bounced_at)) VIRTUAL;
ALTER TABLE recipients ADD COLUMN flagged_at INTEGER GENERATED ALWAYS AS (max(blocked_at, opted_out_at, complained_at, soft_bounced_at)) VIRTUAL;
CREATE INDEX IF NOT EXISTS recipients_flags ON recipients (flags, flagged_at) WHERE flags > 0;
