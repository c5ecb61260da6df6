-- Jobs that report in: what is remembered of each, and its newest pings (a hundred a job at most). `taken` 0: left by another process.
CREATE TABLE job (monitor TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE ping (id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, at INTEGER NOT NULL, taken INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX ping_by_monitor ON ping (monitor, id);
CREATE INDEX ping_left ON ping (id) WHERE taken = 0;
