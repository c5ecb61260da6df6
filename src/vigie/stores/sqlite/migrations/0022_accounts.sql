-- People with an account, their logins, and the tokens of programs: of what opens a door, hashes alone.
CREATE TABLE user (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, subject TEXT UNIQUE, version INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE passkey (id TEXT PRIMARY KEY, user TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE session (
  hash TEXT PRIMARY KEY, id TEXT NOT NULL, user TEXT NOT NULL, created_at INTEGER NOT NULL, seen_at INTEGER NOT NULL,
  agent TEXT NOT NULL, address TEXT NOT NULL, method TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX session_of ON session (user);
CREATE TABLE token (
  id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, prefix TEXT NOT NULL, name TEXT NOT NULL, scope INTEGER NOT NULL, created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL, owner TEXT NOT NULL, expires_at INTEGER, used_at INTEGER) WITHOUT ROWID;
