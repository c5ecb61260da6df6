-- The facts of the newest good check of each monitor from each location: a failure is compared with them, also after a start.
CREATE TABLE newest (monitor TEXT NOT NULL, location TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (monitor, location)) WITHOUT ROWID;
