"""The attempts of somebody in a container's networks, with every file that the container has.

deploy/rogues.py runs this in the image `passage`, with a task in JSON as its only argument. It
prints the result of each attempt; rogues.py judges them.
"""

import asyncio
import contextlib
import errno
import json
import socket
import ssl
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import nats
import psycopg
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from shared.events.catalogue import CASE_EVENTS
from shared.policy import policy
from shared.servers.credentials import connect_options
from shared.subjects import LOG_API

SECRETS = Path("/run/secrets")
FOLDER = Path("/rogue")
SEEDS = sorted(SECRETS.glob("*.nk"))
STREAMS = {"AUDIT": "AUDIT", "KV_KEYS": "KEYS"}
READS = ("STREAM.MSG.GET", "DIRECT.GET", "STREAM.INFO", "CONSUMER.CREATE")
ENDS = ("STREAM.PURGE", "STREAM.DELETE", "STREAM.MSG.DELETE")
FIRST = b'{"seq": 1, "next_by_subj": ">"}'
PERMISSION = "permissions violation"
ROUTE_PORT, POSTGRES_PORT = 6222, 5432
PATIENCE_S, REACHED_WITHIN_S, ANSWERED_WITHIN_S = 60.0, 3.0, 10.0
ENTRANCES = {
    "without TLS": "sslmode=disable user=passage dbname=passage",
    "as postgres": "sslmode=require user=postgres dbname=passage",
    "into another database": "sslmode=require user=passage dbname=postgres",
}
IN_PASSAGE = "sslmode=require user=passage dbname=passage"
GREED = {
    "as superuser": "ALTER ROLE passage SUPERUSER",
    "into postgres's role": "SET ROLE postgres",
    "by a program": "COPY (SELECT) TO PROGRAM 'true'",
}


def forged(event: str) -> str:
    """A subject of CASES for a case that doesn't exist."""
    return f"cases.0F{uuid4().hex[:10].upper()}.1.{event}"


def until(condition: Callable[[], bool]) -> bool:
    """False if it never came true."""
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.2)
    return True


def routes_of(http_port: int) -> list[str]:
    with urlopen(f"http://127.0.0.1:{http_port}/routez", timeout=ANSWERED_WITHIN_S) as answer:
        return sorted(one["remote_name"] for one in json.load(answer)["routes"] or ())


def log_of(name: str) -> str:
    path = FOLDER / f"{name}.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def as_a_server(server: dict[str, Any]) -> dict[str, Any]:
    """What the rogue nats-server got: its routes, and what its own user reads through it."""
    name, wanted = server["name"], server.get("wanted", 0)

    def is_decided() -> bool:
        routes = set(routes_of(server["http"]))
        if wanted:
            return len(routes) >= int(wanted)
        return bool(routes) or log_of(name).count(server["sign"]) >= int(server["times"])

    is_up = await asyncio.to_thread(until, lambda: "Server is ready" in log_of(name))
    decided = is_up and await asyncio.to_thread(until, is_decided)
    client = await nats.connect(f"nats://rogue:rogue@127.0.0.1:{server['port']}")
    read = []
    for stream in STREAMS:
        subject = f"$JS.API.DIRECT.GET.{stream}"
        with contextlib.suppress(NoRespondersError):
            answer = await client.request(subject, FIRST, timeout=ANSWERED_WITHIN_S)
            if (answer.headers or {}).get("Nats-Stream"):
                read.append(stream)
    subject = forged("IdentityVerified")
    await client.publish(subject, b"{}")
    await client.flush()
    await client.close()
    found = sorted(set(routes_of(server["http"])))
    return {"decided": decided, "routes": found, "read": read, "forged": [subject]}


