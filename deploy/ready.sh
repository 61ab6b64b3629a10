#!/bin/bash
# Exit with 0 if the process in this container is ready: what `pratique ready` does, for health checks, which Docker asks
# for as long as the container runs. It starts no Python, and so costs a hundredth of it.
port=${PRATIQUE_HEALTH_PORT:-0}
if [ "$port" = 0 ]; then
    port=${PRATIQUE_HTTP_PORT:-8000}
fi
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET /readyz HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$port" >&3
read -r -t 5 -u 3 _ status _
if [ "$status" = 200 ]; then
    exit 0
fi
echo "/readyz says ${status:-nothing}"
exit 1
