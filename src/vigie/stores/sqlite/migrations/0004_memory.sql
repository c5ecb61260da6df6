-- What people said of incidents afterwards: the real cause, a note, whether the report helped.
CREATE TABLE remark (
  id INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, helpful INTEGER, cause TEXT NOT NULL, note TEXT NOT NULL
);
CREATE INDEX remark_by_incident ON remark (incident);
-- How models did on the frozen incidents (`vigie report eval`), by the digest of their weights.
CREATE TABLE evaluation (id INTEGER PRIMARY KEY, model TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX evaluation_by_model ON evaluation (model, at);
