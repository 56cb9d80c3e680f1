-- What conversations are told of by themselves: which chat asked for a thing, and which ends were told already.

CREATE TABLE chat_subject (
    team_id    TEXT NOT NULL,
    subject_id TEXT NOT NULL,                       -- a reading or a run that a message of the chat shows
    chat_id    TEXT NOT NULL,
    since      BIGINT NOT NULL,
    PRIMARY KEY (team_id, subject_id, chat_id),
    FOREIGN KEY (team_id, chat_id) REFERENCES chat (team_id, id)
);

CREATE TABLE chat_notice (                          -- one row an end that was told: its key makes it once
    team_id    TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    mark       TEXT NOT NULL,                       -- which end: a retried run ends again
    chat_id    TEXT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (team_id, subject_id, mark),
    FOREIGN KEY (team_id, chat_id) REFERENCES chat (team_id, id)
);

CREATE INDEX analysis_by_end ON analysis (finished_at);
CREATE INDEX run_by_change ON run (changed_at);
CREATE INDEX message_by_time ON message (at);
