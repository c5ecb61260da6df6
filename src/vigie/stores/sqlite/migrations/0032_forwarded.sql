-- What servers that stand by measured, until the one that evaluates has taken it in; and where each server checks from.
CREATE TABLE forwarded (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
ALTER TABLE server ADD COLUMN location TEXT NOT NULL DEFAULT '';
