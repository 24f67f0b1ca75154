#!/bin/sh
# nats-server's health check. After a failed write nats-server refuses every write until it is restarted,
# however much space there is (ADR 33). If it refuses although the disk has space, this ends it, and the
# engine's `restart` starts it; at most once a minute, because the cause may be another.
said=$(printf 'GET /healthz?details=true HTTP/1.0\r\n\r\n' | busybox nc -w 4 127.0.0.1 8222)
case $said in
  "HTTP/1."?" 200 "*) exit 0 ;;
  *"JetStream not enabled"* | *"write error"*) ;; # Not a missing leader, as when two of three are down.
  *)
    said=${said##*'"error":"'}
    echo "it isn't ready: ${said%%'"'*}"
    exit 1
    ;;
esac
free=$(df -P -k /data | awk 'END { print int($4 / 1024) }')
if [ "$free" -lt 32 ]; then
  echo "it stores nothing: its disk is full, $free MiB left; make room, and it starts again automatically"
  exit 1
fi
echo "it stores nothing although its disk has room, $free MiB; it is restarted"
for_s=$(($(cut -d. -f1 /proc/uptime) - $(cut -d' ' -f22 /proc/1/stat) / 100))
[ "$for_s" -lt 60 ] || kill 1
exit 1
