"""Sets a fresh coordinator up for the test of its API: an owner, a token of each role, a project, a server, a conversation.

usage: world.py URL CA_FILE SETUP_LINK_FILE DIRECTORY; writes DIRECTORY/<role>.token, one a role, for their owner only,
and one that nobody made.
"""

import json
import os
import pathlib
import ssl
import sys
import urllib.request

ROLES = ["viewer", "developer", "admin", "owner"]


def main():
    url, ca_file, link_file, directory = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca_file)
    headers = {"content-type": "application/json", "origin": url}

    def post(path, body):
        request = urllib.request.Request(f"{url}/api/v1{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, context=context) as answer:
            return json.load(answer), answer.headers

    link = pathlib.Path(link_file).read_text().strip()
    owner = {"token": link.split("#token=")[1], "email": "owner@api.localhost", "name": "Owner"}
    _, answered = post("/setup", owner | {"password": "a long password for a test", "team_name": "Team"})
    headers["cookie"] = answered["set-cookie"].split(";")[0]
    project, _ = post("/projects", {"name": "Tested"})
    post(f"/projects/{project['id']}/chats", {"title": "Tested"})
    post("/servers/adopt", {"name": "tested"})
    os.umask(0o077)
    for role in ROLES:
        token, _ = post("/tokens", {"name": role, "role": role})
        (pathlib.Path(directory) / f"{role}.token").write_text(token["token"])
    (pathlib.Path(directory) / "anonymous.token").write_text("hyd_" + "0" * 43)


main()
