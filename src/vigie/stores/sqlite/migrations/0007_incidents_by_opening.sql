-- A page of incidents, newest first, costs the same however many there are.
CREATE INDEX incident_by_opening ON incident (opened_at);
