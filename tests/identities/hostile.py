"""What somebody with a channel's credentials can say to the log beside a body: every header that
nats-server gives a meaning to, message ids of others, and every stream that there is.
"""

from collections.abc import Iterator

Headers = dict[str, str]


def headers(foreign: str = "calls.telegram") -> Iterator[Headers]:
    """Each is tried by itself; `foreign` is a subject that isn't the channel's."""
    batch = {"Nats-Batch-Id": "batch", "Nats-Batch-Sequence": "1"}
    schedule = {"Nats-Schedule": "@at 2020-01-01T00:00:00Z"}
    yield from (
        {"Nats-Rollup": "all"},
        {"Nats-Rollup": "sub"},
        {"Nats-TTL": "1s"},
        {"Nats-TTL": "never"},
        {**schedule, "Nats-Schedule-Target": foreign},
        {**schedule, "Nats-Schedule-Target": "cases.0F0000000001.1.IdentityVerified"},
        {"Nats-Schedule": "@every 1s", "Nats-Schedule-Target": foreign},
        {"Nats-Schedule-Source": foreign},
        {"Nats-Schedule-TTL": "1s"},
        {"Nats-Scheduler": foreign, "Nats-Schedule-Next": "purge"},
        {"Nats-Expected-Stream": "CALLS_telegram"},
        {"Nats-Expected-Last-Sequence": "0"},
        {"Nats-Expected-Last-Subject-Sequence": "0"},
        {
            "Nats-Expected-Last-Subject-Sequence": "0",
            "Nats-Expected-Last-Subject-Sequence-Subject": foreign,
        },
        {"Nats-Expected-Last-Msg-Id": "telegram.call-1"},
        batch,
        {**batch, "Nats-Batch-Commit": "1"},
        {**batch, "Nats-Batch-Commit": "eob"},
        {"Nats-Incr": "1"},
        {"Nats-Counter-Sources": "{}"},
        {"Nats-Marker-Reason": "Purge"},
        {"KV-Operation": "PURGE"},
        {"Nats-Stream-Source": f"CALLS_telegram 1 {foreign} {foreign}"},
        {"Nats-Required-Api-Level": "99"},
        {"Nats-Stream": "CASES", "Nats-Sequence": "1", "Nats-Subject": foreign},
        {"Nats-Request-Info": "{}"},
        {"Nats-Trace-Dest": foreign},
        {"Nats-Trace-Dest": "calls.phone", "Nats-Trace-Only": "true"},
        {"Nats-Consumer-Stalled": foreign},
        {"Nats-Pin-Id": "x"},
        {"Status": "503"},
        {"Status": "409", "Description": "Consumer Deleted"},
        {"Nats-Msg-Id": "x" * 60_000},
        {"X": "x" * 65_000},
    )


def claimed(number: int) -> Iterator[Headers]:
    """The ids that a genuine call may go by, of this channel and of others."""
    for name in (f"telegram.call-{number}", f"call-{number}", f"phone.call-{number}"):
        yield {"Nats-Msg-Id": name}


FOREIGN = (
    *("calls.telegram", "calls.web", "calls.>", "calls.phone.more", "calls.*"),
    *("cases.0F0000000001.1.CaseOpened", "cases.0F0000000001.1.IdentityVerified"),
    *("parked.intake.CALLS_telegram", "outbound.phone", "outbound.telegram"),
    *("timers.intake.x", "due.intake.x", "audit.many", "$KV.INDEX.call.telegram.1", "$KV.KEYS.X"),
)
"""Subjects of every stream, none of them phone's."""
