-- A lease follows the connections of a run's servers: it passes on at once, and no clock ends it.
ALTER TABLE run_lease DROP COLUMN held_until;
