"""The definitions of all streams, buckets and durable consumers; nothing else makes any.

Keys and values are the server's own (JetStream API, `io.nats.jetstream.api.v1`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from passage.install.quotas import USUAL, Quota
from services import desk, handover, intake, keyholder, query, verification, witness
from shared import subjects
from shared.people.sessions import CHALLENGE_MAX_S, SESSION_MAX_S
from shared.policy import policy
from shared.skeleton.signing import NONCES_KEPT_S, NONCES_MAX
from shared.subjects import Durable

NANOSECONDS = 1_000_000_000
MILLISECOND = 1_000_000
ACK_WAIT_S = 30
ACK_PENDING_MAX = 65_536
PULLS_WAITING_MAX = 512
CONSUMERS_MAX = 64
PARKED_OF_A_CHANNEL_MAX = 500
"""Anything beyond that waits in the channel's own stream, and counts towards its quota."""
OUTBOUND_OF_A_CHANNEL_MAX = 1_000
OUTBOUND_MESSAGE_MAX_BYTES = 131_072
CHALLENGES_MAX = 20_000
UNBOUNDED = {
    "max_consumers": -1,
    "max_msgs": -1,
    "max_bytes": -1,
    "max_msgs_per_subject": -1,
    "compression": "none",
}
"""What the server reports unless a definition sets another value."""
OUTBOUND_DEDUPLICATION_S = 86_400
"""The longest time for which a message is valid: within it the server drops a repeated id."""
DEDUPLICATION_S = 120
SHORTEST_DEDUPLICATION_MS = 100
"""The shortest that nats-server accepts: a call's message id must have no effect."""
MESSAGE_MAX_BYTES = 1_048_576
"""Also the server's limit (`max_payload`)."""

SERVICES: dict[str, tuple[Durable, ...]] = {
    service.SERVICE: service.CONSUMES
    for service in (keyholder, intake, verification, handover, desk, query, witness)
}
"""What each service consumes, by its name, in the order in which `passage up` starts them."""

TIMED: tuple[str, ...] = tuple(name for name, may in policy().services.items() if may.timers)

Definition = dict[str, Any]

REPUBLISHED = {
    "src": f"{subjects.CASES_PREFIX}.>",
    "dest": subjects.NEWS,
    "headers_only": True,
}
"""Those who follow the log hear of new events without a consumer (ADR 10)."""


Kind = Literal["stream", "consumer"]


@dataclass(frozen=True)
class Wanted:
    """A stream or bucket, or a durable consumer of one.

    Keys that `config` lacks must be false, zero, empty or absent.
    """

    stream: str
    config: Definition
    consumer: str = ""

    @property
    def name(self) -> str:
        return self.consumer or self.stream

    @property
    def kind(self) -> Kind:
        return "consumer" if self.consumer else "stream"

    @property
    def path(self) -> str:
        """The end of its subjects in the JetStream API."""
        return f"{self.stream}.{self.consumer}" if self.consumer else self.stream

    @property
    def label(self) -> str:
        return self.path.replace(".", "/")


def streams(replicas: int, quota: Quota = USUAL) -> tuple[Wanted, ...]:
    """Buckets are streams too."""
    return (
        _stream(
            subjects.CASES,
            replicas,
            {
                "subjects": [f"{subjects.CASES_PREFIX}.>"],
                "max_consumers": CONSUMERS_MAX,
                "allow_direct": True,
                "allow_atomic": True,
                "republish": REPUBLISHED,
                "deny_delete": True,
                "deny_purge": True,
            },
        ),
        *(_calls(channel, replicas, quota) for channel in policy().channels.names),
        _stream(
            subjects.PARKED,
            replicas,
            {
                "subjects": ["parked.>"],
                "max_msgs_per_subject": PARKED_OF_A_CHANNEL_MAX,
                "discard_new_per_subject": True,
                "allow_direct": True,
            },
        ),
        _stream(
            subjects.AUDIT,
            replicas,
            {
                "subjects": [subjects.audit("*")],
                "allow_direct": True,
                "deny_delete": True,
                "deny_purge": True,
            },
        ),
        _outbound(replicas),
        *(_timers(name, replicas) for name in TIMED),
        _bucket(subjects.INDEX_BUCKET, replicas),
        _bucket(subjects.EARLY_ENDS_BUCKET, replicas),
        _nonces(replicas),
        _bucket(subjects.COUNTERS_BUCKET, replicas),
        _bucket(subjects.SESSIONS_BUCKET, replicas, {"max_age": SESSION_MAX_S * NANOSECONDS}),
        _challenges(replicas),
        _bucket(subjects.LOGIN_COUNTERS_BUCKET, replicas),
        # A rotation rewraps hundreds of keys in one batch.
        _bucket(subjects.KEYS_BUCKET, replicas, {"allow_atomic": True}),
    )


