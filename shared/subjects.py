"""Every stream, bucket and subject of Passage, and the functions that build and parse subjects.

`shared.jetstream` builds the subject of a case's event from the prefix here; nothing else
publishes to `cases.>`.
"""

from typing import NamedTuple

CASES = "CASES"
CASES_PREFIX = "cases"
INCARNATION = "passage_incarnation"
"""The metadata key of CASES that tells this stream from any other of its name."""
PARKED = "PARKED"
AUDIT = "AUDIT"
OUTBOUND = "OUTBOUND"
KEYHOLDER_SEALED = "keyholder.sealed"
"""The key holder announces here that it ends, and that nothing can be opened from now on."""
INDEX_BUCKET = "INDEX"
EARLY_ENDS_BUCKET = "EARLY_ENDS"
KEYS_BUCKET = "KEYS"
NONCES_BUCKET = "NONCES"
COUNTERS_BUCKET = "COUNTERS"
SESSIONS_BUCKET = "SESSIONS"
CHALLENGES_BUCKET = "CHALLENGES"
LOGIN_COUNTERS_BUCKET = "LOGIN_COUNTERS"
NEWS = "news.>"
"""Where the server repeats the headers of every event that CASES stored."""
STORAGE = "servers.storage"
"""Where nats-servers are asked how they store."""
SERVERS_HEALTH = "servers.health"
"""Where they are asked whether they can write every stream."""
LOG_API = "PASSAGE.API"
"""JetStream's API as seen from an account other than the log's own."""
KEEPER = "keeper"
KEYHOLDER = "keyholder"


class CaseSubject(NamedTuple):
    case_id: str
    version: int
    type_name: str


class Durable(NamedTuple):
    """A durable consumer of a service or a channel; `passage provision` makes it."""

    name: str
    stream: str
    filter_subjects: tuple[str, ...]


def calls(channel: str) -> str:
    return f"calls.{channel}"


def calls_stream(channel: str) -> str:
    """One stream per channel, so that none can harm another's (ADR 26)."""
    return f"CALLS_{channel}"


def is_calls_stream(stream: str) -> bool:
    return stream.startswith(calls_stream(""))


def channel_identity(channel: str) -> str:
    """The name by which the server knows a channel that calls."""
    return f"channel-{channel}"


def outbox_identity(channel: str) -> str:
    """The name under which a channel takes messages to callers and reports on them (ADR 26)."""
    return f"outbox-{channel}"


def outbound(channel: str) -> str:
    return f"outbound.{channel}"


def outbound_consumer(channel: str) -> Durable:
    """The durable consumer for them, which only this channel may use."""
    return Durable(channel, OUTBOUND, (outbound(channel),))


def inbox(identity: str) -> str:
    """The subjects on which an identity receives replies."""
    return f"_INBOX_{identity}"


def case_events(type_name: str = "*") -> str:
    """All events of one type, or all events."""
    return f"{CASES_PREFIX}.*.*.{type_name}"


def read_case_subject(subject: str) -> CaseSubject:
    """Raises ValueError for a subject of anything but CASES."""
    prefix, case_id, version, type_name = subject.split(".")
    if prefix != CASES_PREFIX:
        raise ValueError(f"no subject of {CASES}")
    return CaseSubject(case_id, int(version), type_name)


def is_case_number(log_id: str) -> bool:
    """Whether it is no log of desk's, all of which have a dash in their number."""
    return "-" not in log_id


def command(service: str, name: str) -> str:
    return f"commands.{service}.{name}"


def nonces(service: str) -> str:
    """Where a service is asked for what is to be signed with a command (request/reply)."""
    return f"nonces.{service}"


def health(service: str) -> str:
    """Where a service reports its health (request/reply)."""
    return f"health.{service}"


def parked(service: str, stream: str, sequence: int) -> str:
    """Where a service puts what it couldn't process.

    All of a channel's messages share one subject, which PARKED bounds: the channel decides how much
    it sends. Anything else that can't be processed has a subject of its own.
    """
    together = f"parked.{service}.{stream}"
    return together if is_calls_stream(stream) else f"{together}.{sequence}"


def all_parked(service: str) -> str:
    return f"parked.{service}.>"


def parked_of(stream: str) -> str:
    """What any service couldn't process of one stream."""
    every = f"parked.*.{stream}"
    return every if is_calls_stream(stream) else f"{every}.*"


def parked_note(parked_id: str) -> str:
    """Where it is noted that a parked message no longer waits for anyone."""
    return f"parked.intake.settled.{parked_id}"


def retry(service: str) -> str:
    """Where a service is asked to retry something parked (request/reply)."""
    return f"retry.{service}"


def keyholder(operation: str, service: str) -> str:
    """Where the key holder answers one service (request/reply)."""
    return f"keyholder.{operation}.{service}"


def audit(case_id: str) -> str:
    """Where the key holder records who opened a case's personal values; `many`: of many cases."""
    return f"audit.{case_id}"


def timers_stream(service: str) -> str:
    """One stream per service, because a timer may fire on any of its subjects."""
    return f"TIMERS_{service}"


def timer(service: str, name: str) -> str:
    """Where a service sets a durable timer: one per name, the newest counts."""
    return f"timers.{service}.{name}"


def due(service: str, name: str) -> str:
    """Where a timer arrives when it is due."""
    return f"due.{service}.{name}"


def due_timers(service: str) -> Durable:
    """The durable consumer through which a service takes its own timers."""
    return Durable(service, timers_stream(service), (due(service, ">"),))


def about(subject: str) -> str:
    """A case, or a timer that is about none."""
    if subject.startswith(f"{CASES_PREFIX}."):
        return subject.split(".")[1]
    name = subject.rpartition(".")[2]
    return name.partition("-")[2] or name
