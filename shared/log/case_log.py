"""A service's view of the case logs: `eventsourcing`'s Application over JetStream, and one case's
history folded from it.

Every load checks that versions run 1..n and that each event's `prevhash` fits the stored bytes
before it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from itertools import islice
from threading import BoundedSemaphore
from typing import Any, Generic, NamedTuple, TypeVar, cast

from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    Mapper,
    Notification,
    OperationalError,
    StoredEvent,
    Transcoder,
)
from eventsourcing.utils import EnvType
from typing_extensions import override

from shared import subjects
from shared.events.base import CONTENT_TYPE, CaseEvent, chain_hash
from shared.events.intake import PersonalDataErased
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.shifts import WordsErased
from shared.jetstream import JetStreamApplicationRecorder
from shared.jetstream.calls import RequestLostError
from shared.jetstream.connection import Connection
from shared.log.events_of_type import events_of_type, first_sequence
from shared.log.fetching import FIRST_AT_ONCE, events_after
from shared.log.history import Histories, History, Origin
from shared.log.incarnation import IncarnationCheck
from shared.log.turns import Beginning, Turns, require_not_in_passing
from shared.servers.credentials import api_prefix
from shared.settings import Settings

LONG_AT_ONCE = 2
"""How many long cases are folded at a time: a dozen threads doing only that would leave little
processor time for a call that needs a millisecond, and each holds megabytes of what it reads."""
READ_AT_ONCE = 8
"""How many first pages are read at a time; most cases have no other. All answers that may be under
way together stay below the 64 MiB that nats-server holds for a connection."""
READ_ON_AT_ONCE = 2
"""How many other cases are read beyond their first page at a time: forty-three calls of half a
megabyte are read as fast as short ones, and in forty-eight threads that took a gigabyte."""
READ_ATTEMPTS = 50
"""How often a case is read again because a lagging replica answered."""

LogError = OperationalError
"""Raised by loading and appending if the log doesn't answer in time."""

StateT = TypeVar("StateT")


class ChainBrokenError(Exception):
    """A case's stored events don't form a chain: one is missing, or was altered."""

    def __init__(self, case_id: str, version: int) -> None:
        self.case_id = case_id
        self.version = version
        super().__init__(
            f"case {case_id}: the chain breaks at version {version}; run `passage verify`"
        )


class CaseMapper(Mapper[str]):
    """Between case events and stored bytes; the topic is the event type's plain name."""

    @override
    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        event = cast("CaseEvent[Any]", domain_event)
        return StoredEvent(
            originator_id=event.subject,
            originator_version=event.caseversion,
            topic=event.type_name,
            state=event.model_dump_json(exclude_none=True).encode(),
        )

    @override
    def to_domain_event(self, stored_event: StoredEvent) -> CaseEvent[Any]:
        return read_case_event(stored_event.state, stored_event.topic)


@dataclass(frozen=True, slots=True)
class Fold(Generic[StateT]):
    """A service's initial state of a case, and how one event changes it."""

    initial: StateT
    evolve: Callable[[StateT, CaseEvent[Any]], StateT]


class ChainedEvent(NamedTuple):
    """One event with the hash of its stored bytes and its sequence; 0 in a log without any."""

    event: CaseEvent[Any]
    stored_hash: str
    sequence: int


