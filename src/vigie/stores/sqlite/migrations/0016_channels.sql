-- Whether channels work, and notices that people dropped.
CREATE TABLE channel (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO outbox_count VALUES ('dropped', 0);
CREATE INDEX delivery_by_key ON delivery (key);
CREATE INDEX outbox_by_channel ON outbox (channel, id);
