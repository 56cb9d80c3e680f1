# shellcheck shell=bash
# Sourced by every lab script: where the lab keeps its state, how it speaks, how it becomes root, which docker it calls.
# Rule: nothing here starts, installs or changes anything.

LAB_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
LAB_STATE="${HYDRON_LAB_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/hydron-lab}"
# The label that marks every image, container, volume and network the lab makes; teardown goes by it.
LAB_LABEL="dev.hydron.lab"
LAB_REPOSITORY="$(cd "$LAB_DIR/../.." && pwd)"
export LAB_DIR LAB_STATE LAB_LABEL LAB_REPOSITORY
# Programs that the lab installed for itself come after the machine's own, except Node: there it stands in for one too old.
if [ -x "$LAB_STATE/node/bin/node" ]; then PATH="$LAB_STATE/node/bin:$PATH"; fi
export PATH="$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin"
mkdir -p "$LAB_STATE"

say() { printf '\033[1mlab\033[0m %s\n' "$*" >&2; }
fail() {
    printf 'lab: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
under_systemd() { [ -d /run/systemd/system ]; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo -- "$@"
    else
        fail "'$1' needs root: run as root, or install sudo"
    fi
}

# The distribution's own client, if there is one: a newer client elsewhere on the PATH may insist on buildx.
LAB_DOCKER="$(if [ -x /usr/bin/docker ]; then echo /usr/bin/docker; else command -v docker || echo docker; fi)"
docker() {
    if [ -w /var/run/docker.sock ] || [ "$(id -u)" -eq 0 ]; then
        "$LAB_DOCKER" "$@"
    else
        as_root "$LAB_DOCKER" "$@"
    fi
}

engine_answers() { [ -S /var/run/docker.sock ] && docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Waits until a command succeeds: wait_for SECONDS WHAT COMMAND...
wait_for() {
    local seconds="$1" what="$2" tries
    shift 2
    for ((tries = seconds * 10; tries > 0; tries--)); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    fail "$what did not happen within ${seconds} s"
}

# Says what happens, does it, says how long it took: phase WHAT COMMAND...
phase() {
    local what="$1" began=$SECONDS
    shift
    say "$what …"
    "$@" || fail "$what failed"
    say "$what: $(seconds_since "$began")"
}

seconds_since() { echo "$((SECONDS - $1)) s"; }
