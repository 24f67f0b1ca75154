"""Appends a second through `transact`, beside a bare nats-py loop that publishes the same bytes.

In flight: threads on our side, as in a service; asyncio tasks on the bare side. Both publish to
CASES on one server that syncs every message.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from nats.js.client import JetStreamContext

from benchmarks.figures import Bench, Measured, Stopwatch, rates
from benchmarks.site import Site, site_in
from passage.connecting import connected
from services.intake.routing import new_case_id
from services.intake.state import IntakeState, evolve
from shared import subjects
from shared.events.base import CONTENT_TYPE, Event
from shared.events.fields import Plain
from shared.events.intake import CallTriaged, NoteAdded
from shared.jetstream.append import Entry, headers
from shared.jetstream.subjects import Subjects
from shared.log.case_log import Fold
from shared.log.transact import Cause, Writer, transact

ROUNDS = 5
AT_ONCE = {1: 200, 16: 1_600, 64: 3_200}
"""In flight -> appends of one round."""
AIM_AT_64 = ">= 0.5"
PUBLISH_TIMEOUT_S = 30.0

SEALED = NoteAdded(text=Plain("The caller sounded calm and asked what to bring. (Invented.)"))
PLAIN = CallTriaged(call_id="call-1", intent="surrender", situation="serving", urgency="today")


@dataclass(frozen=True)
class Shape:
    """What is appended: which event, and whether each one begins a case of its own.

    A new case's first sealed value takes a new data key, which is one more synced message. A
    growing case is one a thread, opened before the time is taken.
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
    with (
        site_in(bench.folder_for("append")) as site,
        site.writer(Fold(IntakeState(), evolve), "intake") as writer,
    ):
        for shape in SHAPES:
            body = _stored_body(writer, shape.event)
            for at_once, usual in AT_ONCE.items():
                each = bench.count(usual, at_once) // at_once
                load, appends = Load(shape, body, at_once, each), at_once * each
                yield rates(
                    f"append/{shape.name}/{at_once} in flight",
                    {
                        "transact": partial(transacted, writer, load),
                        "bare": partial(published, site, load),
                    },
                    appends,
                    bench.rounds(ROUNDS),
                    "appends/s",
                    AIM_AT_64 if at_once == max(AT_ONCE) else "",
                    body_bytes=len(body),
                    appends_a_round=appends,
                )


@dataclass(frozen=True)
class Load:
    """What both sides store in a round: `each` messages from each of `at_once` at a time."""

    shape: Shape
    body: bytes
    at_once: int
    each: int


def transacted(writer: Writer, load: Load, watch: Stopwatch) -> None:
    def append(case_id: str, *, opens_case: bool = False) -> None:
        transact(writer, case_id, _cause(opens_case), lambda _state: [load.shape.event])

    def appends(case_id: str) -> None:
        for _ in range(load.each):
            if load.shape.begins_case:
                append(new_case_id(), opens_case=True)
            else:
                append(case_id)

    cases = [new_case_id() for _ in range(load.at_once)]
    with ThreadPoolExecutor(load.at_once) as threads:
        list(threads.map(append, cases))
        with watch:
            list(threads.map(appends, cases))


def published(site: Site, load: Load, watch: Stopwatch) -> None:
    """Publishes the same with nats-py alone, from tasks."""
    asyncio.run(_published(site, load, watch))


async def _published(site: Site, load: Load, watch: Stopwatch) -> None:
    topic = type(load.shape.event).__name__
    async with connected(site.server.url) as client:
        jetstream = client.jetstream(timeout=PUBLISH_TIMEOUT_S)
        one = [_publish(jetstream, topic, load.body, load.each) for _ in range(load.at_once)]
        with watch:
            await asyncio.gather(*one)


async def _publish(jetstream: JetStreamContext, topic: str, body: bytes, count: int) -> None:
    case_id, of = new_case_id(), Subjects(subjects.CASES_PREFIX)
    for version in range(1, count + 1):
        subject, guard = of.event(case_id, version, topic), of.version_filter(case_id, version)
        sent: dict[str, Any] = {**headers(Entry(subject, body, guard, uuid4().hex), CONTENT_TYPE)}
        await jetstream.publish(subject, body, headers=sent)


def _stored_body(writer: Writer, event: Event) -> bytes:
    done = transact(writer, new_case_id(), _cause(), lambda _state: [event])
    return bytes(writer.log.recorder.select_events(done.case_id)[0].state)


def _cause(opens_case: bool = False) -> Cause:
    return Cause(
        causation_id=uuid4().hex,
        correlation_id=uuid4().hex,
        actor="operator:Olena Example",
        source="/services/intake",
        happened_at=datetime.now(UTC),
        opens_case=opens_case,
    )
