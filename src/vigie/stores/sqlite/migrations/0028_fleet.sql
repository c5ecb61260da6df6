-- A fleet: agents that may report and how each is, servers and how each is, who does what only one may do, and which agent has which
-- shard since which run. Of an agent's token the hash alone.
CREATE TABLE agent (
  name TEXT PRIMARY KEY, location TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, prefix TEXT NOT NULL, created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL, revoked_at INTEGER) WITHOUT ROWID;
CREATE TABLE agent_status (
  name TEXT PRIMARY KEY, location TEXT NOT NULL, seen_at INTEGER NOT NULL, version TEXT NOT NULL, spool INTEGER NOT NULL,
  protocol INTEGER NOT NULL, monitors INTEGER NOT NULL, spooled INTEGER NOT NULL, spooled_since INTEGER, late_ms INTEGER,
  skew_ms INTEGER NOT NULL, address TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE server (
  name TEXT PRIMARY KEY, version TEXT NOT NULL, started_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, url TEXT NOT NULL,
  lag_ms INTEGER, waiting INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE shard_run (
  location TEXT NOT NULL, shard INTEGER NOT NULL, agent TEXT NOT NULL, run INTEGER NOT NULL, spool INTEGER NOT NULL,
  PRIMARY KEY (location, shard)) WITHOUT ROWID;
