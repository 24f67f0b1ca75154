"""Every stream, bucket and durable consumer of Passage as it must be; nothing else makes any.

The keys and values are the server's own (JetStream API, `io.nats.jetstream.api.v1`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from passage.install.quotas import USUAL, Quota
from services import handover, intake, keyholder, query, verification, witness
from shared import subjects
from shared.policy import policy
from shared.subjects import Durable

NANOSECONDS = 1_000_000_000
MILLISECOND = 1_000_000
ACK_WAIT_S = 30
ACK_PENDING_MAX = 65_536
PULLS_WAITING_MAX = 512
CONSUMERS_MAX = 64
PARKED_OF_A_CHANNEL_MAX = 500
"""What more of a channel can't be processed waits in its own stream, and counts for its quota."""
OUTBOUND_OF_A_CHANNEL_MAX = 1_000
OUTBOUND_MESSAGE_MAX_BYTES = 131_072
UNBOUNDED = {
    "max_consumers": -1,
    "max_msgs": -1,
    "max_bytes": -1,
    "max_msgs_per_subject": -1,
    "compression": "none",
}
"""What the server says of a stream of which nothing else was asked for."""
OUTBOUND_DEDUPLICATION_S = 86_400
"""As long as a message may be valid at most: within it none is taken twice for its id."""
DEDUPLICATION_S = 120
SHORTEST_DEDUPLICATION_MS = 100
"""The least that nats-server takes; a call's id decides nothing, so none is to be remembered."""
MESSAGE_MAX_BYTES = 1_048_576
"""The server's own limit (`max_payload`) as well."""

SERVICES: dict[str, tuple[Durable, ...]] = {
    service.SERVICE: service.CONSUMES
    for service in (keyholder, intake, verification, handover, query, witness)
}
"""The services by name, in the order they are started, with what each consumes."""

TIMED: tuple[str, ...] = tuple(name for name, may in policy().services.items() if may.timers)
"""The services that set timers."""

Definition = dict[str, Any]

REPUBLISHED = {
    "src": f"{subjects.CASES_PREFIX}.>",
    "dest": subjects.NEWS,
    "headers_only": True,
}
"""Who follows the log hears of new events without a consumer of his own (ADR 10)."""


@dataclass(frozen=True)
class StreamDefinition:
    """A stream as it must be; keys that aren't here must be false, zero, empty or not there."""

    name: str
    config: Definition


@dataclass(frozen=True)
class ConsumerDefinition:
    """A durable consumer as it must be, as a stream."""

    stream: str
    name: str
    config: Definition


def streams(replicas: int, quota: Quota = USUAL) -> tuple[StreamDefinition, ...]:
    """All streams; buckets are streams too."""
    return (
        _stream(
            subjects.CASES,
            replicas,
            {
                "subjects": [f"{subjects.CASES_PREFIX}.>"],
                "retention": "limits",
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
                "retention": "limits",
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
                "retention": "limits",
                "allow_direct": True,
                "deny_delete": True,
                "deny_purge": True,
            },
        ),
        _outbound(replicas),
        *(_timers(name, replicas) for name in TIMED),
        _bucket(subjects.INDEX_BUCKET, replicas),
        _bucket(subjects.EARLY_ENDS_BUCKET, replicas),
        # A rotation wraps hundreds of keys anew in one batch.
        _bucket(subjects.KEYS_BUCKET, replicas, {"allow_atomic": True}),
    )


def consumers(services: Iterable[str] = SERVICES) -> tuple[ConsumerDefinition, ...]:
    """The durable consumers of the services, and of the channels."""
    found = [durable for service in services for durable in SERVICES[service]]
    found += map(subjects.outbound_consumer, policy().channels.names)
    return tuple(map(_consumer, found))


def _stream(name: str, replicas: int, special: Definition) -> StreamDefinition:
    return StreamDefinition(
        name,
        {
            "name": name,
            "storage": "file",
            "num_replicas": replicas,
            "discard": "new",
            "max_msg_size": MESSAGE_MAX_BYTES,
            "duplicate_window": DEDUPLICATION_S * NANOSECONDS,
            **UNBOUNDED,
            **special,
        },
    )


def _calls(channel: str, replicas: int, quota: Quota) -> StreamDefinition:
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


def _outbound(replicas: int) -> StreamDefinition:
    """Messages to callers (ADR 18): what no channel took in time is gone; it may endanger him."""
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


def _timers(service: str, replicas: int) -> StreamDefinition:
    """A service's timers (ADR 12): one message a name, and what is due until it is processed."""
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
            # The server refuses `new` with schedules; without a limit nothing is discarded.
            "discard": "old",
        },
    )


def _bucket(bucket: str, replicas: int, special: Definition | None = None) -> StreamDefinition:
    """A key-value bucket (ADR-8 of NATS) that keeps one value a key, so that old ones are gone."""
    return StreamDefinition(
        f"KV_{bucket}",
        {
            "name": f"KV_{bucket}",
            "subjects": [f"$KV.{bucket}.>"],
            "storage": "file",
            "num_replicas": replicas,
            "retention": "limits",
            "discard": "new",
            "duplicate_window": DEDUPLICATION_S * NANOSECONDS,
            **UNBOUNDED,
            "max_msg_size": -1,
            "max_msgs_per_subject": 1,
            "allow_direct": True,
            "deny_delete": True,
            **(special or {}),
        },
    )


def _consumer(durable: Durable) -> ConsumerDefinition:
    return ConsumerDefinition(
        durable.stream,
        durable.name,
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
    )
