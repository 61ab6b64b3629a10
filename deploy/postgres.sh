#!/bin/sh
# Create a role and a database for each store, with the password that its URL names; nobody else may open it.
# The PostgreSQL image runs this while its data folder is empty. It may be repeated by hand, after a secret was mended
# or changed: docker compose exec postgres sh /docker-entrypoint-initdb.d/pratique.sh
set -eu
for store in membership meetings evaluation notifications gateway; do
    url=$(cat "${PRATIQUE_SECRETS:-/run/secrets}/${store}_url")
    STORE_PASSWORD=${url#*://"$store":}
    STORE_PASSWORD=${STORE_PASSWORD%@*} # up to the last one, so that a password with an @ is refused, not cut
    case $STORE_PASSWORD in
    "" | *[!A-Za-z0-9]*)
        echo "The secret ${store}_url must be postgresql+psycopg2://$store:PASSWORD@postgres/$store, with a PASSWORD of letters and digits." >&2
        exit 1
        ;;
    esac
    export STORE_PASSWORD
    psql --quiet --no-psqlrc --output=/dev/null --set=ON_ERROR_STOP=1 --set=store="$store" --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\getenv password STORE_PASSWORD
select format('create role %I login', :'store') where to_regrole(:'store') is null \gexec
alter role :"store" nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'password';
select format('create database %I owner %I', :'store', :'store')
    where not exists (select from pg_database where datname = :'store') \gexec
revoke all on database :"store" from public;
SQL
done
unset STORE_PASSWORD
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
    --command="revoke all on database postgres, template1 from public"
