-- History in tiers. `hot` holds the last hour or two; from there results go to one chunk for each monitor, location and hour, and later
-- day, and to roll-ups. `start` counts hours or days (of UTC) since the epoch. Chunks lie in the order of time, so that an hour of all
-- monitors is written side by side; roll-ups by monitor, as they are read. Latencies in tenths of a millisecond.
CREATE TABLE hour_chunk (
  start INTEGER NOT NULL, monitor INTEGER NOT NULL, location INTEGER NOT NULL, count INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (start, monitor, location)
) WITHOUT ROWID;
CREATE TABLE day_chunk (
  id INTEGER PRIMARY KEY, start INTEGER NOT NULL, monitor INTEGER NOT NULL, location INTEGER NOT NULL, thin INTEGER NOT NULL,
  count INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX day_chunk_place ON day_chunk (start, monitor, location);
CREATE INDEX day_chunk_whole ON day_chunk (start) WHERE thin = 0;
CREATE TABLE rollup_hour (
  monitor INTEGER NOT NULL, location INTEGER NOT NULL, start INTEGER NOT NULL, count INTEGER NOT NULL, up INTEGER NOT NULL,
  degraded INTEGER NOT NULL, excluded INTEGER NOT NULL, sum INTEGER NOT NULL, least INTEGER, most INTEGER, p50 INTEGER, p95 INTEGER,
  p99 INTEGER, sketch BLOB NOT NULL, PRIMARY KEY (monitor, location, start)
) WITHOUT ROWID;
CREATE TABLE rollup_day (
  monitor INTEGER NOT NULL, location INTEGER NOT NULL, start INTEGER NOT NULL, count INTEGER NOT NULL, up INTEGER NOT NULL,
  degraded INTEGER NOT NULL, excluded INTEGER NOT NULL, sum INTEGER NOT NULL, least INTEGER, most INTEGER, p50 INTEGER, p95 INTEGER,
  p99 INTEGER, sketch BLOB NOT NULL, PRIMARY KEY (monitor, location, start)
) WITHOUT ROWID;
-- How far results have gone from `hot` to chunks: rows up to `hot_done` have, and of those up to `pass_upto` the monitors up to the number
-- `pass_monitor`. A row that has gone counts no more, even while it is still there.
INSERT INTO meta VALUES ('hot_done', 0), ('pass_upto', 0), ('pass_monitor', 0), ('taken_in', 0);
-- When results were taken in, of the newest rows that went.
CREATE TABLE activity (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);
-- Since when each monitor is watched: whole results, which knew it, are pruned.
CREATE TABLE watched (monitor TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO watched SELECT monitor, min(at) FROM detail GROUP BY monitor;
CREATE INDEX incident_outage ON incident (closed_at, monitor, started_at) WHERE severity = 'outage';
