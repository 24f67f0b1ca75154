"""Stores messages exactly once, guarded by version, whatever happens to the answers.

The guard says "nothing has this version yet", so resending a message is harmless, and reading the
version back shows whose message it is. An answer may be lost after the message was stored, and a
message may be stored after its sender stopped waiting.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from eventsourcing.persistence import IntegrityError, OperationalError, ProgrammingError

from shared.jetstream.calls import Outgoing, RequestLostError, RequestRefusedError
from shared.jetstream.stored import StoredMessage
from shared.jetstream.stream import Ack, Stream

BATCH_MESSAGES = 1_000  # nats-server's limits.batch.max_msgs
HEADER_BYTES = 512  # more than our headers take beside subject and content type
EXPECTED_SEQUENCE = "Nats-Expected-Last-Subject-Sequence"
EXPECTED_SUBJECT = "Nats-Expected-Last-Subject-Sequence-Subject"

WRONG_LAST_SEQUENCE = 10071
WRONG_LAST_SEQUENCE_UNNAMED = 10164
DUPLICATE_IN_BATCH = 10201
DUPLICATE_UNDER_WAY = 10158
BATCH_INCOMPLETE = 10176
CONFLICTS = frozenset({WRONG_LAST_SEQUENCE, WRONG_LAST_SEQUENCE_UNNAMED, DUPLICATE_IN_BATCH})
# A batch is incomplete when the server dropped its start, e.g. above 50 open ones a stream.
REPEATABLE = frozenset({DUPLICATE_UNDER_WAY, BATCH_INCOMPLETE})


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to store; the last one that matches `guard` must have `expected_sequence`."""

    subject: str
    body: bytes
    guard: str
    message_id: str = ""
    expected_sequence: int = 0


def append(
    stream: Stream, entries: Sequence[Entry], *, idempotent: bool, content_type: str = ""
) -> list[int]:
    """Store all entries or none; their stream sequences.

    With `idempotent`, finding exactly these messages stored already is success; without, it is
    so only when an earlier attempt of this very call may have stored them. `IntegrityError` when
    a guard does not hold, `OperationalError` when the outcome is unknown at the deadline.
    """
    check_size(stream, entries, content_type)
    may_be_ours = idempotent
    reason = ""
    for timeout in stream.attempts():
        try:
            ack = stream.publish_batch(outgoing(entries, content_type), timeout)
        except RequestLostError as error:
            may_be_ours = True
            reason = str(error)
            continue
        except RequestRefusedError as error:
            raise OperationalError(f"appending to {stream.name}: {error}") from error
        if ack.is_stored:
            # An atomic batch's sequences end with that of its last message (ADR-50).
            return list(range(ack.sequence - len(entries) + 1, ack.sequence + 1))
        reason = ack.error_text or "duplicate message id"
        if is_conflict(stream, ack):
            if not may_be_ours:
                raise IntegrityError(conflict(entries, reason))
            if found := read_back(stream, entries, ack):
                return found
    raise OperationalError(
        f"appending {entries[0].subject}: outcome unknown after {stream.deadline} s ({reason})"
    )


def is_conflict(stream: Stream, ack: Ack) -> bool:
    """Whether a guard failed; False if a retry may succeed, else `OperationalError`."""
    if ack.duplicate or ack.error_code in CONFLICTS:
        return True
    if ack.transient or ack.error_code in REPEATABLE:
        return False
    raise OperationalError(f"appending to {stream.name}: {ack.error_text} ({ack.error_code})")


def read_back(stream: Stream, entries: Sequence[Entry], ack: Ack) -> list[int]:
    """The sequences if these entries are stored, [] if nothing is, else `IntegrityError`."""
    # A batch is stored whole or not at all, so its first entry decides unless it is there.
    found: list[int] = []
    for entry in entries:
        stored = stream.leader_message(last_by_subj=entry.guard)
        if stored is None or stored.sequence == entry.expected_sequence:
            if found:
                raise IntegrityError(conflict(entries, "a part is stored already"))
            check_message_id(stream, entry, ack)
            return []
        if not is_same(entry, stored):
            raise IntegrityError(conflict(entries, "another event has this version"))
        found.append(stored.sequence)
    return found


def check_message_id(stream: Stream, entry: Entry, ack: Ack) -> None:
    """`IntegrityError` if the server knows the message id from a message of another subject."""
    if not ack.duplicate:
        return
    stored = stream.leader_message(seq=ack.sequence)
    if stored is not None and not is_same(entry, stored):
        raise IntegrityError(
            f"message id {entry.message_id} belongs to {stored.subject}, not {entry.subject}"
        )


def is_same(entry: Entry, stored: StoredMessage) -> bool:
    """Whether the stored message is this entry: same subject, so topic, and same bytes."""
    return stored.subject == entry.subject and stored.body == entry.body


def conflict(entries: Sequence[Entry], reason: str) -> str:
    """The text of an `IntegrityError`, without any content."""
    return f"{entries[0].subject} (of {len(entries)}): {reason}"


def outgoing(entries: Sequence[Entry], content_type: str) -> list[Outgoing]:
    """A single message, or an atomic batch with an id of its own."""
    if len(entries) == 1:
        return [Outgoing(entries[0].subject, entries[0].body, headers(entries[0], content_type))]
    batch = {"Nats-Batch-Id": uuid.uuid4().hex}
    messages = []
    for number, entry in enumerate(entries, start=1):
        batch["Nats-Batch-Sequence"] = str(number)
        if number == len(entries):
            batch["Nats-Batch-Commit"] = "1"
        messages.append(Outgoing(entry.subject, entry.body, headers(entry, content_type) | batch))
    return messages


def headers(entry: Entry, content_type: str) -> dict[str, str]:
    """The guard, the message id and the content type; no reader relies on any of them."""
    result = {
        EXPECTED_SEQUENCE: str(entry.expected_sequence),
        EXPECTED_SUBJECT: entry.guard,
        "Nats-Msg-Id": entry.message_id or digest(entry),
    }
    if content_type:
        result["Content-Type"] = content_type
    return result


def digest(entry: Entry) -> str:
    """The default message id: equal only for the same subject and body."""
    return hashlib.blake2b(entry.subject.encode() + b"\0" + entry.body, digest_size=16).hexdigest()


def check_size(stream: Stream, entries: Sequence[Entry], content_type: str) -> None:
    """`ProgrammingError` before anything is sent, so that no batch is left half-open.

    A message above the limit would also make the server close the connection.
    """
    if len(entries) > BATCH_MESSAGES:
        raise ProgrammingError(f"{len(entries)} events at once; one batch takes {BATCH_MESSAGES}")
    limit = stream.connection.max_payload
    for entry in entries:
        size = len(entry.body) + 2 * len(entry.subject) + len(content_type) + HEADER_BYTES
        if size > limit:
            raise ProgrammingError(
                f"{entry.subject}: {size} bytes with headers; the server takes {limit} a message"
            )
