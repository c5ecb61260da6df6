-- Several servers: which configuration each has, what it speaks and knows; and the key that all of them sign links with.
ALTER TABLE server ADD COLUMN config TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE server ADD COLUMN protocol BIGINT NOT NULL DEFAULT 1;
ALTER TABLE server ADD COLUMN schema BIGINT NOT NULL DEFAULT 0;
CREATE TABLE shared_key (number BIGINT PRIMARY KEY, value BYTEA NOT NULL);
