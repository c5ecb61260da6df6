-- What a provider calls a message, so that later ones of its thread can answer or replace it.
ALTER TABLE delivery ADD COLUMN reference TEXT NOT NULL DEFAULT '';
