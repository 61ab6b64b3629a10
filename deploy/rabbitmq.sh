#!/bin/sh
# Start RabbitMQ with the administrator that the secret broker_url names, without guest, and with the management by which
# `pratique migrate` makes the users of services. The administrator is made while the broker's data folder is empty;
# afterwards: rabbitmqctl change_password. Management listens alone at the address that the name PRATIQUE_INSIDE has (or
# that it is), which is on the network of services: integrators' containers share another with the broker, and reach port
# 5672 there.
set -eu
url=$(cat "${PRATIQUE_SECRETS:-/run/secrets}/broker_url")
user=${url#amqp://}
user=${user%%:*}
password=${url#amqp://"$user":}
password=${password%%@*}
case $user:$password in
:* | *: | *[!A-Za-z0-9:]*)
    echo "The secret broker_url must be amqp://USER:PASSWORD@rabbitmq:5672//, with a USER and a PASSWORD of letters and digits." >&2
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
export RABBITMQ_CONFIG_FILE RABBITMQ_ENABLED_PLUGINS_FILE
umask 077
echo '[rabbitmq_management].' >"$RABBITMQ_ENABLED_PLUGINS_FILE"
cat >"$RABBITMQ_CONFIG_FILE" <<CONF
default_user = $user
default_pass = $password
default_vhost = /
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
management.tcp.port = ${RABBITMQ_MANAGEMENT_PORT:-15672}
management.tcp.ip = $inside
log.console = true
log.console.level = info
log.file = false
vm_memory_high_watermark.relative = 0.6
disk_free_limit.absolute = 500MB
CONF
exec "$@"
