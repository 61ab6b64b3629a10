#!/bin/sh
# The image of RabbitMQ with management runs its command as the user that compose names; its entry is of no other use here.
set -eu
exec "$@"
