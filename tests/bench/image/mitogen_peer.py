"""Mitogen as a peer of the step benchmark.

Speaks lines with the benchmark: prints `ready`; then for every line it reads it runs one `sh -c true` on the far side of a
Mitogen connection over ssh and prints the nanoseconds that took. Interleaving and statistics are the benchmark's. An
argument is the port to connect to, 22022 without one.
"""

import subprocess
import sys
import time

import mitogen.core
import mitogen.master
import mitogen.utils


def step():
    return subprocess.call(["/bin/sh", "-c", "true"])


def serve(router):
    remote = router.ssh(
        hostname="127.0.0.1",
        port=int(sys.argv[1]) if len(sys.argv) > 1 else 22022,
        username="hbench",
        identity_file="/opt/peer/ssh/id",
        check_host_keys="ignore",
        python_path="/usr/bin/python3",
    )
    for _ in range(20):
        remote.call(step)
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter_ns()
        status = remote.call(step)
        took = time.perf_counter_ns() - began
        if status != 0:
            sys.exit("the far side failed")
        print(took, flush=True)


if __name__ == "__main__":
    mitogen.utils.run_with_router(serve)
