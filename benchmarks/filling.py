"""Fills a log with many cases fast: one case's events as stored, copied under other numbers.

Everything sealed in them opens with no key. A thousand cases are under way at once, as on a hotline
with a thousand men waiting to cross, so that one case's events lie apart on the disk.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from benchmarks.casework_events import CASE, DAY, LIFECYCLE, NOTE
from benchmarks.site import RELAXED, SYNCED, Site
from passage.connecting import connected
from services.intake.routing import new_case_id
from shared import subjects
from shared.events.base import FIRST_PREVHASH, Event, chain_hash, type_of
from shared.events.catalogue import OWNER, envelope_of
from shared.jetstream.subjects import Subjects

SHORT, LONG = len(LIFECYCLE), 100
"""Events of a case: the ten steps, and those with ninety notes."""
CASES_AT_ONCE = 1_000
LONG_EVERY = 100
"""One case in this many is a long one."""
WINDOW_MESSAGES = 1_000
"""So many are sent before the last one's acknowledgement is waited for."""
ACK_TIMEOUT_S = 60.0

Message = tuple[str, bytes]
"""Subject and body."""


@dataclass(frozen=True)
class Template:
    """A case as stored; what names the case in it is cut out."""

    case_id: str
    types: Sequence[str]
    bodies: Sequence[bytes]

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Template":
        bodies: list[bytes] = []
        for version, event in enumerate(events, 1):
            envelope = envelope_of(event)(
                id=f"{CASE}-{version}",
                source=f"/services/{OWNER[type(event)]}",
                type=type_of(type(event)),
                subject=CASE,
                time=DAY,
                data=event,
                caseversion=version,
                correlationid=f"{CASE}-{version}",
                causationid=f"{CASE}-{version}",
                actor="operator:Olena Example",
                prevhash=chain_hash(bodies[-1]) if bodies else FIRST_PREVHASH,
            )
            bodies.append(envelope.model_dump_json(exclude_none=True).encode())
        return cls(CASE, [type(event).__name__ for event in events], bodies)


@dataclass
class Copy:
    """One case that grows by copies of the template's events."""

    template: Template
    case_id: str = field(default_factory=new_case_id)
    put: Mapping[str, str] = field(default_factory=dict)
    """What stands in the template -> what is the case's own."""
    version: int = 0
    last_hash: str = FIRST_PREVHASH
    _was: str = FIRST_PREVHASH

    def next(self) -> Message:
        """The next event, chained to the one before."""
        of, template = self.template.bodies[self.version], self.template
        topic = template.types[self.version]
        own = {**self.put, template.case_id: self.case_id, self._was: self.last_hash}
        body = of
        for there, here in own.items():
            body = body.replace(there.encode(), here.encode())
        self._was, self.last_hash = chain_hash(of), chain_hash(body)
        self.version += 1
        subject = Subjects(subjects.CASES_PREFIX).event(self.case_id, self.version, topic)
        return subject, body


@dataclass
class Filled:
    """What is in the log now: how many events, and the cases of either length."""

    events: int = 0
    short_cases: list[str] = field(default_factory=list)
    long_cases: list[str] = field(default_factory=list)


def fill(site: Site, events: int) -> Filled:
    """Fills the log of a site with about this many `events`; the server is restarted twice.

    Meanwhile it doesn't sync every message, which would take a hundred times as long.
    """
    filled = Filled()
    site.restart(RELAXED)
    asyncio.run(send(site, _messages(events, filled)))
    site.restart(SYNCED)
    return filled


def _messages(events: int, filled: Filled) -> Iterator[Message]:
    """Whole cases until `filled` has this many `events`."""
    template = Template.of([*LIFECYCLE, *[NOTE] * (LONG - SHORT)])
    begun = 0
    while filled.events < events:
        missing = -(-(events - filled.events) // SHORT)
        under_way = [Copy(template) for _ in range(min(CASES_AT_ONCE, missing))]
        lengths = [
            SHORT if (begun + number) % LONG_EVERY else LONG for number in range(len(under_way))
        ]
        begun += len(under_way)
        for message in in_turns(under_way, lengths):
            filled.events += 1
            yield message
        for copy in under_way:
            known = filled.long_cases if copy.version == LONG else filled.short_cases
            known.append(copy.case_id)


def in_turns(under_way: Sequence[Copy], lengths: Sequence[int]) -> Iterator[Message]:
    """So many events of each case, one of each in turn."""
    for version in range(max(lengths)):
        for copy, length in zip(under_way, lengths, strict=True):
            if version < length:
                yield copy.next()


async def send(site: Site, messages: Iterator[Message]) -> None:
    """Stores messages in order, and makes sure that none is missing."""
    async with connected(site.server.url) as client:
        jetstream = client.jetstream(timeout=ACK_TIMEOUT_S)
        before = (await jetstream.stream_info(subjects.CASES)).state.last_seq
        sent = 0
        while window := list(islice(messages, WINDOW_MESSAGES)):
            for subject, body in window[:-1]:
                await client.publish(subject, body)
            sent += len(window)
            # Sent by one connection, they are stored in order: the last one's place shows all.
            ack = await jetstream.publish(*window[-1])
            if ack.seq != before + sent:
                raise RuntimeError(f"the server stored {ack.seq - before} of {sent} messages")