def trusting() -> ssl.SSLContext:
    """TLS that trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def shown_to(host: str, pair: str) -> str:
    """Shows a certificate without being asked, which nats-server itself wouldn't do."""
    context = trusting()
    context.load_cert_chain(SECRETS / f"{pair}.pem", SECRETS / f"{pair}.key")
    try:
        with (
            socket.create_connection((host, ROUTE_PORT), ANSWERED_WITHIN_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as shown,
        ):
            return shown.recv(4).decode("ascii", "replace")  # `INFO` means let in.
    except OSError as error:
        return str(getattr(error, "reason", None) or error)


async def with_seed(seed: Path, nats_url: list[str]) -> dict[str, Any]:
    """Publishes every event of other services, and requests both streams in every way."""
    rights = policy().services.get(seed.stem)
    own = set(rights.records) if rights else set()
    reads = {*rights.reads, *rights.buckets} if rights else set()
    subjects = [forged(one) for one in CASE_EVENTS if one not in own]
    asked = [
        f"{api}.{verb}.{stream}"
        for stream, name in STREAMS.items()
        for api in ("$JS.API", LOG_API)
        for verb in ((*ENDS, *READS) if name not in reads else ENDS)
    ]
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        refused.append(str(error))

    options = connect_options(seed, SECRETS / "ca.pem")
    client = await nats.connect(nats_url, error_cb=on_error, **options)
    for subject in (*subjects, *asked):
        await client.publish(subject, FIRST, reply=f"_INBOX_{seed.stem}.x")
    ends, expected = time.monotonic() + PATIENCE_S, len(subjects) + len(asked)
    while len(refused) < expected and time.monotonic() < ends:
        await client.flush()
        await asyncio.sleep(0.05)
    await client.close()
    violations = sum(PERMISSION in one.lower() for one in refused)
    return {"tried": expected, "violations": violations, "forged": subjects}


async def without_seed(nats_url: list[str]) -> str:
    """nats-server's answer to a client without an nkey."""
    try:
        await Client().connect(
            nats_url[0], allow_reconnect=False, tls=trusting(), tls_handshake_first=True
        )
    except (NatsError, OSError) as error:
        return str(error)
    return "let in"


def into_postgres(password: str) -> dict[str, str]:
    """The answers to each entrance, and to each way to more rights once inside as query."""
    said = {}
    where = f"host=postgres port={POSTGRES_PORT} connect_timeout=5"
    for name, options in ENTRANCES.items():
        try:
            psycopg.connect(f"{where} {options}", password=password).close()
            said[name] = "let in"
        except psycopg.Error as error:
            said[name] = str(error).strip().splitlines()[-1]
    for name, statement in GREED.items():
        try:
            with psycopg.connect(f"{where} {IN_PASSAGE}", password=password) as connection:
                connection.execute(statement)
            said[name] = "done"
        except psycopg.Error as error:
            said[name] = f"{error.sqlstate} {str(error).strip().splitlines()[0]}"
    return said


def reached(host: str, port: int) -> str:
    """`open`, or the error."""
    try:
        socket.create_connection((host, port), REACHED_WITHIN_S).close()
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "open"


def reachable(hosts: dict[str, list[int]]) -> dict[str, str]:
    """`reached` by HOST:PORT."""
    pairs = [(host, port) for host, ports in hosts.items() for port in ports]
    with ThreadPoolExecutor(len(pairs) or 1) as threads:
        found = threads.map(lambda one: reached(*one), pairs)
    return {f"{host}:{port}": what for (host, port), what in zip(pairs, found, strict=True)}


async def as_keeper(seed: Path, nats_url: list[str], subjects: list[str]) -> dict[str, Any]:
    """Which of these subjects are in CASES, and which streams this seed can read."""
    client = await nats.connect(nats_url, **connect_options(seed, SECRETS / "ca.pem"))
    own = forged("IdentityVerified")
    await client.request(own, b"{}", timeout=ANSWERED_WITHIN_S)
    read = []
    for stream in STREAMS:
        answer = await client.request(
            f"$JS.API.STREAM.MSG.GET.{stream}", FIRST, timeout=ANSWERED_WITHIN_S
        )
        if "message" in json.loads(answer.data):
            read.append(stream)
    body = json.dumps({"subjects_filter": "cases.>"}).encode()
    told = await client.request("$JS.API.STREAM.INFO.CASES", body, timeout=ANSWERED_WITHIN_S)
    await client.close()
    there = json.loads(told.data)["state"].get("subjects", {})
    return {"read": read, "own": own in there, "stored": sorted(there.keys() & set(subjects))}


async def main(task: dict[str, Any]) -> dict[str, Any]:
    urls = task.get("nats", [])
    if task.get("keeper"):
        return await as_keeper(SECRETS / "keeper.nk", urls, task["keeper"])
    found: dict[str, Any] = {"reached": {}, "shown": {}, "postgres": {}}
    async with asyncio.TaskGroup() as group:
        servers = {one["name"]: group.create_task(as_a_server(one)) for one in task["servers"]}
        seeds = {one.stem: group.create_task(with_seed(one, urls)) for one in SEEDS if urls}
        bare = group.create_task(without_seed(urls)) if urls else None
        reach = group.create_task(asyncio.to_thread(reachable, task.get("hosts") or {}))
        for pair in task.get("pairs", ()) if urls else ():
            for host in task["dialled"]:
                found["shown"][f"{pair} to {host}"] = await asyncio.to_thread(shown_to, host, pair)
        password = SECRETS / "database.password"
        if task.get("postgres"):
            text = password.read_text().strip() if password.exists() else "guessed"
            found["postgres"] = await asyncio.to_thread(into_postgres, text)
    found["servers"] = {name: one.result() for name, one in servers.items()}
    found["seeds"] = {name: one.result() for name, one in seeds.items()}
    found["bare"] = bare.result() if bare else ""
    found["reached"] = reach.result()
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
