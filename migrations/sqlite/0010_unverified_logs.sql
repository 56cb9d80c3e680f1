-- Output that is whole and was not compared with what its server declared: a few rows for a moment, or what a crash left.
CREATE INDEX step_attempt_unverified ON step_attempt (team_id)
    WHERE log_state = 'open' AND log_length <= log_stored;
