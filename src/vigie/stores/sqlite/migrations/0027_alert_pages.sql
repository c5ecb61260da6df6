-- A page of alerts, newest first, costs the same however many there are: an alert is the incident that began it. Those of one monitor are
-- found without reading the others. And post-incident reports as people wrote them, every version of them.
CREATE INDEX incident_beginning ON incident (opened_at) WHERE alert = id;
CREATE INDEX incident_by_monitor ON incident (monitor, alert);
CREATE TABLE review (
  alert TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (alert, version)
) WITHOUT ROWID;
