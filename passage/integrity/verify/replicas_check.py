"""Reads the copy of CASES on each nats-server of a cluster, and reports which differs where.

Any server may answer a direct get, but a consumer with one replica reads the copy of its own
server, and its creation says which (measured, ADR 11). So consumers are created until each server
had one; an unread copy is a finding too.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from passage.exits import VerbEndedError
from passage.install.provisioning import ApiRefusedError, ask
from passage.integrity import log_reading
from passage.integrity.findings import Findings
from passage.integrity.log_reading import Batches, receiving
from passage.integrity.repair.plan import Spans
from shared import subjects
from shared.jetstream.raw_client import RawClient

CHECK = "replicas"
MARK_BYTES = 16
NOTHING = bytes(MARK_BYTES)
DRAWS_A_COPY = 20
"""The server places a consumer anywhere: missing one of three in 60 draws: odds 1 in 10^10."""
REPLY_SEQUENCE_AT = 5
"""`$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>...`"""
LAGGING_LOOKS_MAX = 50
LOOK_AGAIN_AFTER_S = 0.1
"""A copy may be some milliseconds behind; it gets five seconds."""
CONSUMER = {
    "deliver_policy": "all",
    "ack_policy": "none",
    "replay_policy": "instant",
    "num_replicas": 1,
    "mem_storage": True,
    "inactive_threshold": 60_000_000_000,
}


async def check_replicas(client: RawClient, last: int, findings: Findings) -> int:
    """Compares all copies up to a sequence; returns how many were read, 0 if there is only one."""
    peers = await _peers(client)
    if len(peers) < 2:  # noqa: PLR2004 - one copy has none to differ from
        return 0
    copies: dict[str, bytearray] = {}
    for _ in range(DRAWS_A_COPY * len(peers)):
        if copies.keys() >= peers.keys():
            break
        await _draw(client, last, copies)
    for name, state in peers.items():
        if name not in copies:
            findings.add(CHECK, name, f"its copy could not be read; it is {state or 'current'}")
    _compare(copies, last, findings)
    return len(copies)


async def _draw(client: RawClient, last: int, copies: dict[str, bytearray]) -> None:
    """Creates a consumer and reads with it if its server's copy wasn't read yet."""
    body = {"stream_name": subjects.CASES, "config": CONSUMER, "action": "create"}
    try:
        made = await ask(client, f"CONSUMER.CREATE.{subjects.CASES}", body)
    except (ApiRefusedError, VerbEndedError):
        return  # Most likely on a server that is away; another draw goes elsewhere.
    server, name = str((made.get("cluster") or {}).get("leader", "")), str(made["name"])
    try:
        if server and server not in copies:
            copies[server] = await _marks(client, name, last)
    except VerbEndedError:
        return
    finally:
        with suppress(ApiRefusedError, VerbEndedError):  # It expires after a minute without use.
            await ask(client, f"CONSUMER.DELETE.{subjects.CASES}.{name}", None)


async def _peers(client: RawClient) -> dict[str, str]:
    """The servers that hold a copy, each with what is wrong with it; empty if nothing."""
    cluster = (await ask(client, f"STREAM.INFO.{subjects.CASES}", None)).get("cluster") or {}
    found = {str(cluster["leader"]): ""} if cluster.get("leader") else {}
    for peer in cluster.get("replicas") or ():
        state = "" if peer.get("current") else "behind"
        found[str(peer["name"])] = "offline" if peer.get("offline") else state
    return found


async def _marks(client: RawClient, consumer: str, last: int) -> bytearray:
    """A short hash of each sequence's subject and body, zeros for missing ones."""
    marks, read, looks = bytearray(MARK_BYTES * last), 0, 0
    next_messages = f"CONSUMER.MSG.NEXT.{subjects.CASES}.{consumer}"
    async with receiving(client, Batches(client, subjects.CASES)) as pull:
        while read < last and looks < LAGGING_LOOKS_MAX:
            before = read
            await pull.ask(next_messages, {"batch": log_reading.BATCH_MESSAGES, "no_wait": True})
            for subject, reply in await pull.replies():
                if reply.status:
                    continue
                read = int(reply.reply_to.split(b".")[REPLY_SEQUENCE_AT])
                if read <= last:
                    mark = hashlib.sha256(subject + b" " + reply.body).digest()
                    marks[MARK_BYTES * (read - 1) : MARK_BYTES * read] = mark[:MARK_BYTES]
            if read == before:
                looks += 1
                await asyncio.sleep(LOOK_AGAIN_AFTER_S)
    return marks


def _compare(copies: Mapping[str, bytearray], last: int, findings: Findings) -> None:
    if len({bytes(marks) for marks in copies.values()}) < 2:  # noqa: PLR2004
        return
    spans = {name: Spans() for name in copies}
    for sequence in range(1, last + 1):
        end = MARK_BYTES * sequence
        here = {name: bytes(marks[end - MARK_BYTES : end]) for name, marks in copies.items()}
        if len(set(here.values())) == 1:
            continue
        ((most, votes),) = Counter(here.values()).most_common(1)
        for name, mark in here.items():
            if votes == 1 or mark != most:
                spans[name].note(sequence, "missing" if mark == NOTHING else "other bytes")
    for name, found in spans.items():
        for span in found.found:
            findings.add(CHECK, f"{name}, sequences {span.first} to {span.last}", span.what)
