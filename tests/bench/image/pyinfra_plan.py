"""pyinfra as a peer of the plan benchmark: a hundred operations, each the trivial step of the others."""

from pyinfra.operations import server

for number in range(100):
    server.shell(name=f"step {number}", commands=["/bin/sh -c true"])
