-- A fleet: agents that may report and how each is, servers and how each is, who does what only one may do, and which agent has which
-- shard since which run. Of an agent's token the hash alone.
CREATE TABLE agent (
  name TEXT COLLATE "C" PRIMARY KEY, location TEXT COLLATE "C" NOT NULL, hash TEXT COLLATE "C" NOT NULL UNIQUE,
  prefix TEXT COLLATE "C" NOT NULL, created_at BIGINT NOT NULL, created_by TEXT COLLATE "C" NOT NULL, revoked_at BIGINT
);
CREATE TABLE agent_status (
  name TEXT COLLATE "C" PRIMARY KEY, location TEXT COLLATE "C" NOT NULL, seen_at BIGINT NOT NULL, version TEXT COLLATE "C" NOT NULL,
  spool BIGINT NOT NULL, protocol BIGINT NOT NULL, monitors BIGINT NOT NULL, spooled BIGINT NOT NULL, spooled_since BIGINT,
  late_ms BIGINT, skew_ms BIGINT NOT NULL, address TEXT COLLATE "C" NOT NULL
);
CREATE TABLE server (
  name TEXT COLLATE "C" PRIMARY KEY, version TEXT COLLATE "C" NOT NULL, started_at BIGINT NOT NULL, seen_at BIGINT NOT NULL,
  url TEXT COLLATE "C" NOT NULL, lag_ms BIGINT, waiting BIGINT NOT NULL
);
CREATE TABLE lease (
  name TEXT COLLATE "C" PRIMARY KEY, holder TEXT COLLATE "C" NOT NULL, epoch BIGINT NOT NULL, until BIGINT NOT NULL
);
CREATE TABLE shard_run (
  location TEXT COLLATE "C" NOT NULL, shard BIGINT NOT NULL, agent TEXT COLLATE "C" NOT NULL, run BIGINT NOT NULL,
  spool BIGINT NOT NULL, PRIMARY KEY (location, shard)
);
