-- What is usual for each monitor (a record, learnt anew if it is lost), and the spans in which Vigie could not see: of all monitors
-- (`monitor` is empty) or of one. A span without `until` lasts; a `quiet` one was asked for.
CREATE TABLE baseline (monitor TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE blind (number INTEGER PRIMARY KEY, monitor TEXT NOT NULL, cause TEXT NOT NULL, start INTEGER NOT NULL, until INTEGER, quiet INTEGER NOT NULL);
CREATE INDEX blind_by_start ON blind (start);
