-- How many failed checks opened an incident, and in which pattern they came. Of older incidents the number is not known (0).
ALTER TABLE incident ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident ADD COLUMN pattern TEXT NOT NULL DEFAULT 'steady';
