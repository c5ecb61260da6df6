-- The members of an alert are the incidents that name it: they are no longer in its blob, which is written again with each of them.
CREATE INDEX incident_by_alert ON incident (alert);
