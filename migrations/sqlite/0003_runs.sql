-- Servers and their agents, runs and what the agents' journals say of them, logs, releases, mandates.

CREATE TABLE server (
    team_id          TEXT NOT NULL REFERENCES team (id),
    id               TEXT NOT NULL,
    name             TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('available', 'provisioning', 'running', 'stopped', 'error')),
    created_at       INTEGER NOT NULL,
    enrolled_at      INTEGER,
    revoked_at       INTEGER,
    last_seen_at     INTEGER,
    public_key       TEXT,                        -- hex SHA-256 of the pinned public key info: this is the identity
    sealing_key      BLOB,                        -- X25519; its private half never leaves the executor
    agent_version    TEXT NOT NULL DEFAULT '',
    facts            TEXT NOT NULL DEFAULT '{}',
    boot_id          TEXT NOT NULL DEFAULT '',
    session_counter  INTEGER NOT NULL DEFAULT 0,
    connection_epoch INTEGER NOT NULL DEFAULT 0,  -- grows with every admitted connection
    signed_sequence  INTEGER NOT NULL DEFAULT 0,  -- grows with every signature for this server
    PRIMARY KEY (team_id, id)
) STRICT;
CREATE UNIQUE INDEX server_by_id ON server (id);
CREATE UNIQUE INDEX server_by_key ON server (public_key);
CREATE UNIQUE INDEX server_by_name ON server (team_id, name) WHERE revoked_at IS NULL;

CREATE TABLE project_server (
    team_id    TEXT NOT NULL,
    project_id TEXT NOT NULL,
    server_id  TEXT NOT NULL,
    linked_at  INTEGER NOT NULL,
    PRIMARY KEY (team_id, project_id, server_id),
    FOREIGN KEY (team_id, server_id) REFERENCES server (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
) STRICT;

CREATE TABLE enrollment_token (
    team_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    server_id   TEXT NOT NULL,
    secret_hash TEXT NOT NULL,                    -- hex SHA-256
    state       TEXT NOT NULL CHECK (state IN ('unused', 'bound', 'consumed', 'expired', 'revoked')),
    bound_key   TEXT,                             -- hex SHA-256 of the public key info that used it
    bound_at    INTEGER,
    reply       BLOB,                             -- what that key was answered, to repeat it after a lost reply
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, server_id) REFERENCES server (team_id, id)
) STRICT;
CREATE UNIQUE INDEX enrollment_token_by_id ON enrollment_token (id);

CREATE TABLE agent_connection (                   -- which coordinator holds an agent's connection
    team_id          TEXT NOT NULL,
    server_id        TEXT NOT NULL,
    replica          TEXT NOT NULL,
    connection_epoch INTEGER NOT NULL,
    since            INTEGER NOT NULL,
    PRIMARY KEY (team_id, server_id),
    FOREIGN KEY (team_id, server_id) REFERENCES server (team_id, id)
) STRICT;

CREATE TABLE mandate (                            -- what releases of a service may do without a new approval
    team_id    TEXT NOT NULL,
    server_id  TEXT NOT NULL,
    service_id TEXT NOT NULL,
    run_id     TEXT NOT NULL,                     -- the run whose approved plan granted it
    document   TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, server_id, service_id),
    FOREIGN KEY (team_id, server_id) REFERENCES server (team_id, id)
) STRICT;

CREATE TABLE run (
    team_id           TEXT NOT NULL,
    id                TEXT NOT NULL,
    project_id        TEXT NOT NULL,
    kind              TEXT NOT NULL CHECK (kind IN ('deploy', 'release', 'operation')),
    title             TEXT NOT NULL,
    state             TEXT NOT NULL
        CHECK (state IN ('started', 'in_progress', 'paused', 'completed', 'failed', 'stopped')),
    wish              TEXT NOT NULL CHECK (wish IN ('go', 'pause', 'stop')),
    note              TEXT,
    failure           TEXT,
    commit_id         TEXT,
    url               TEXT,
    requested_by      TEXT NOT NULL,
    requested_by_name TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    changed_at        INTEGER NOT NULL,           -- when the state last changed
    finished_at       INTEGER,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
) STRICT;
CREATE UNIQUE INDEX run_by_id ON run (id);
CREATE INDEX run_by_project ON run (team_id, project_id, created_at);
CREATE INDEX run_to_drive ON run (state) WHERE state IN ('started', 'in_progress', 'paused');

CREATE TABLE run_lease (                          -- who drives a run; the epoch fences whoever drove it before
    team_id    TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    owner      TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    held_until INTEGER NOT NULL,
    PRIMARY KEY (team_id, run_id),
    FOREIGN KEY (team_id, run_id) REFERENCES run (team_id, id)
) STRICT;

