-- What `vigie maintenance start` began; and the spans of maintenance as they came about, whoever planned them: they are left out of
-- availability, also when nobody plans them any more.
CREATE TABLE maintenance (number INTEGER PRIMARY KEY AUTOINCREMENT, start INTEGER NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX maintenance_by_end ON maintenance (until);
CREATE TABLE maintenance_span (key TEXT PRIMARY KEY, start INTEGER NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX maintenance_span_by_end ON maintenance_span (until);
