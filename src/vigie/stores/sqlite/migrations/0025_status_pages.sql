-- What people publish on status pages, who follows them, and what must be sent to those.
CREATE TABLE post (
    page TEXT NOT NULL,
    id TEXT NOT NULL,
    start INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (page, id)
) WITHOUT ROWID;

CREATE TABLE subscriber (
    id TEXT PRIMARY KEY,
    page TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    confirmed_at INTEGER,
    body BLOB NOT NULL,
    UNIQUE (page, address)
) WITHOUT ROWID;

CREATE TABLE letter (
    number INTEGER PRIMARY KEY,
    subscriber TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL
);
CREATE INDEX letter_due ON letter (due_at);
CREATE INDEX letter_subscriber ON letter (subscriber);
