#!/bin/sh
# The promises of the postgres image that docker-compose.yml builds on: while the data folder is empty, make the cluster
# with the superuser of POSTGRES_USER, run what lies in /docker-entrypoint-initdb.d against a server that listens on its
# socket alone, then run the command. Connections from other containers need a password.
set -eu
PATH=/usr/lib/postgresql/17/bin:$PATH
export PATH PGDATA
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    chmod 700 "$PGDATA"
    # shellcheck disable=SC2086  # several words are meant
    initdb --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 ${POSTGRES_INITDB_ARGS:-} >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl --pgdata="$PGDATA" --wait --silent --options="-c listen_addresses=''" start
    for script in /docker-entrypoint-initdb.d/*.sh; do
        # shellcheck disable=SC1090
        if [ -x "$script" ]; then "$script"; else . "$script"; fi
    done
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait --silent stop
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
