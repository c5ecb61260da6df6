-- The first schema. Append in time order: nothing but small tables is indexed by monitor (a clustered history dirties a page per check).
-- `hot` holds packed results; hour chunks (`chunk`) and roll-ups (`rollup_hour`, `rollup_day`) will stand beside it.
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE monitor (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL, active INTEGER NOT NULL);
CREATE TABLE hot (id INTEGER PRIMARY KEY, base INTEGER NOT NULL, count INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE detail (id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, at INTEGER NOT NULL, good INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX detail_by_monitor ON detail (monitor, good, at);
CREATE TABLE monitor_state (monitor TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE incident (
  id TEXT PRIMARY KEY, monitor TEXT NOT NULL, severity TEXT NOT NULL, cause TEXT NOT NULL, started_at INTEGER NOT NULL,
  opened_at INTEGER NOT NULL, closed_at INTEGER, acked_by TEXT, closed_by TEXT, note TEXT
);
CREATE INDEX incident_open ON incident (opened_at) WHERE closed_at IS NULL;
CREATE TABLE incident_event (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX incident_event_by_incident ON incident_event (incident);
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, incident TEXT NOT NULL, monitor TEXT NOT NULL, channel TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
  due_at INTEGER NOT NULL, lease_until INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'waiting' -- waiting, delivered, buried: a delivered key stays, so that it is never sent again
);
CREATE INDEX outbox_waiting ON outbox (due_at) WHERE state = 'waiting';
CREATE INDEX outbox_thread ON outbox (incident, channel) WHERE state = 'waiting';
CREATE INDEX outbox_by_incident ON outbox (incident, reason);
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, incident TEXT NOT NULL, channel TEXT NOT NULL, at INTEGER NOT NULL, attempt INTEGER NOT NULL,
  reason TEXT, answer TEXT NOT NULL, duration_ms INTEGER NOT NULL
);
CREATE INDEX delivery_by_incident ON delivery (incident);
CREATE TABLE cursor (agent TEXT PRIMARY KEY, run INTEGER NOT NULL, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE inbox (id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE report (incident TEXT PRIMARY KEY, made_at INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
