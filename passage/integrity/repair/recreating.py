"""Rebuilds CASES from a plan: deletes it, creates it, stores every event, creates the durables.

Stores them in order, many in flight at a time; each must get its planned sequence.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Container, Iterable

from passage.exits import Exit, VerbEndedError
from passage.install.definitions import ConsumerDefinition, StreamDefinition, consumers, streams
from passage.install.provisioning import NOT_FOUND, ApiRefusedError, ask, incarnated, put_consumer
from shared import subjects
from shared.events.base import CONTENT_TYPE
from shared.jetstream.append import EXPECTED_SEQUENCE, EXPECTED_SUBJECT, Entry, headers
from shared.jetstream.calls import Reply
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage
from shared.jetstream.subjects import Subjects

UNDER_WAY_MAX = 500
ACK_TIMEOUT_S = 30.0
GUARD = frozenset({EXPECTED_SEQUENCE, EXPECTED_SUBJECT})


async def floors_of(client: RawClient) -> dict[str, int]:
    """Durable of CASES -> the sequence up to which it had acknowledged everything."""
    found: dict[str, int] = {}
    for wanted in _durables():
        try:
            answer = await ask(client, f"CONSUMER.INFO.{wanted.stream}.{wanted.name}", None)
        except ApiRefusedError:
            continue
        found[wanted.name] = int(answer.get("ack_floor", {}).get("stream_seq", 0))
    return found


async def make_anew(client: RawClient, replicas: int) -> str:
    """Deletes CASES if it exists, creates it empty, and returns its incarnation."""
    try:
        await ask(client, f"STREAM.DELETE.{subjects.CASES}", None)
    except ApiRefusedError as error:
        if error.code != NOT_FOUND:
            raise
    config = incarnated(_definition(replicas))
    await ask(client, f"STREAM.CREATE.{subjects.CASES}", config)
    return str(config["metadata"][subjects.INCARNATION])


async def store(
    client: RawClient,
    events: Iterable[StoredMessage],
    stored: Callable[[int], None],
    misfits: Container[int] = frozenset(),
) -> None:
    """Raises VerbEndedError if an event doesn't get its sequence.

    A misfit gets no headers, and an event in a misfit's place in its case no guard.
    """
    acks: asyncio.Queue[Reply] = asyncio.Queue()
    inbox = client.new_inbox()
    subscription = await client.subscribe_raw(inbox, lambda _, reply: acks.put_nowait(reply))
    under_way: list[int] = []
    squatted: set[str] = set()
    try:
        for event in events:
            place = event.subject.rpartition(".")[0]
            given: dict[str, str] = {}
            if event.sequence in misfits:
                squatted.add(place)
            else:
                given = _headers(event)
            if place in squatted:
                given = {key: given[key] for key in given if key not in GUARD}
            await client.publish(event.subject, event.body, inbox, given)
            under_way.append(event.sequence)
            if len(under_way) == UNDER_WAY_MAX:
                await _confirm(acks, under_way)
                stored(len(under_way))
                under_way.clear()
        await _confirm(acks, under_way)
        stored(len(under_way))
    finally:
        await client.unsubscribe_raw(subscription)


async def make_durables(client: RawClient, floors: dict[str, int], unmoved: int) -> None:
    """Creates the durables, each to go on after what it had acknowledged.

    Redelivered messages are recognised by their service and have no effect.
    """
    for wanted in _durables():
        config = wanted.config
        floor = min(floors.get(wanted.name, 0), unmoved)
        if floor:
            start = {"deliver_policy": "by_start_sequence", "opt_start_seq": floor + 1}
            config = {**config, **start}
        await put_consumer(client, wanted, config, "create")


def _definition(replicas: int) -> StreamDefinition:
    return next(one for one in streams(replicas) if one.name == subjects.CASES)


def _durables() -> list[ConsumerDefinition]:
    return [one for one in consumers() if one.stream == subjects.CASES]


def _headers(event: StoredMessage) -> dict[str, str]:
    case_id, version, _ = subjects.read_case_subject(event.subject)
    guard = Subjects(subjects.CASES_PREFIX).version_filter(case_id, version)
    message_id = str(json.loads(event.body)["id"])
    return headers(Entry(event.subject, event.body, guard, message_id), CONTENT_TYPE)


async def _confirm(acks: asyncio.Queue[Reply], sequences: list[int]) -> None:
    for sequence in sequences:
        try:
            reply = await asyncio.wait_for(acks.get(), ACK_TIMEOUT_S)
        except TimeoutError:
            raise _not_whole(f"no answer for sequence {sequence}") from None
        answer = json.loads(reply.body) if reply.body else {}
        if answer.get("seq") != sequence:
            problem = answer.get("error", {}).get("description", f"got {answer.get('seq')}")
            raise _not_whole(f"sequence {sequence}: {problem}")


def _not_whole(why: str) -> VerbEndedError:
    return VerbEndedError(
        Exit.FAILED, f"the new stream is not whole ({why}); run `passage repair` again"
    )
