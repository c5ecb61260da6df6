-- An alert is a thread of notices about one or more incidents; its state lies apart from that of detection. What is known of a notice
-- lies in columns: here for the last time its key is taken apart. `failover_for` '?' is a channel of which nothing is known any more.
CREATE TABLE alert (id TEXT PRIMARY KEY, open INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX alert_open ON alert (id) WHERE open = 1;

ALTER TABLE incident ADD COLUMN subject TEXT NOT NULL DEFAULT 'monitor';
ALTER TABLE incident ADD COLUMN alert TEXT NOT NULL DEFAULT '';
UPDATE incident SET alert = id, subject = CASE monitor WHEN 'vigie' THEN 'vigie' ELSE 'monitor' END;

ALTER TABLE outbox RENAME COLUMN incident TO alert;
ALTER TABLE outbox ADD COLUMN subject TEXT NOT NULL DEFAULT 'monitor';
ALTER TABLE outbox ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN failover_for TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN about TEXT;
UPDATE outbox SET subject = 'vigie' WHERE monitor = 'vigie';
UPDATE outbox SET number = CAST(substr(key, length(alert || ':reminder:') + 1) AS INTEGER) WHERE reason = 'reminder';
UPDATE outbox SET failover_for = '?'
  WHERE key = alert || ':' || reason || CASE WHEN number > 0 THEN ':' || number ELSE '' END || ':instead:' || channel;
UPDATE outbox SET failover_for = ifnull(
  (SELECT min(failed.channel) FROM outbox AS failed WHERE failed.alert = outbox.alert AND failed.reason = outbox.reason
    AND failed.number = outbox.number AND failed.failover_for = '' AND failed.channel <> outbox.channel), '?')
  WHERE failover_for = '?';
UPDATE outbox SET (about, number, failover_for) = (
  SELECT ifnull(max(failed.reason), 'opened'), ifnull(max(failed.number), 0), ifnull(max(failed.channel), '?') FROM outbox AS failed
    WHERE failed.key = substr(outbox.key, 1, length(outbox.key) - length(':buried:' || outbox.channel)))
  WHERE reason = 'buried';
UPDATE outbox SET reason = 'undeliverable' WHERE reason = 'buried';
DROP INDEX outbox_waiting;
DROP INDEX outbox_thread;
DROP INDEX outbox_by_incident;
UPDATE outbox SET state = 'undeliverable' WHERE state = 'buried';
CREATE INDEX outbox_waiting ON outbox (due_at) WHERE state = 'waiting';
CREATE INDEX outbox_thread ON outbox (alert, channel) WHERE state = 'waiting';
CREATE INDEX outbox_by_alert ON outbox (alert, reason);
CREATE INDEX outbox_undeliverable ON outbox (id) WHERE state = 'undeliverable';

ALTER TABLE delivery RENAME COLUMN incident TO alert;
ALTER TABLE delivery RENAME COLUMN reason TO failure;
ALTER TABLE delivery ADD COLUMN reason TEXT NOT NULL DEFAULT 'opened';
ALTER TABLE delivery ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN failover_for TEXT NOT NULL DEFAULT '';
UPDATE delivery SET (reason, number, failover_for) = (SELECT reason, number, failover_for FROM outbox WHERE outbox.key = delivery.key)
  WHERE key IN (SELECT key FROM outbox);
