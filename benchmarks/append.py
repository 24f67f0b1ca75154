"""Appends a second through `transact`, beside a bare nats-py loop that publishes the same bytes.

In flight: threads on our side, as in a service; asyncio tasks on the bare side. Both publish to
CASES on one server that syncs every message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from nats.js.client import JetStreamContext

from benchmarks.figures import Bench, Measured, Stopwatch, compared, rounded, take_turns
from benchmarks.site import Site, site_in
from passage.connecting import connected
from services.intake.decisions import IntakeState, evolve
from services.intake.routing import new_case_id
from shared import subjects
from shared.case_log import Fold
from shared.events.base import CONTENT_TYPE, Event
from shared.events.fields import Plain
from shared.events.intake import CallTriaged, NoteAdded
from shared.jetstream.append import Entry, headers
from shared.jetstream.subjects import Subjects
from shared.transact import Cause, Writer, transact

ROUNDS = 5
AT_ONCE = {1: 200, 16: 1_600, 64: 3_200}
"""In flight -> appends of one round."""
MICROSECONDS = 1e6
AIM_AT_64 = ">= 0.5"
PUBLISH_TIMEOUT_S = 30.0

SEALED = NoteAdded(text=Plain("The caller sounded calm and asked what to bring. (Invented.)"))
PLAIN = CallTriaged(call_id="call-1", intent="surrender", situation="serving", urgency="today")


@dataclass(frozen=True)
class Shape:
    """What is appended: which event, and whether each one begins a case of its own.

    A new case takes a look at the log; its first sealed value also takes a new data key, which is
    one more synced message. A growing case is one a thread, opened before the time is taken.
    """

    name: str
    event: Event
    begins_case: bool


SHAPES = (
    Shape("growing case, sealed", SEALED, begins_case=False),
    Shape("growing case, plain", PLAIN, begins_case=False),
    Shape("new case, sealed", SEALED, begins_case=True),
    Shape("new case, plain", PLAIN, begins_case=True),
)


def run(bench: Bench) -> Iterator[Measured]:
    """Gives the ratio for each shape and each number in flight."""
    with (
        site_in(bench.folder_for("append")) as site,
        site.writer(Fold(IntakeState(), evolve), "append") as writer,
    ):
        for shape in SHAPES:
            body = _stored_body(writer, shape.event)
            for at_once, usual in AT_ONCE.items():
                each = bench.count(usual, at_once) // at_once
                yield _level(site, writer, shape, body, at_once, each)


def _level(  # noqa: PLR0913, PLR0917 - one call, named for what it measures
    site: Site, writer: Writer, shape: Shape, body: bytes, at_once: int, each: int
) -> Measured:
    took = {"transact": Stopwatch(), "bare": Stopwatch()}

    def ours() -> float:
        transacted(writer, shape, at_once, each, took["transact"])
        return at_once * each / took["transact"].seconds

    def bare() -> float:
        asyncio.run(published(site, shape.event, body, at_once, each, took["bare"]))
        return at_once * each / took["bare"].seconds

    rounds = take_turns({"transact": ours, "bare": bare}, ROUNDS)
    cpu = {f"{side}_cpu_us": watch.cpu_s * MICROSECONDS for side, watch in took.items()}
    appends = ROUNDS * at_once * each
    return compared(
        f"append/{shape.name}/{at_once} in flight",
        rounds,
        "appends/s",
        aim=AIM_AT_64 if at_once == max(AT_ONCE) else "",
        body_bytes=len(body),
        appends_a_round=at_once * each,
        **rounded({name: us / appends for name, us in cpu.items()}),
    )


def transacted(
    writer: Writer, shape: Shape, at_once: int, each: int, watch: Stopwatch
) -> None:
    """Appends `each` events from each of `at_once` threads."""

    def append(case_id: str) -> None:
        transact(writer, case_id, _cause(), lambda _state: [shape.event])

    def appends(case_id: str) -> None:
        for _ in range(each):
            append(new_case_id() if shape.begins_case else case_id)

    cases = [new_case_id() for _ in range(at_once)]
    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(append, cases))
        with watch:
            list(threads.map(appends, cases))


async def published(  # noqa: PLR0913, PLR0917 - the other side of `transacted`
    site: Site, event: Event, body: bytes, at_once: int, each: int, watch: Stopwatch
) -> None:
    """Publishes the body `each` times from each of `at_once` tasks."""
    async with connected(site.server.url) as client:
        jetstream = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        topic = type(event).__name__
        with watch:
            await asyncio.gather(*(_publish(jetstream, topic, body, each) for _ in range(at_once)))


async def _publish(jetstream: JetStreamContext, topic: str, body: bytes, count: int) -> None:
    case_id, of = new_case_id(), Subjects(subjects.CASES_PREFIX)
    for version in range(1, count + 1):
        subject, guard = of.event(case_id, version, topic), of.version_filter(case_id, version)
        sent: dict[str, Any] = {**headers(Entry(subject, body, guard, uuid4().hex), CONTENT_TYPE)}
        await jetstream.publish(subject, body, headers=sent)


def _stored_body(writer: Writer, event: Event) -> bytes:
    done = transact(writer, new_case_id(), _cause(), lambda _state: [event])
    return bytes(writer.log.recorder.select_events(done.case_id)[0].state)


def _cause() -> Cause:
    return Cause(
        causation_id=uuid4().hex,
        correlation_id=uuid4().hex,
        actor="operator:Olena Example",
        source="/services/intake",
        happened_at=datetime.now(UTC),
    )
