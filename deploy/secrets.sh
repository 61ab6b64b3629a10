#!/bin/sh
# Make the folder of secrets that docker-compose.yml reads: a new password for each store and each user of the broker,
# the network's seal key, and the token for metrics. What exists is kept, so that this may be repeated.
# Usage: sh deploy/secrets.sh [FOLDER]
set -eu
folder=${1:-secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder" # nobody else on this machine gets in …

make() { # NAME CONTENT
    if [ -e "$folder/$1" ]; then
        echo "$folder/$1 is kept"
    else
        printf '%s\n' "$2" >"$folder/$1"
        chmod 444 "$folder/$1" # … but the containers' own users must read what is mounted for them
        echo "$folder/$1 is new"
    fi
}

random() { # BYTES
    od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

password() {
    random 24
}

make postgres_password "$(password)"
make broker_url "amqp://pratique:$(password)@rabbitmq:5672//"
for store in membership meetings evaluation notifications gateway; do
    make "broker_${store}_url" "amqp://$store:$(password)@rabbitmq:5672//"
    make "${store}_url" "postgresql+psycopg2://$store:$(password)@postgres/$store"
done
make smtp_url ""
make seal_key "$(random 32)" # keep a copy where you keep keys, not beside the backups: docs/operate.md
make metrics_token "$(password)"
