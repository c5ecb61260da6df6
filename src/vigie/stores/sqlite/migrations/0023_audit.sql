-- What somebody had done, or tried. A row is written before anything is done (outcome 0), and completed after it.
CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL,
  objects TEXT NOT NULL, details TEXT NOT NULL, address TEXT NOT NULL, outcome INTEGER NOT NULL);
CREATE INDEX audit_by_actor ON audit (actor, number);
CREATE INDEX audit_by_action ON audit (action, number);
