-- A span in which one location could not see; '' where none could, which is what spans were until now.
ALTER TABLE blind ADD COLUMN location TEXT COLLATE "C" NOT NULL DEFAULT '';
