#!/bin/sh
# Starts PostgreSQL with the role and the database that query needs. Each start makes what is missing and
# sets the password, and so repairs a killed first start, a dropped database and a changed password. No
# superuser can log in by TCP.
set -eu
umask 077
secrets=/run/secrets

fail() {
  echo "postgres: $*" >&2
  exit 1
}

for name in postgres.pem postgres.key database.password; do
  [ -s "$secrets/$name" ] && [ -r "$secrets/$name" ] \
    || fail "user $(id -u) can't read $name, or it is empty: run \`passage init\` on the key folder," \
      "then chown -R $(id -u) on it"
done

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Made beside its place and moved there as a whole: a killed start leaves no incomplete store.
  rm -rf "$PGDATA.draft"
  mkdir -p "$PGDATA.draft"
  initdb --pgdata "$PGDATA.draft" --username postgres --encoding UTF8 \
    --locale-provider builtin --locale C.UTF-8 --auth peer >/dev/null \
    || fail "the store can't be made in $PGDATA: see above"
  rmdir "$PGDATA" 2>/dev/null || true
  mv "$PGDATA.draft" "$PGDATA"
fi

set -- -D "$PGDATA" -c hba_file=/etc/postgres/pg_hba.conf -c unix_socket_directories=/run/postgresql \
  -c listen_addresses='*' -c ssl=on -c ssl_min_protocol_version=TLSv1.3 \
  -c ssl_cert_file="$secrets/postgres.pem" -c ssl_key_file="$secrets/postgres.key" "$@"

# Only by the socket, until role and database exist. It waits for a recovery of any length.
postgres "$@" -c listen_addresses= &
server=$!
trap 'kill -INT "$server"; wait "$server"; exit 0' TERM INT
until pg_isready -q -h /run/postgresql; do
  if ! kill -0 "$server" 2>/dev/null; then
    free=$(df -P -k "$PGDATA" | awk 'END { print int($4 / 1024) }')
    [ "$free" -ge 32 ] || fail "its disk is full, $free MiB left; make room, and it starts automatically"
    fail "the server doesn't start: see above"
  fi
  sleep 0.1
done
psql -h /run/postgresql -d postgres -qAtX --set ON_ERROR_STOP=1 <<'SQL' || fail "role and database can't be made: see above"
\set password `cat /run/secrets/database.password`
SELECT 'CREATE ROLE passage' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passage') \gexec
ALTER ROLE passage LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
SELECT 'CREATE DATABASE passage OWNER passage'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'passage') \gexec
SQL
kill -INT "$server"
wait "$server" || true
trap - TERM INT
exec postgres "$@"
