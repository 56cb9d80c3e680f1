-- Projects and the way to an approved plan: readings, services, variables, secrets, plans, approvals, conversations.
-- Documents that people approve are kept as the exact text that was shown. Encrypted values are bound to their row.

CREATE TABLE project (
    team_id    TEXT NOT NULL REFERENCES team (id),
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    slug       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (team_id, id)
);

CREATE TABLE domain (
    team_id    TEXT NOT NULL,
    id         TEXT NOT NULL,
    project_id TEXT NOT NULL,
    host       TEXT NOT NULL UNIQUE,
    is_default BOOLEAN NOT NULL,                       -- the host that Hydron gave the project
    state      TEXT NOT NULL CHECK (state IN ('pending_dns', 'verified', 'issuing', 'active', 'failed')),
    reason     TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
);
CREATE INDEX domain_by_project ON domain (team_id, project_id);

CREATE TABLE analysis (
    team_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    project_id  TEXT NOT NULL,
    source      TEXT NOT NULL,                      -- url, ref, subdir
    reference   TEXT,                               -- full ref name, once known
    commit_id   TEXT,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'cloning', 'reading', 'detecting', 'done', 'failed')),
    steps       TEXT NOT NULL,
    error       TEXT,
    result      TEXT,
    attempts    BIGINT NOT NULL DEFAULT 0,
    held_until  BIGINT NOT NULL DEFAULT 0,         -- a worker holds it until then; after that it may be begun again
    created_at  BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
);
CREATE INDEX analysis_by_project ON analysis (team_id, project_id, created_at);
CREATE INDEX analysis_to_do ON analysis (held_until) WHERE state IN ('queued', 'cloning', 'reading', 'detecting');

CREATE TABLE service (
    team_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    project_id  TEXT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected')),
    locked      BOOLEAN NOT NULL,
    revision    BIGINT NOT NULL,                   -- grows with every change: optimistic checks
    analysis_id TEXT,
    spec        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, project_id, name),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id),
    FOREIGN KEY (team_id, analysis_id) REFERENCES analysis (team_id, id)
);

CREATE TABLE secret (                               -- versions stay: a release keeps the ones it was made with
    team_id    TEXT NOT NULL,
    project_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    value      TEXT NOT NULL,                       -- encrypted
    generated  BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, project_id, name, version),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
);

CREATE TABLE env_var (
    team_id        TEXT NOT NULL,
    service_id     TEXT NOT NULL,
    project_id     TEXT NOT NULL,
    name           TEXT NOT NULL,
    value          TEXT,                            -- encrypted; NULL when it is a secret
    secret_name    TEXT,
    secret_version BIGINT,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (team_id, service_id, name),
    CHECK ((value IS NULL) <> (secret_name IS NULL)),
    FOREIGN KEY (team_id, service_id) REFERENCES service (team_id, id),
    FOREIGN KEY (team_id, project_id, secret_name, secret_version) REFERENCES secret (team_id, project_id, name, version)
);

CREATE TABLE infrastructure_plan (
    team_id       TEXT NOT NULL,
    id            TEXT NOT NULL,
    project_id    TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('draft', 'ready', 'approved', 'executing', 'completed', 'stale')),
    stale_reasons TEXT NOT NULL,
    document      TEXT NOT NULL,                    -- exactly what is shown and approved
    inputs        TEXT NOT NULL,                    -- digests of everything it was made from
    servers       TEXT NOT NULL,                    -- which servers may be used, if the person said so
    placement     TEXT NOT NULL,                    -- where the person wants services
    run_id        TEXT,
    created_at    BIGINT NOT NULL,
    approved_at   BIGINT,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
);
CREATE INDEX infrastructure_plan_by_project ON infrastructure_plan (team_id, project_id, created_at);

CREATE TABLE provisioning_plan (
    team_id                TEXT NOT NULL,
    id                     TEXT NOT NULL,
    project_id             TEXT NOT NULL,
    infrastructure_plan_id TEXT NOT NULL,
    server_id              TEXT NOT NULL,
    state                  TEXT NOT NULL CHECK (state IN ('draft', 'ready', 'approved', 'stale')),
    document               TEXT NOT NULL,           -- exactly what is shown, approved and signed
    created_at             BIGINT NOT NULL,
    updated_at             BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id),
    FOREIGN KEY (team_id, infrastructure_plan_id) REFERENCES infrastructure_plan (team_id, id)
);
CREATE INDEX provisioning_plan_by_parent ON provisioning_plan (team_id, infrastructure_plan_id);

CREATE TABLE approval (
    team_id      TEXT NOT NULL,
    id           TEXT NOT NULL,
    project_id   TEXT NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('infrastructure_plan', 'provisioning_plan')),
    subject_id   TEXT NOT NULL,
    digest       TEXT NOT NULL,                     -- of the document as it was when the question was asked
    risk         TEXT NOT NULL CHECK (risk IN ('r0', 'r1', 'r2', 'r3', 'r4')),
    state        TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'declined', 'expired')),
    requested_at BIGINT NOT NULL,
    decided_at   BIGINT,
    decided_by   TEXT,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
);
CREATE INDEX approval_by_subject ON approval (team_id, subject_id);
CREATE INDEX approval_pending ON approval (team_id, requested_at) WHERE state = 'pending';

CREATE TABLE planned_release (                      -- what a release announced by a plan is made from
    team_id       TEXT NOT NULL,
    id            TEXT NOT NULL,
    project_id    TEXT NOT NULL,
    service_id    TEXT NOT NULL,
    server_id     TEXT NOT NULL,
    commit_id     TEXT,
    tree_hash     TEXT NOT NULL,
    config_digest TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
);

CREATE TABLE chat (
    team_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    project_id  TEXT NOT NULL,
    title       TEXT NOT NULL,
    message_seq BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id)
);
CREATE INDEX chat_by_project ON chat (team_id, project_id, created_at);

CREATE TABLE message (
    team_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    body        TEXT NOT NULL,
    cards       TEXT NOT NULL,
    suggestions TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, chat_id, seq),
    FOREIGN KEY (team_id, chat_id) REFERENCES chat (team_id, id)
);
