-- Who may do what, and what happened: users, sessions, set-up, teams, members, tokens, limits, events, audit.
-- Times are milliseconds since 1970. Ids are prefixed text. Secrets are stored as hashes only.

CREATE TABLE app_user (
    id            TEXT NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,          -- lower case
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,                 -- argon2id, PHC string
    created_at    BIGINT NOT NULL
);

CREATE TABLE team (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    event_seq  BIGINT NOT NULL DEFAULT 0,        -- the counter rows: order of events is order of commits
    audit_seq  BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE member (
    team_id   TEXT NOT NULL REFERENCES team (id),
    user_id   TEXT NOT NULL REFERENCES app_user (id),
    role      TEXT NOT NULL CHECK (role IN ('viewer', 'developer', 'admin', 'owner')),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX member_by_user ON member (user_id);

CREATE TABLE session (
    id           TEXT NOT NULL PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES app_user (id),
    secret_hash  TEXT NOT NULL UNIQUE,           -- hex SHA-256
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL                 -- absolute
);
CREATE INDEX session_by_user ON session (user_id);

CREATE TABLE api_token (
    team_id      TEXT NOT NULL REFERENCES team (id),
    id           TEXT NOT NULL,
    name         TEXT NOT NULL,
    prefix       TEXT NOT NULL,                  -- the first characters, to recognise it
    secret_hash  TEXT NOT NULL UNIQUE,
    role         TEXT NOT NULL CHECK (role IN ('viewer', 'developer', 'admin', 'owner')),
    created_by   TEXT REFERENCES app_user (id),
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (team_id, id)
);

CREATE TABLE setup_link (
    secret_hash TEXT NOT NULL PRIMARY KEY,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT
);

CREATE TABLE login_attempt (
    subject      TEXT NOT NULL PRIMARY KEY,      -- 'account:<hash of the address>' or 'address:<ip>'
    window_start BIGINT NOT NULL,
    attempts     BIGINT NOT NULL
);

CREATE TABLE idempotency_key (
    team_id      TEXT NOT NULL REFERENCES team (id),
    actor_id     TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status       BIGINT,                         -- NULL while the first request is still running
    body         TEXT,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (team_id, actor_id, key)
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);

CREATE TABLE event (
    team_id    TEXT NOT NULL REFERENCES team (id),
    seq        BIGINT NOT NULL,
    project_id TEXT,                             -- no reference: events outlive what they tell of
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    data       TEXT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (team_id, seq)
);

CREATE TABLE audit (
    team_id    TEXT NOT NULL REFERENCES team (id),
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id   TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    detail     TEXT NOT NULL,
    PRIMARY KEY (team_id, seq)
);