def consumers(services: Iterable[str] = SERVICES) -> tuple[Wanted, ...]:
    found = [durable for service in services for durable in SERVICES[service]]
    found += map(subjects.outbound_consumer, policy().channels.names)
    return tuple(map(_consumer, found))


def _stream(name: str, replicas: int, special: Definition) -> Wanted:
    return Wanted(
        name,
        {
            "name": name,
            "storage": "file",
            "num_replicas": replicas,
            "retention": "limits",
            "discard": "new",
            "max_msg_size": MESSAGE_MAX_BYTES,
            "duplicate_window": DEDUPLICATION_S * NANOSECONDS,
            **UNBOUNDED,
            **special,
        },
    )


def _calls(channel: str, replicas: int, quota: Quota) -> Wanted:
    """What one channel publishes (ADR 26)."""
    return _stream(
        subjects.calls_stream(channel),
        replicas,
        {
            "subjects": [subjects.calls(channel)],
            "retention": "workqueue",
            "max_bytes": quota.stream_bytes,
            "max_msgs": quota.messages,
            "max_msg_size": quota.message_bytes,
            "duplicate_window": SHORTEST_DEDUPLICATION_MS * MILLISECOND,
        },
    )


def _outbound(replicas: int) -> Wanted:
    """Messages to callers (ADR 18); one that no channel took in time may be unsafe, and expires."""
    return _stream(
        subjects.OUTBOUND,
        replicas,
        {
            "subjects": [subjects.outbound("*")],
            "retention": "workqueue",
            "max_msgs_per_subject": OUTBOUND_OF_A_CHANNEL_MAX,
            "discard_new_per_subject": True,
            "max_msg_size": OUTBOUND_MESSAGE_MAX_BYTES,
            "allow_msg_ttl": True,
            "duplicate_window": OUTBOUND_DEDUPLICATION_S * NANOSECONDS,
        },
    )


def _timers(service: str, replicas: int) -> Wanted:
    """A service's timers (ADR 12), one message a name, and due ones until they are processed."""
    return _stream(
        subjects.timers_stream(service),
        replicas,
        {
            "subjects": [subjects.timer(service, ">"), subjects.due(service, ">")],
            "retention": "workqueue",
            "max_msgs_per_subject": 1,
            "allow_msg_schedules": True,
            "allow_msg_ttl": True,
            "allow_rollup_hdrs": True,  # The server allows them where it allows schedules.
            # The server refuses `new` with schedules; without limits nothing is discarded anyway.
            "discard": "old",
        },
    )


def _nonces(replicas: int) -> Wanted:
    """What was given out to be signed, and for which command it was used."""
    special = {"max_age": NONCES_KEPT_S * NANOSECONDS, "max_msgs": NONCES_MAX, "discard": "old"}
    return _bucket(subjects.NONCES_BUCKET, replicas, special)


def _challenges(replicas: int) -> Wanted:
    """What browsers and key files are given to sign, until they have."""
    return _bucket(
        subjects.CHALLENGES_BUCKET,
        replicas,
        {
            "max_age": CHALLENGE_MAX_S * NANOSECONDS,
            "max_msgs": CHALLENGES_MAX,
            # Anybody may ask for one: whoever asks for too many loses their own oldest.
            "discard": "old",
        },
    )


def _bucket(bucket: str, replicas: int, special: Definition | None = None) -> Wanted:
    """A key-value bucket (NATS ADR-8) that keeps one value a key: old values are destroyed."""
    return _stream(
        f"KV_{bucket}",
        replicas,
        {
            "subjects": [f"$KV.{bucket}.>"],
            "max_msg_size": -1,
            "max_msgs_per_subject": 1,
            "allow_direct": True,
            "deny_delete": True,
            **(special or {}),
        },
    )


def _consumer(durable: Durable) -> Wanted:
    return Wanted(
        durable.stream,
        {
            "durable_name": durable.name,
            "name": durable.name,
            "deliver_policy": "all",
            "replay_policy": "instant",
            "ack_policy": "explicit",
            "ack_wait": ACK_WAIT_S * NANOSECONDS,
            "max_deliver": -1,
            "max_ack_pending": ACK_PENDING_MAX,
            "max_waiting": PULLS_WAITING_MAX,
            "filter_subjects": list(durable.filter_subjects),
        },
        consumer=durable.name,
    )
