"""The write path's middle step: load, fold, decide, append; on a conflict load and decide again.

    handler -> transact -> decide_*

A remembered fold may be stale. The version guard makes that harmless for what is accepted, so
only refusals and conflicts cost a second, fresh look at the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import uuid4

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent

from shared.case_log import CaseLog, History
from shared.events.base import Event, chain_hash, type_of
from shared.events.catalogue import envelope_of
from shared.events.fields import Plain
from shared.keys import KeyRing
from shared.refusals import Guard, RefusedError
from shared.sealing import Spot, seal

ATTEMPTS = 50
"""How often one message is decided anew because somebody else was faster."""

SEEN_VERSION = Guard("seen_version", "look at the case as it is now and decide again")

StateT = TypeVar("StateT")
Decide = Callable[[StateT], Sequence[Event]]


class ContendedError(Exception):
    """The case changed under every attempt; sending the message again is safe."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event answers: `causation_id` names the message, and makes it repeatable."""

    causation_id: str
    correlation_id: str
    actor: str
    source: str
    happened_at: datetime
    seen_version: int | None = None
    """The version of the case that a person decided on; None where nobody did."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: `sequence` is where its last event, or the case, stands."""

    result: Literal["recorded", "repeated", "ignored"]
    case_id: str
    version: int
    sequence: int
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Writer:
    """What writing takes: the log to append to, and the keys to seal with."""

    log: CaseLog[Any]
    keys: KeyRing


def transact(
    writer: Writer,
    case_id: str,
    cause: Cause,
    decide: Decide[Any],
) -> Outcome:
    """Records what `decide` makes of the case, once for a cause.

    Raises RefusedError (on a fresh fold), ContendedError, ChainBrokenError, and the recorder's
    OperationalError where the server didn't answer.
    """
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
            if fresh or outcome.result != "ignored":
                return outcome
        history = None
    raise ContendedError(f"case {case_id} changed under {ATTEMPTS} attempts")


def _remembered(log: CaseLog[Any], case_id: str, cause: Cause) -> History[Any] | None:
    history = log.remembered(case_id)
    if history is not None and history.version < (cause.seen_version or 0):
        return None  # The person saw more than is remembered here: it is stale for certain.
    return history


def _attempt(
    writer: Writer,
    history: History[Any],
    cause: Cause,
    decide: Decide[Any],
) -> Outcome:
    done = history.caused_by(cause.source, cause.causation_id)
    if done is not None:
        return Outcome(
            "repeated",
            history.case_id,
            done,
            history.sequences[done - 1],
            (history.types[done - 1],),
        )
    if cause.seen_version not in {None, history.version}:
        raise RefusedError(SEEN_VERSION, history.types[cause.seen_version :])
    events = decide(history.state)
    if not events:
        return Outcome("ignored", history.case_id, history.version, history.sequence)
    return _append(writer, history, cause, events)


def _append(
    writer: Writer, history: History[Any], cause: Cause, events: Sequence[Event]
) -> Outcome:
    log = writer.log
    stored: list[StoredEvent] = []
    message_ids: list[str] = []
    last_hash = history.last_hash
    for version, event in enumerate(events, start=history.version + 1):
        sealed = _sealed(writer.keys, history.case_id, version, event)
        envelope = envelope_of(event)(
            id=uuid4().hex,
            source=cause.source,
            type=type_of(type(event)),
            subject=history.case_id,
            time=cause.happened_at,
            data=sealed,
            caseversion=version,
            correlationid=cause.correlation_id,
            causationid=cause.causation_id,
            actor=cause.actor,
            prevhash=last_hash,
        )
        stored.append(log.mapper.to_stored_event(envelope))
        message_ids.append(envelope.id)
        last_hash = chain_hash(stored[-1].state)
    sequences = log.recorder.insert_events(stored, message_ids=message_ids) or ()
    recorded = [
        Notification(
            originator_id=one.originator_id,
            originator_version=one.originator_version,
            topic=one.topic,
            state=one.state,
            id=sequence,
        )
        for one, sequence in zip(stored, sequences, strict=True)
    ]
    longer = log.extend(history, recorded)
    log.remember(longer)
    return Outcome(
        "recorded",
        history.case_id,
        longer.version,
        longer.sequence,
        longer.types[history.version :],
    )


def _sealed(keys: KeyRing, case_id: str, version: int, event: Event) -> Event:
    """Gives the event with every personal value sealed for this very place in the log."""
    update: dict[str, str] = {}
    for field, personal_class in type(event).PERSONAL.items():
        value = getattr(event, field)
        if isinstance(value, Plain):
            spot = Spot(case_id, version, type(event).__name__, field, personal_class)
            update[field] = seal(keys.for_sealing(case_id), spot, value.value)
    return event.model_copy(update=update) if update else event