class CaseLog(Application[str], Generic[StateT]):
    """Loads and appends; `transact` decides. One per service, shared by its threads."""

    name = "cases"

    def __init__(self, fold: Fold[StateT], env: EnvType) -> None:
        self.fold = fold
        self._kept: Histories[StateT] = Histories()
        self._turns = Turns()
        self._long_at_once = BoundedSemaphore(LONG_AT_ONCE)
        self._read_at_once = BoundedSemaphore(READ_AT_ONCE)
        self._read_on_at_once = BoundedSemaphore(READ_ON_AT_ONCE)
        super().__init__(env)
        self.incarnation: IncarnationCheck | None = None
        if isinstance(self.recorder, JetStreamApplicationRecorder):
            expected = str(env.get("PASSAGE_INCARNATION", ""))
            self.incarnation = IncarnationCheck(self.recorder.log.stream, expected)

    @override
    def construct_transcoder(self) -> Transcoder:
        return cast(Transcoder, None)  # pydantic writes the JSON.

    @override
    def construct_mapper(self) -> Mapper[str]:
        return CaseMapper(transcoder=self.construct_transcoder())

    def load(self, case_id: str) -> History[StateT]:
        """The case as the log has it now; raises ChainBrokenError, and LongCaseError in passing."""
        with self.turn_on(case_id):
            known = self.remembered(case_id) or History(case_id, self.fold.initial)
            newer = iter(events_after(self.recorder, case_id, known.version))
            beginning = Beginning(newer)
            others = iter(beginning)
            with self._read_at_once:
                history = self.extend(known, islice(others, FIRST_AT_ONCE))
            if history.version == known.version + FIRST_AT_ONCE:
                with self._read_on_at_once:
                    history = self.extend(history, others)
            if not beginning.is_all:
                self._kept.note_long(case_id)
                require_not_in_passing(case_id)
                with self._long_at_once:
                    history = self.extend(history, newer)
            self.remember(history)
        return history

    def load_current(self, case_id: str) -> History[StateT]:
        """As `load`, but guaranteed complete: a refusal may rest on this.

        Raises LogError if the replicas that answer lag behind for all of READ_ATTEMPTS reads.
        """
        known = self.remembered(case_id)
        # Usually nothing was recorded since, and one look is enough. A log in memory has no leader.
        is_asked = isinstance(self.recorder, JetStreamApplicationRecorder)
        if known is not None and is_asked and self.is_current(known):
            return known
        for _ in range(READ_ATTEMPTS):
            history = self.load(case_id)
            if self.is_current(history):
                return history
        raise LogError(f"case {case_id}: {READ_ATTEMPTS} reads lagged behind the log's leader")

    def is_current(self, history: History[StateT]) -> bool:
        """Whether the log holds no more of the case than this, by the stream's leader.

        A lagging replica may answer a read; a refusal must not rest on one.
        """
        if not isinstance(self.recorder, JetStreamApplicationRecorder):
            return True
        log = self.recorder.log
        # Versions have no gaps; to find the last one, the server would scan them all.
        following = log.subjects.version_filter(history.case_id, history.version + 1)
        return log.stream.leader_message(last_by_subj=following) is None

    def is_connected(self) -> bool:
        """Whether the log can be reached right now, and is still the same one."""
        try:
            self.connection.wait_connected(0)
            self.check_incarnation()
        except (RequestLostError, LogError):
            return False
        return True

    def check_incarnation(self) -> None:
        """Raises OtherIncarnationError unless CASES is the stream that this service knows."""
        if self.incarnation is not None:
            self.incarnation.check()

    @property
    def connection(self) -> Connection:
        if not isinstance(self.recorder, JetStreamApplicationRecorder):
            raise TypeError("a case log in memory has no connection")
        return self.recorder.log.stream.connection

    def events_of_type(self, type_name: str, since: str = "") -> Iterator[CaseEvent[Any]]:
        """In the log's order, from the first event of the case `since` on.

        Without what the replica that answers lacks, and what can't be read: `passage verify` says
        so.
        """
        start = first_sequence(self.recorder, since) if since else 1
        for stored in events_of_type(self.recorder, type_name, start):
            with suppress(UnreadableEventError):
                yield read_case_event(stored.state, stored.topic)

    def turn_on(self, case_id: str) -> AbstractContextManager[None]:
        """Runs the block while nobody else in this process reads or writes the case
        (`shared.log.turns`).

        Raises LongCaseError in passing, rather than wait while somebody folds a long one.
        """
        if self._kept.is_long_and_forgotten(case_id):
            require_not_in_passing(case_id)
        return self._turns.on(case_id)

    def remembered(self, case_id: str) -> History[StateT] | None:
        """The cached case, if any; it may be stale."""
        return self._kept.get(case_id)

    def remember(self, history: History[StateT]) -> None:
        """Caches a history, unless a longer one of the case is cached already."""
        self._kept.put(history)

    def extend(self, known: History[StateT], newer: Iterable[StoredEvent]) -> History[StateT]:
        """Folds stored events onto a history; raises ChainBrokenError."""
        return self.follow(known, map(read_link, newer))

    def follow(self, known: History[StateT], links: Iterable[ChainedEvent]) -> History[StateT]:
        """Folds a chain of events; raises ChainBrokenError if one doesn't follow."""
        state, version, last_hash = known.state, known.version, known.last_hash
        recorded, causes = known.recorded, known.causes
        erasure, fencing = known.erasure, known.fencing
        evolve = self.fold.evolve
        for event, stored_hash, sequence in links:
            version += 1
            if event.caseversion != version or event.prevhash != last_hash:
                raise ChainBrokenError(known.case_id, version)
            state = evolve(state, event)
            last_hash = stored_hash
            noted = Origin(event.type_name, event.actor, sequence or version)
            recorded = recorded.with_entry(version, noted)
            causes = causes.with_entry((event.source, event.causationid), version)
            fencing = fencing.after(event.data)
            if isinstance(event.data, PersonalDataErased | WordsErased):
                erasure = event.id
        return History(
            case_id=known.case_id,
            state=state,
            version=version,
            sequence=recorded[version].sequence if recorded else 0,
            last_hash=last_hash,
            recorded=recorded,
            causes=causes,
            erasure=erasure,
            fencing=fencing,
        )


def read_link(stored: StoredEvent) -> ChainedEvent:
    """Raises UnreadableEventError."""
    # The library's in-memory recorder numbers nothing when it selects one case's events.
    sequence = stored.id if isinstance(stored, Notification) else 0
    event = read_case_event(stored.state, stored.topic)
    return ChainedEvent(event, chain_hash(stored.state), sequence)


def jetstream_env(settings: Settings, connection_name: str) -> dict[str, str]:
    credentials = {
        "NATS_NKEY_SEED_FILE": settings.nats_nkey,
        "NATS_CA_FILE": settings.nats_ca,
        "NATS_INBOX_PREFIX": subjects.inbox(settings.identity) if settings.identity else None,
    }
    return {
        **{name: str(value) for name, value in credentials.items() if value is not None},
        "PERSISTENCE_MODULE": "shared.jetstream",
        "NATS_URL": settings.nats_url,
        "JETSTREAM_API_PREFIX": api_prefix(settings.identity),
        "JETSTREAM_NEWS_SUBJECT": subjects.NEWS,
        "NATS_CLIENT_NAME": connection_name,
        "JETSTREAM_STREAM": subjects.CASES,
        "JETSTREAM_SUBJECT_PREFIX": subjects.CASES_PREFIX,
        "JETSTREAM_TIMEOUT": str(settings.request_timeout_s),
        "JETSTREAM_CONTENT_TYPE": CONTENT_TYPE,
        "ORIGINATOR_ID_TYPE": "text",
        "PASSAGE_INCARNATION": settings.incarnation,
    }
