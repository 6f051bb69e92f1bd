-- +goose Up
ALTER TABLE audit ADD COLUMN object TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN network TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_action ON audit (action);
