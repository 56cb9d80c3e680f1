#!/usr/bin/env bash
# First start makes the cluster, the user, the database and runs /docker-entrypoint-initdb.d; every start ends in exec postgres.
set -Eeuo pipefail

from_file() {
    local name="$1" file="${1}_FILE"
    if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
        echo "error: both $name and $file are set" >&2
        exit 1
    fi
    if [ -n "${!file:-}" ]; then export "$name=$(cat "${!file}")"; fi
    unset "$file"
}

as_postgres_user() {
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA" || true
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    exec gosu postgres "${BASH_SOURCE[0]}" "$@"
}

require_password() {
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
        exit 1
    fi
}

make_cluster() {
    # shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS is a list of options by contract
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") ${POSTGRES_INITDB_ARGS:-} >&2
    local method="${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption)}"
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" "$@"; }

make_database() {
    if [ "$POSTGRES_DB" != postgres ]; then
        sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
}

run_init_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        # shellcheck disable=SC1090 # the files are the user's
        case "$file" in
        *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
        *.sql) sql --dbname "$POSTGRES_DB" -f "$file" ;;
        *.sql.gz) gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
        esac
    done
}

first_start() {
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_USER
    from_file POSTGRES_DB
    from_file POSTGRES_INITDB_ARGS
    export POSTGRES_USER="${POSTGRES_USER:-postgres}"
    export POSTGRES_DB="${POSTGRES_DB:-$POSTGRES_USER}"
    require_password
    make_cluster
    export PGPASSWORD="${POSTGRES_PASSWORD:-}"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p 5432" -w start >&2
    make_database
    run_init_files
    pg_ctl -D "$PGDATA" -m fast -w stop >&2
    unset PGPASSWORD
    printf '\nPostgreSQL init process complete; ready for start up.\n\n' >&2
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" = postgres ]; then
    if [ "$(id -u)" = 0 ]; then as_postgres_user "$@"; fi
    if [ ! -s "$PGDATA/PG_VERSION" ]; then first_start; fi
fi
exec "$@"
