#!/bin/sh
# Start RabbitMQ with the administrator that the secret broker_url names, without guest, and with the management by which
# `pratique migrate` makes the users of services. A user prometheus may read metrics, with the secret metrics_token, and
# nothing else. Both get their passwords at each start, so that a secret that was changed holds from the next one on.
# Management and metrics listen alone at the address that the name PRATIQUE_INSIDE has (or that it is), which is on the
# network of services: integrators' containers share another with the broker, and reach ports 5672 and 5671 there.
set -eu
secrets=${PRATIQUE_SECRETS:-/run/secrets}
url=$(cat "$secrets/broker_url")
user=${url#amqp://}
user=${user%%:*}
password=${url#amqp://"$user":}
password=${password%@*} # up to the last one, so that a password with an @ is refused, not cut
case $user:$password in
:* | *: | *[!A-Za-z0-9:]*)
    echo "The secret broker_url must be amqp://USER:PASSWORD@rabbitmq:5672//, with a USER and a PASSWORD of letters and digits." >&2
    exit 1
    ;;
esac
metrics=$(cat "$secrets/metrics_token")
case $metrics in
"" | *[!A-Za-z0-9]*)
    echo "The secret metrics_token must be of letters and digits; sh deploy/secrets.sh makes one where there is none." >&2
    exit 1
    ;;
esac
name=${PRATIQUE_INSIDE:-rabbitmq.inside}
case $name in
*[!0-9.]*) inside=$(getent hosts "$name" | awk 'NR == 1 { print $1 }') || inside= ;;
*) inside=$name ;; # an address
esac
case $inside in
"" | 0.0.0.0 | ::)
    echo "The name $name has no address here, so that management could be reached from every network. In docker-compose.yml give rabbitmq that alias on the network inside, and on no other." >&2
    exit 1
    ;;
esac
RABBITMQ_CONFIG_FILE=${TMPDIR:-/tmp}/pratique.conf
RABBITMQ_ENABLED_PLUGINS_FILE=${TMPDIR:-/tmp}/pratique.plugins
definitions=${TMPDIR:-/tmp}/pratique.json
export RABBITMQ_CONFIG_FILE RABBITMQ_ENABLED_PLUGINS_FILE
umask 077
echo '[rabbitmq_management, rabbitmq_prometheus].' >"$RABBITMQ_ENABLED_PLUGINS_FILE"
cat >"$definitions" <<JSON
{"vhosts": [{"name": "/"}],
 "users": [{"name": "$user", "password": "$password", "tags": "administrator"},
           {"name": "prometheus", "password": "$metrics", "tags": "monitoring"}],
 "permissions": [{"user": "$user", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}
JSON
cat >"$RABBITMQ_CONFIG_FILE" <<CONF
load_definitions = $definitions
management.tcp.port = ${RABBITMQ_MANAGEMENT_PORT:-15672}
management.tcp.ip = $inside
prometheus.tcp.port = ${RABBITMQ_PROMETHEUS_PORT:-15692}
prometheus.tcp.ip = $inside
log.console = true
log.console.level = info
log.file = false
# Absolute, for a relative mark counts the memory of the whole machine and not the container's mem_limit.
vm_memory_high_watermark.absolute = 300MB
disk_free_limit.absolute = 500MB
CONF
# Quorum queues keep their log in memory until a file of it is full, half a gigabyte by default: more than there is.
# Publishers who wait for memory write nothing that would fill it, and would wait for ever.
if [ "${PRATIQUE_BROKER_SERIES:-4}" = 3 ]; then # which knows no password for metrics
    echo "raft.wal_max_size_bytes = 33554432" >>"$RABBITMQ_CONFIG_FILE"
else
    cat >>"$RABBITMQ_CONFIG_FILE" <<CONF
quorum_queue.wal_max_size_bytes = 33554432
prometheus.authentication.enabled = true
CONF
fi
if [ -s "$secrets/broker_certificate" ]; then # deploy/amqps.yml gives it, for integrators elsewhere
    cat >>"$RABBITMQ_CONFIG_FILE" <<CONF
listeners.ssl.default = ${RABBITMQ_TLS_PORT:-5671}
ssl_options.certfile = $secrets/broker_certificate
ssl_options.keyfile = $secrets/broker_key
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
CONF
fi
exec "$@"
