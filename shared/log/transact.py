"""The write path's middle step: load, fold, decide, append; on a conflict load and decide again.

A remembered fold may be stale. The version guard makes that harmless for what is accepted, so
only refusals and conflicts cost a second, fresh look at the log.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Self, TypeVar
from uuid import uuid4

from eventsourcing.persistence import IntegrityError, StoredEvent

from shared.commands.base import Command, Decision
from shared.events.base import CaseEvent, Event, chain_hash, type_of
from shared.events.calls import CallEnded
from shared.events.catalogue import envelope_of
from shared.events.fields import Plain
from shared.events.intake import CallLinked, DuressCleared, DuressSignalled
from shared.events.signatures import Signature
from shared.keys.client import Keys
from shared.keys.sealing import Spot
from shared.log.case_log import CaseLog, ChainedEvent
from shared.log.fencing import LEASE_CURRENT
from shared.log.history import History
from shared.refusals import Guard, RefusedError, require

ATTEMPTS = 50
"""How often one message is decided again because another append came first."""

SEEN_VERSION = Guard(
    "seen_version",
    "look at the case as it is now and decide again; or despite_calls=true, if only calls came",
)

DECIDED_NOW = Guard(
    "decided_now", "no happened_at: a decision is made now; only facts are told afterwards"
)
"""Guards are checked against the present; an old time would claim that they held then."""

OWN_COMMAND = Guard("own_command", "a command_id of your own")
"""A repeated command is answered only to whoever sent it first."""

StateT = TypeVar("StateT")
Decide = Callable[[StateT], Sequence[Event]]


class ContendedError(Exception):
    """The case changed under every attempt; sending the message again is safe."""


class Seen(NamedTuple):
    """The version that a person decided on, and perhaps that more calls change nothing.

    Without that, anybody calling constantly from a man's address would block every decision.
    """

    version: int
    despite_calls: bool = False

    @classmethod
    def by(cls, command: Command) -> Self | None:
        if not isinstance(command, Decision):
            return None
        return cls(command.seen_version, command.despite_calls)

    def holds_in(self, history: History[Any]) -> bool:
        """Whether nothing recorded since matters.

        Duress matters only the first time: if it had been given already, they decided with it in
        mind.
        """
        if self.version > history.version:
            return False
        passed_over = {CallEnded.__name__}
        if self.despite_calls:
            passed_over.add(CallLinked.__name__)
            if self._knew_of_duress(history):
                passed_over.add(DuressSignalled.__name__)
        return passed_over.issuperset(history.types_after(self.version))

    def _knew_of_duress(self, history: History[Any]) -> bool:
        before = (history.recorded[one].type_name for one in range(self.version, 0, -1))
        marks = (one for one in before if one in {DuressSignalled.__name__, DuressCleared.__name__})
        return next(marks, None) == DuressSignalled.__name__


class Fenced(NamedTuple):
    """A person who works on a case, and the fence of the claim they saw, if they say so."""

    by: str
    fence: int | None


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event answers: `causation_id` names the message, and makes it idempotent."""

    causation_id: str
    correlation_id: str
    actor: str
    source: str
    happened_at: datetime
    seen: Seen | None = None
    """What a person decided on; None if nobody did."""
    fenced: Fenced | None = None
    """Who asks, and which fence they saw; None if no claim matters."""
    is_back_dated: bool = False
    """A decision dated long ago: refused, unless it was recorded then."""
    opens_case: bool = False
    """The case number was made for this message: most likely nothing is known of it."""
    signed: Callable[[], tuple[Signature, ...]] | None = None
    """The signatures that it needs and has, checked; None if it can't need any."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: `sequence` is that of its last event, or of the case."""

    result: Literal["recorded", "repeated", "ignored"]
    case_id: str
    version: int
    sequence: int
    events: tuple[str, ...] = ()
    stored_bytes: int = 0
    """What these events take in the log."""


@dataclass(frozen=True, slots=True)
class Writer:
    """What writing needs: the log to append to, and the key holder, which seals."""

    log: CaseLog[Any]
    keys: Keys


def transact(
    writer: Writer,
    case_id: str,
    cause: Cause,
    decide: Decide[Any],
) -> Outcome:
    """Records what `decide` makes of the case. Idempotent per cause.

    Raises RefusedError (on a fresh fold), ContendedError, ChainBrokenError, KeysUnavailableError,
    the recorder's OperationalError if the server didn't answer, and of that kind
    OtherIncarnationError.
    """
    with writer.log.turn_on(case_id):
        return _recorded(writer, case_id, cause, decide)


