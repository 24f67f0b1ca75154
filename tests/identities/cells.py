"""What identities may try, and what the policy's tables say of each; no line here comes from the
code that makes the server's permissions.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.events.catalogue import CASE_EVENTS
from shared.policy import Rights, policy

SERVICES = tuple(policy().services)
CHANNELS = tuple(policy().channels.names)
STREAMS = (
    "CASES", "CALLS_phone", "CALLS_web", "CALLS", "PARKED", "TIMERS", "AUDIT", "OUTBOUND",
    "KV_INDEX", "KV_EARLY_ENDS", "KV_KEYS", "KV_SESSIONS", "KV_CHALLENGES", "KV_LOGIN_COUNTERS",
)  # fmt: skip
BUCKETS = ("INDEX", "EARLY_ENDS", "KEYS", "SESSIONS", "CHALLENGES", "LOGIN_COUNTERS")
OPERATIONS = (
    *("seal", "open", "unbox", "hash", "search", "found", "parked"),
    *("rotate", "pepper", "close"),
)
DURABLES = (
    *sorted({one for rights in policy().services.values() for one in rights.consumes}),
    *(f"OUTBOUND/{channel}" for channel in CHANNELS),
)
EVENT_TYPES = (*CASE_EVENTS, "Invented")
WITHOUT_STREAM = (
    "INFO", "STREAM.LIST", "STREAM.NAMES", "STREAM.CREATE.MINE", "SERVER.REMOVE",
    "META.LEADER.STEPDOWN", "ACCOUNT.PURGE.PASSAGE", "STREAM.TEMPLATE.NAMES",
)  # fmt: skip
STREAM_VERBS = (
    "STREAM.INFO", "STREAM.MSG.GET", "DIRECT.GET",
    "STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.DELETE",
    "STREAM.SNAPSHOT", "STREAM.RESTORE", "STREAM.LEADER.STEPDOWN", "STREAM.PEER.REMOVE",
    "CONSUMER.CREATE", "CONSUMER.LIST", "CONSUMER.NAMES",
)  # fmt: skip
CONSUMER_VERBS = (
    "CONSUMER.INFO", "CONSUMER.MSG.NEXT", "CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE",
    "CONSUMER.DELETE", "CONSUMER.PAUSE", "CONSUMER.LEADER.STEPDOWN", "CONSUMER.UNPIN",
    "CONSUMER.RESET",
)  # fmt: skip


class Cell(NamedTuple):
    kind: str
    names: tuple[str, ...]
    subject: str

    @property
    def owner(self) -> str:
        """Who hears it: the service that answers, or the keeper, in the log's account."""
        if self.kind in {"command", "retry", "health"}:
            return self.names[0]
        return {"ask": "keyholder", "inbox": "nobody", "news": "nobody"}.get(self.kind, "keeper")

    @property
    def tried(self) -> tuple[str, ...]:
        """The subjects to publish to: JetStream's API has two names."""
        if self.subject.startswith("$JS.API."):
            return (self.subject, self.subject.replace("$JS.API", "PASSAGE.API"))
        return (self.subject,)


