-- +goose Up
ALTER TABLE audit
  ADD COLUMN object VARCHAR(255) NOT NULL DEFAULT '',
  ADD COLUMN network VARCHAR(64) NOT NULL DEFAULT '',
  ADD KEY audit_actor (actor),
  ADD KEY audit_action (action);
