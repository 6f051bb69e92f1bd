-- One statement a file: DDL does not roll back, so a file must be repeatable.

-- +goose Up
ALTER TABLE users ADD COLUMN login_at BIGINT NOT NULL DEFAULT 0;
