-- What people said of incidents afterwards: the real cause, a note, whether the report helped.
CREATE TABLE remark (
  id INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, helpful INTEGER, cause TEXT NOT NULL, note TEXT NOT NULL
);
CREATE INDEX remark_by_incident ON remark (incident);
