"""The guestbook's HTTP API. Everything about the database is in entries.py."""

import os

import psycopg
from flask import Flask, jsonify, request

import entries

LIMITS = {"name": 60, "message": 1000}

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
entries.prepare()


@app.get("/api/entries")
def list_entries():
    return jsonify(entries=entries.newest(100))


@app.post("/api/entries")
def add_entry():
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return problem("body", "Send a JSON object with a name and a message.")
    for field, limit in LIMITS.items():
        value = body.get(field)
        if not isinstance(value, str) or not value.strip():
            return problem(field, f"Please fill in your {field}.")
        if len(value) > limit or "\0" in value:
            return problem(field, f"Please keep the {field} under {limit} characters of plain text.")
    return jsonify(entries.add(body["name"].strip(), body["message"].strip())), 201


@app.get("/api/health")
def health():
    entries.count()
    return jsonify(status="ok")


@app.errorhandler(psycopg.Error)
def database_down(error):
    app.logger.error("database: %s", error)
    return jsonify(error="The guestbook cannot reach its database right now."), 503


def problem(field, text):
    return jsonify(error=text, field=field), 400


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", "8000")))