def cells() -> Iterator[Cell]:
    yield from (Cell("event", (t,), f"cases.0EXAMP000001.1.{t}") for t in EVENT_TYPES)
    yield Cell("other", (), "cases.0EXAMP000001")
    yield Cell("other", (), "cases-tracking.intake")
    yield from (Cell("api", (one,), f"$JS.API.{one}") for one in WITHOUT_STREAM)
    for stream in STREAMS:
        for verb in STREAM_VERBS:
            yield Cell("stream", (verb, stream), f"$JS.API.{verb}.{stream}")
        yield Cell("stream", ("DIRECT.GET", stream), f"$JS.API.DIRECT.GET.{stream}.x.y")
        yield Cell("stream", ("CONSUMER.CREATE", stream), f"$JS.API.CONSUMER.CREATE.{stream}.n.>")
        yield Cell("stream", ("FC", stream), f"$JS.FC.{stream}.x.y")
    for durable in DURABLES:
        stream, name = durable.split("/")
        for verb in CONSUMER_VERBS:
            yield Cell("consumer", (verb, durable), f"$JS.API.{verb}.{stream}.{name}")
        yield Cell("consumer", ("ACK", durable), f"$JS.ACK.{stream}.{name}.1.1.1.1.0")
        yield Cell("consumer", ("ACK.new", durable), f"$JS.ACK._.x.{stream}.{name}.1.1.1.1.0")
    yield from (Cell("put", (one,), f"$KV.{one}.some-key") for one in BUCKETS)
    for service in SERVICES:
        yield Cell("parked", (service,), f"parked.{service}.wrong_data")
        yield Cell("timer", (service,), f"timers.{service}.some-timer")
        yield Cell("due", (service,), f"due.{service}.some-timer")
        yield Cell("retry", (service,), f"retry.{service}")
        yield Cell("health", (service,), f"health.{service}")
        yield from (Cell("ask", (o, service), f"keyholder.{o}.{service}") for o in OPERATIONS)
        yield Cell("inbox", (service,), f"_INBOX_{service}.some.answer")
    yield from (Cell("ask", (o, "keeper"), f"keyholder.{o}.keeper") for o in OPERATIONS)
    yield Cell("inbox", ("keeper",), "_INBOX_keeper.some.answer")
    yield from (
        Cell("command", (ANSWERED_BY[one], name), f"commands.{ANSWERED_BY[one]}.{name}")
        for name, one in COMMANDS.items()
    )
    yield Cell("audit", (), "audit.0EXAMP000001")
    yield from (Cell("call", (one,), f"calls.{one}") for one in CHANNELS)
    yield from (Cell("outbound", (one,), f"outbound.{one}") for one in CHANNELS)
    yield Cell("news", (), "news.0EXAMP000001.1.IdentityVerified")
    of_system = ("SERVER.PING.VARZ", "SERVER.PING.HEALTHZ", "ACCOUNT.PASSAGE.CONNZ")
    yield from (Cell("other", (), f"$SYS.REQ.{one}") for one in of_system)


Names = tuple[str, ...]
OF_CONSUMERS = {"CONSUMER.MSG.NEXT", "ACK"}

RULES: dict[str, Callable[[str, Rights, Names], bool]] = {
    "event": lambda _, rights, names: names[0] in rights.records,
    "stream": lambda _, rights, names: _may_read(rights, *names),
    "consumer": lambda _, rights, names: names[0] in OF_CONSUMERS and names[1] in rights.consumes,
    "put": lambda _, rights, names: rights.buckets.get(names[0]) == "write",
    "parked": lambda who, rights, names: names[0] == who and bool(rights.consumes),
    "timer": lambda who, rights, names: names[0] == who and rights.timers,
    "audit": lambda _, rights, __: rights.audits,
    "outbound": lambda _, rights, __: rights.sends,
    "command": lambda _, rights, names: names[0] in rights.commands,
    "ask": lambda who, rights, names: names[1] == who and names[0] in rights.asks,
    "retry": lambda _, rights, names: rights.retries and _consumes(names[0]),
    "health": lambda who, _, names: names[0] == who,
}
"""What of each kind a service may; of a kind that isn't here, nothing."""


def granted(identity: str, cell: Cell) -> bool:
    kind, _, channel = identity.partition("-")
    if kind in {"channel", "outbox"}:
        if cell.kind == "consumer" and kind == "outbox":
            return cell.names[0] in OF_CONSUMERS and cell.names[1] == f"OUTBOUND/{channel}"
        return cell.kind == "call" and cell.names == (channel,)
    rule = RULES.get(cell.kind)
    return rule is not None and rule(identity, policy().services[identity], cell.names)


def _consumes(service: str) -> bool:
    return bool(policy().services[service].consumes)


def _may_read(rights: Rights, verb: str, stream: str) -> bool:
    if verb == "STREAM.INFO":
        return stream in (*rights.reads, *rights.watches)
    is_bucket = stream.removeprefix("KV_") in rights.buckets and stream.startswith("KV_")
    return verb in {"STREAM.MSG.GET", "DIRECT.GET"} and (stream in rights.reads or is_bucket)
