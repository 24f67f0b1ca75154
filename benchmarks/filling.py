"""Fills a log with many cases fast: one case played for real, then copied under other numbers.

A copy is valid in all but its sealed values, which open in the first case only: its versions,
chain, ids and subjects are its own. A thousand cases are under way at once, as on a hotline with a
thousand men waiting to cross, so that one case's events lie apart on the disk.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from benchmarks.site import RELAXED, SYNCED, Site
from benchmarks.story import FOLDS, Story
from passage.connecting import connected
from services.intake.routing import new_case_id
from shared import subjects
from shared.events.base import FIRST_PREVHASH, chain_hash
from shared.jetstream.subjects import Subjects
from shared.log.case_log import CaseLog

SHORT, LONG = 10, 100
"""Events of a case: the ten decisions, and those with ninety notes."""
CASES_AT_ONCE = 1_000
LONG_EVERY = 100
"""One case of so many is a long one."""
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


@dataclass
class Copy:
    """One case that grows by copies of the template's events."""

    template: Template
    case_id: str = field(default_factory=new_case_id)
    version: int = 0
    last_hash: str = FIRST_PREVHASH
    _was: str = FIRST_PREVHASH

    def next(self) -> Message:
        """The next event, chained to the one before."""
        of, template = self.template.bodies[self.version], self.template
        topic = template.types[self.version]
        body = of.replace(template.case_id.encode(), self.case_id.encode())
        body = body.replace(self._was.encode(), self.last_hash.encode())
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
    """Fills the log of a site with about so many events; the server is restarted twice.

    Meanwhile it doesn't sync every message, which would take a hundred times as long.
    """
    template = _played(site)
    filled = Filled(events=len(template.bodies))
    site.restart(RELAXED)
    asyncio.run(send(site, _messages(template, events, filled)))
    site.restart(SYNCED)
    return filled


def _played(site: Site) -> Template:
    """Plays one long case for real and gives it as a template, with ids that name the case."""
    case_id = new_case_id()
    with ExitStack() as stack:
        writers = {n: stack.enter_context(site.writer(fold, n)) for n, fold in FOLDS.items()}
        story = Story(writers, case_id)
        story.play()
        for _ in range(LONG - SHORT):
            story.add_note()
        return _template_of(writers["intake"].log, case_id)


def _template_of(log: CaseLog[Any], case_id: str) -> Template:
    stored = log.recorder.select_events(case_id)
    types = [one.topic for one in stored]
    bodies: list[bytes] = []
    for one in stored:
        envelope = json.loads(one.state)
        envelope["id"] = f"{case_id}-{one.originator_version}"
        envelope["prevhash"] = chain_hash(bodies[-1]) if bodies else FIRST_PREVHASH
        if "about_event" in envelope["data"]:
            claim = types.index("PersonalDataProvided") + 1
            envelope["data"]["about_event"] = f"{case_id}-{claim}"
        bodies.append(json.dumps(envelope, separators=(",", ":")).encode())
    return Template(case_id, types, bodies)


def _messages(template: Template, events: int, filled: Filled) -> Iterator[Message]:
    """Gives whole cases until `filled` has so many events; a thousand at once take turns."""
    begun = 0
    while filled.events < events:
        missing = -(-(events - filled.events) // SHORT)
        under_way = [Copy(template) for _ in range(min(CASES_AT_ONCE, missing))]
        is_long = [(begun + number) % LONG_EVERY == 0 for number in range(len(under_way))]
        begun += len(under_way)
        for version in range(LONG):
            for copy, to_the_end in zip(under_way, is_long, strict=True):
                if to_the_end or version < SHORT:
                    filled.events += 1
                    yield copy.next()
        for copy in under_way:
            known = filled.long_cases if copy.version == LONG else filled.short_cases
            known.append(copy.case_id)


async def send(site: Site, messages: Iterator[Message]) -> None:
    """Stores messages in their order, and sees to it that none is missing."""
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