CREATE TABLE run_part (                           -- one server's part of a run
    team_id         TEXT NOT NULL,
    run_id          TEXT NOT NULL,
    server_id       TEXT NOT NULL,
    position        INTEGER NOT NULL,
    digest          TEXT NOT NULL,
    approval_id     TEXT,
    envelope        BLOB NOT NULL,                -- the signed bytes; the plan is inside
    sequence        INTEGER NOT NULL,
    envelope_state  TEXT NOT NULL CHECK (envelope_state IN ('signed', 'accepted', 'refused')),
    envelope_code   TEXT,
    event_seq       INTEGER NOT NULL DEFAULT 0,   -- the journal is stored up to here
    permit_first    INTEGER,                      -- the permit that is out
    permit_last     INTEGER,
    permit_attempt  INTEGER,
    permit_accepted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (team_id, run_id, server_id),
    FOREIGN KEY (team_id, run_id) REFERENCES run (team_id, id),
    FOREIGN KEY (team_id, server_id) REFERENCES server (team_id, id)
) STRICT;
CREATE INDEX run_part_by_server ON run_part (team_id, server_id, sequence);

CREATE TABLE run_step (
    team_id    TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    server_id  TEXT NOT NULL,
    step       INTEGER NOT NULL,
    title      TEXT NOT NULL,
    phase      TEXT NOT NULL,
    service_id TEXT,
    kind       TEXT NOT NULL,
    rules      TEXT NOT NULL,                     -- what of the plan decides about its order
    state      TEXT NOT NULL
        CHECK (state IN ('pending', 'running', 'completed', 'failed', 'skipped', 'unknown')),
    attempt    INTEGER NOT NULL,
    started_on INTEGER,                           -- connection over which its start was reported
    PRIMARY KEY (team_id, run_id, server_id, step),
    FOREIGN KEY (team_id, run_id, server_id) REFERENCES run_part (team_id, run_id, server_id)
) STRICT;

CREATE TABLE step_attempt (
    team_id      TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    server_id    TEXT NOT NULL,
    step         INTEGER NOT NULL,
    attempt      INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    outcome      TEXT CHECK (outcome IN ('succeeded', 'failed', 'interrupted')),
    failure      TEXT,
    result       TEXT,
    already_done INTEGER NOT NULL DEFAULT 0,
    log_stored   INTEGER NOT NULL DEFAULT 0,      -- contiguous bytes stored
    log_length   INTEGER,                         -- declared at exit
    log_sha256   BLOB,                            -- declared at exit
    log_state    TEXT NOT NULL DEFAULT 'open' CHECK (log_state IN ('open', 'verified', 'damaged', 'expired')),
    PRIMARY KEY (team_id, run_id, server_id, step, attempt),
    FOREIGN KEY (team_id, run_id, server_id, step) REFERENCES run_step (team_id, run_id, server_id, step)
) STRICT;

CREATE TABLE run_event (                          -- the agents' journals, as they came
    team_id     TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    server_id   TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,                 -- the server's clock
    received_at INTEGER NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (team_id, run_id, server_id, seq),
    FOREIGN KEY (team_id, run_id, server_id) REFERENCES run_part (team_id, run_id, server_id)
) STRICT;

CREATE TABLE log_chunk (
    team_id     TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    server_id   TEXT NOT NULL,
    step        INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    position    INTEGER NOT NULL,                 -- offset of the first byte in the command's output
    length      INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, run_id, server_id, step, attempt, position),
    FOREIGN KEY (team_id, run_id, server_id, step) REFERENCES run_step (team_id, run_id, server_id, step)
) STRICT;
CREATE INDEX log_chunk_by_age ON log_chunk (received_at);

CREATE TABLE service_release (                    -- kept for rollback, image and configuration
    team_id       TEXT NOT NULL,
    id            TEXT NOT NULL,
    project_id    TEXT NOT NULL,
    service_id    TEXT NOT NULL,
    server_id     TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    step          INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('building', 'starting', 'healthy', 'live', 'retired', 'failed')),
    spec          TEXT NOT NULL,                  -- a ReleaseSpec: names secrets, never contains them
    image_id      TEXT,
    created_at    INTEGER NOT NULL,
    live_since    INTEGER,
    retired_at    INTEGER,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, run_id, server_id) REFERENCES run_part (team_id, run_id, server_id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
) STRICT;
CREATE INDEX release_by_service ON service_release (team_id, service_id, created_at);
