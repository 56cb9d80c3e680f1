"""The guestbook's entries in PostgreSQL, found by DATABASE_URL."""

import os
import time

import psycopg
from psycopg.rows import dict_row

DATABASE_URL = os.environ["DATABASE_URL"]
START_PATIENCE_SECONDS = 60

SCHEMA = """
    CREATE TABLE IF NOT EXISTS entries (
        id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name       TEXT NOT NULL,
        message    TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now()
    )
"""


def prepare():
    """Makes the table; waits for a database that is still starting."""
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while True:
        try:
            with connect() as db:
                # Several workers start at once: one of them makes the table.
                db.execute("SELECT pg_advisory_xact_lock(730417)")
                db.execute(SCHEMA)
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise
            print(f"waiting for the database: {error}", flush=True)
            time.sleep(1)


def newest(limit):
    with connect() as db:
        rows = db.execute("SELECT * FROM entries ORDER BY id DESC LIMIT %s", (limit,))
        return [as_json(row) for row in rows]


def add(name, message):
    with connect() as db:
        row = db.execute(
            "INSERT INTO entries (name, message) VALUES (%s, %s) RETURNING *", (name, message)
        ).fetchone()
        return as_json(row)


def count():
    with connect() as db:
        return db.execute("SELECT count(*) AS n FROM entries").fetchone()["n"]


def connect():
    return psycopg.connect(DATABASE_URL, connect_timeout=3, row_factory=dict_row)


def as_json(row):
    return {**row, "created_at": row["created_at"].isoformat()}
