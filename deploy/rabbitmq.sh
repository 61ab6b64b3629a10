#!/bin/sh
# Start RabbitMQ with the one user that the secret broker_url names, and without guest.
# The user is made while the broker's data folder is empty; afterwards: rabbitmqctl change_password.
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
RABBITMQ_CONFIG_FILE=${TMPDIR:-/tmp}/pratique.conf
export RABBITMQ_CONFIG_FILE
umask 077
cat >"$RABBITMQ_CONFIG_FILE" <<CONF
default_user = $user
default_pass = $password
default_vhost = /
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
log.console = true
log.console.level = info
log.file = false
vm_memory_high_watermark.relative = 0.6
disk_free_limit.absolute = 500MB
CONF
exec "$@"
