-- A run that only reads (the output of a service) stands in nobody's way: whatever changes the project may go beside it.
ALTER TABLE run ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