def _recorded(writer: Writer, case_id: str, cause: Cause, decide: Decide[Any]) -> Outcome:
    log = writer.log
    history, fresh = _remembered(log, case_id, cause), False
    for _ in range(ATTEMPTS):
        if history is None:
            history, fresh = log.load(case_id), True
        try:
            outcome = _attempt(writer, history, cause, decide)
        except RefusedError as refusal:
            if fresh and log.is_current(history):
                refusal.version = history.version
                raise
        except IntegrityError:
            pass  # Somebody else wrote this version first.
        else:
            if outcome.result != "ignored" or (fresh and log.is_current(history)):
                return outcome
        history = None
    raise ContendedError(f"case {case_id} changed under {ATTEMPTS} attempts")


def answered_at(history: History[Any], cause: Cause) -> int | None:
    """The version at which a message was answered before, or None.

    Raises RefusedError if somebody else had sent it.
    """
    done = history.caused_by(cause.source, cause.causation_id)
    if done is not None:
        require(history.recorded[done].actor == cause.actor, OWN_COMMAND)
    return done


def _remembered(log: CaseLog[Any], case_id: str, cause: Cause) -> History[Any] | None:
    history = log.remembered(case_id)
    if history is None and cause.opens_case:
        # If it exists after all, the version guard says so, and then it is loaded.
        return History(case_id, log.fold.initial)
    if history is not None and cause.seen is not None and history.version < cause.seen.version:
        return None  # The person saw more than is cached: it is certainly stale.
    return history


def _attempt(
    writer: Writer,
    history: History[Any],
    cause: Cause,
    decide: Decide[Any],
) -> Outcome:
    done = answered_at(history, cause)
    if done is not None:
        return Outcome(
            "repeated",
            history.case_id,
            done,
            history.recorded[done].sequence,
            (history.recorded[done].type_name,),
        )
    require(not cause.is_back_dated, DECIDED_NOW)
    require(cause.fenced is None or history.fencing.lets(*cause.fenced), LEASE_CURRENT)
    if cause.seen is not None and not cause.seen.holds_in(history):
        raise RefusedError(SEEN_VERSION, history.types_after(cause.seen.version))
    signatures = cause.signed() if cause.signed is not None else ()
    events = decide(history.state)
    if not events:
        return Outcome("ignored", history.case_id, history.version, history.sequence)
    return _append(writer, history, cause, events, signatures)


def _append(
    writer: Writer,
    history: History[Any],
    cause: Cause,
    events: Sequence[Event],
    signatures: tuple[Signature, ...],
) -> Outcome:
    log = writer.log
    envelopes: list[CaseEvent[Any]] = []
    stored: list[StoredEvent] = []
    hashes = [history.last_hash]
    for version, event in enumerate(events, start=history.version + 1):
        envelope = envelope_of(event)(
            id=uuid4().hex,
            source=cause.source,
            type=type_of(type(event)),
            subject=history.case_id,
            time=cause.happened_at,
            data=_sealed(writer.keys, history, version, event),
            caseversion=version,
            correlationid=cause.correlation_id,
            causationid=cause.causation_id,
            actor=cause.actor,
            prevhash=hashes[-1],
            signatures=(signatures or None) if len(hashes) == 1 else None,
        )
        envelopes.append(envelope)
        stored.append(log.mapper.to_stored_event(envelope))
        hashes.append(chain_hash(stored[-1].state))
    message_ids = [envelope.id for envelope in envelopes]
    log.check_incarnation()
    sequences = log.recorder.insert_events(stored, message_ids=message_ids) or ()
    links = map(ChainedEvent, envelopes, hashes[1:], sequences)
    longer = log.follow(history, links)
    log.remember(longer)
    return Outcome(
        "recorded",
        history.case_id,
        longer.version,
        longer.sequence,
        longer.types_after(history.version),
        sum(len(one.state) for one in stored),
    )


def _sealed(keys: Keys, history: History[Any], version: int, event: Event) -> Event:
    """The event with every personal value sealed for its exact place in the log."""
    plain = {
        field: value.value
        for field in type(event).PERSONAL
        if isinstance(value := getattr(event, field), Plain)
    }
    if not plain:
        return event
    case_id, name, classes = history.case_id, type(event).__name__, type(event).PERSONAL
    sealing = keys.for_sealing(case_id, version, history.erasure)
    return event.model_copy(
        update={
            field: sealing[personal].seal(Spot(case_id, version, name, field, personal), value)
            for field, value in plain.items()
            for personal in (classes[field],)
        }
    )
