#!/bin/bash
# Stands for the entrypoint of the image `postgres`: an empty volume gets a cluster, the scripts of
# /docker-entrypoint-initdb.d run while the server answers on its socket only, then the command is run.
set -Eeuo pipefail
export PGDATA=/var/lib/postgresql/18/docker POSTGRES_USER="${POSTGRES_USER:-postgres}" PGHOST=/tmp
own=(-c unix_socket_directories=/tmp -c dynamic_shared_memory_type=mmap)

if [[ -n ${POSTGRES_PASSWORD_FILE:-} ]]; then
    [[ -z ${POSTGRES_PASSWORD:-} ]] || { echo "both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set" >&2; exit 1; }
    POSTGRES_PASSWORD=$(< "$POSTGRES_PASSWORD_FILE")
fi

if [[ ! -s $PGDATA/PG_VERSION ]]; then
    : "${POSTGRES_PASSWORD:?Database is uninitialized and superuser password is not specified}"
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    # shellcheck disable=SC2086  # options are words
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --locale=C.UTF-8 \
        ${POSTGRES_INITDB_ARGS:-}
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses='' ${own[*]}" start
    for script in /docker-entrypoint-initdb.d/*.sh; do
        echo "running $script"
        if [[ -x $script ]]; then "$script"; else . "$script"; fi
    done
    pg_ctl --wait --mode=fast stop
fi
exec "$@" -c listen_addresses="$(getent hosts this-container | cut -d' ' -f1)" "${own[@]}"
