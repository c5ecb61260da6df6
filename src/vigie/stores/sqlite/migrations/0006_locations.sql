-- Where checks are made from: packed results name a location by its number. And how many notices are in each state, kept by triggers,
-- so that to tell it costs the same however many there are.
CREATE TABLE location (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO location VALUES (0, 'local');

CREATE TABLE outbox_count (state TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO outbox_count VALUES ('waiting', 0), ('delivered', 0), ('undeliverable', 0);
UPDATE outbox_count SET count = (SELECT count(*) FROM outbox WHERE outbox.state = outbox_count.state);
CREATE TRIGGER outbox_added AFTER INSERT ON outbox BEGIN
  UPDATE outbox_count SET count = count + 1 WHERE state = new.state;
END;
CREATE TRIGGER outbox_moved AFTER UPDATE OF state ON outbox WHEN new.state <> old.state BEGIN
  UPDATE outbox_count SET count = count + 1 WHERE state = new.state;
  UPDATE outbox_count SET count = count - 1 WHERE state = old.state;
END;
CREATE TRIGGER outbox_gone AFTER DELETE ON outbox BEGIN
  UPDATE outbox_count SET count = count - 1 WHERE state = old.state;
END;
