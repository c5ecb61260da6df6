-- What was made by a page or the API beside the configuration file: monitors, status pages. `body` is JSON.
CREATE TABLE definition (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL,
    trusted INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id)
);
