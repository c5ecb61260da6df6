-- How fast a language model is on this machine, so that a fresh process knows what can be asked of it in time.
CREATE TABLE model_speed (model TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
