#!/bin/sh
# Starts nats-server, or says in one line which of its files it can't read and what to do.
set -eu
for name in accounts.conf server.pem server.key routes.pem routes.key; do
  [ -s "/run/secrets/$name" ] && [ -r "/run/secrets/$name" ] || {
    echo "nats: user $(id -u) can't read $name, or it is empty: run \`passage init\` on the key folder," \
      "then chown -R $(id -u) on it" >&2
    exit 1
  }
done
exec nats-server -c /etc/nats/nats.conf "$@"
