"""nats-server's accounts, made from the policy file: who may publish, request and receive what.

Each service and each channel has an account of its own, which imports from the account PASSAGE
exactly the subjects that the policy grants. Within an account a request may name any subject for
its answer, and the server publishes there unchecked; ADR 10 describes the attack.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shared import subjects
from shared.policy import Policy, Rights
from shared.subjects import KEEPER, channel_identity, outbox_identity

LOG_ACCOUNT = "PASSAGE"
SYSTEM_ACCOUNT = "SYS"
SERVER_API = "$JS.API"
ANSWERS_WITHIN = "30s"
"""How long the server accepts answers to a request that may have several."""
CHANNEL_ANSWERED_WITHIN = "3s"
"""The same for the single answer to a channel that takes messages. The server remembers an
unanswered request for up to twice as long, by default for four minutes, and a channel can make
thousands a second (ADR 26). `passage.deliveries` never waits longer than this."""
JETSTREAM = "jetstream: enabled"
CHANNEL_CONNECTIONS_MAX, OUTBOX_CONNECTIONS_MAX, SUBSCRIPTIONS_MAX = 5, 3, 64
CHANNEL_LIMITS = (
    f"max_connections: {CHANNEL_CONNECTIONS_MAX}, max_subscriptions: {SUBSCRIPTIONS_MAX}"
)
"""The server keeps 64 MiB that a connection doesn't read, one copy for each subscription: with 64
and 1,024, one channel took 2 GB of the server's memory in four seconds."""
OUTBOX_MESSAGE_MAX_BYTES = 1_024
"""A request for messages, an acknowledgement or a report. The server keeps requests, without a
bound, until it has read them: 1,600 of a megabyte took 1.4 GB of it in three seconds."""
OUTBOX_LIMITS = (
    f"max_connections: {OUTBOX_CONNECTIONS_MAX}, max_subscriptions: {SUBSCRIPTIONS_MAX}, "
    f"max_payload: {OUTBOX_MESSAGE_MAX_BYTES}"
)
SERVERS = {
    subjects.STORAGE: "$SYS.REQ.SERVER.PING.JSZ",
    subjects.SERVERS_HEALTH: "$SYS.REQ.SERVER.PING.HEALTHZ",
}
"""Requests to the servers themselves: the subject in an account, and the servers' own."""


@dataclass(frozen=True, order=True)
class Grant:
    """A subject that `owner` exports to `account`, which knows it as `local`.

    The importer asks a `service` and hears a `stream`. `many`: a request may have several answers.
    `within`: how long an answer is accepted, if not for the server's usual two minutes.
    """

    owner: str
    account: str
    subject: str
    local: str
    kind: str = "service"
    many: bool = False
    within: str = ""


def account_of(identity: str) -> str:
    return LOG_ACCOUNT if identity == KEEPER else identity.upper().replace("-", "_")


def grants(rules: Policy) -> tuple[Grant, ...]:
    holder = account_of(subjects.KEYHOLDER)
    found: list[Grant] = [
        *_of_servers(KEEPER, *SERVERS),
        _service(holder, KEEPER, subjects.keyholder("*", KEEPER)),
    ]
    for name, rights in rules.services.items():
        found += _of_the_log(name, rights)
        found += _of_others(name, rights, rules)
        found.append(_service(account_of(name), KEEPER, subjects.health(name)))
        if rights.consumes:
            found.append(_service(account_of(name), KEEPER, subjects.retry(name)))
    for channel in rules.channels.names:
        outbox, consumer = outbox_identity(channel), subjects.outbound_consumer(channel).name
        calls = subjects.calls(channel)
        found += (_log(channel_identity(channel), calls), _log(outbox, calls))
        for one in _consuming(outbox, subjects.OUTBOUND, consumer, many=False):
            found.append(replace(one, within=CHANNEL_ANSWERED_WITHIN))
    return tuple(found)


def configuration(rules: Policy, public_keys: Mapping[str, str]) -> str:
    """The `accounts` block of nats-server's configuration, and what belongs to it."""
    found = grants(rules)
    blocks = [_block(LOG_ACCOUNT, f"users: [{{nkey: {public_keys[KEEPER]}}}]", found, JETSTREAM)]
    names = rules.channels.names
    limited = dict.fromkeys(map(channel_identity, names), f"limits: {{{CHANNEL_LIMITS}}}")
    limited |= dict.fromkeys(map(outbox_identity, names), f"limits: {{{OUTBOX_LIMITS}}}")
    for name in (*rules.services, *limited):
        users = _user(rules, name, found, public_keys[name])
        limits = limited.get(name, "")
        blocks.append(_block(account_of(name), users, found, limits))
    blocks.append(_block(SYSTEM_ACCOUNT, "", found))
    lines = [
        "# Made by `passage init` from shared/policy.toml; rewritten each time.",
        "accounts {",
        *blocks,
        "}",
        f"system_account: {SYSTEM_ACCOUNT}",
    ]
    return "\n".join(lines) + "\n"


def _of_the_log(name: str, rights: Rights) -> Iterator[Grant]:
    yield from (_log(name, subjects.case_events(one)) for one in rights.records)
    for stream in rights.reads:
        yield from _reading(name, stream)
        yield _api(name, f"STREAM.INFO.{stream}")
    yield from (_api(name, f"STREAM.INFO.{stream}") for stream in rights.watches)
    if subjects.CASES in rights.reads:
        yield _told(LOG_ACCOUNT, name, subjects.NEWS)
    for bucket, verb in rights.buckets.items():
        yield from _reading(name, f"KV_{bucket}")
        if verb == "write":
            yield _log(name, f"$KV.{bucket}.>")
    for durable in rights.consumes:
        yield from _consuming(name, *durable.split("/"))
    allowed = {
        subjects.all_parked(name): bool(rights.consumes),
        subjects.timer(name, ">"): rights.timers,
        subjects.audit("*"): rights.audits,
        subjects.outbound("*"): rights.sends,
    }
    yield from (_log(name, subject) for subject, is_allowed in allowed.items() if is_allowed)
    if rights.storage or rights.stores:
        yield from _of_servers(name, subjects.STORAGE)
    if rights.stores:
        yield from _of_servers(name, subjects.SERVERS_HEALTH)


def _of_servers(name: str, *asked: str) -> Iterator[Grant]:
    yield from (_service(SYSTEM_ACCOUNT, name, SERVERS[one], one, True) for one in asked)


def _consuming(name: str, stream: str, consumer: str, *, many: bool = True) -> Iterator[Grant]:
    """`many`: one request may bring several messages, and heartbeats while it waits.

    The requester chooses the heartbeat: 500 requests with one each nanosecond took 350 MB of the
    server's memory and delayed others' calls. So a channel takes one message a request. And nobody
    may ask about a consumer: in a cluster all such requests wait in one queue, services' own too.
    """
    yield _api(name, f"CONSUMER.MSG.NEXT.{stream}.{consumer}", many=many)
    yield _log(name, f"$JS.ACK.{stream}.{consumer}.>")


def _reading(name: str, stream: str) -> Iterator[Grant]:
    yield _api(name, f"DIRECT.GET.{stream}", many=True)
    yield _api(name, f"DIRECT.GET.{stream}.>", many=True)
    yield _api(name, f"STREAM.MSG.GET.{stream}")


def _of_others(name: str, rights: Rights, rules: Policy) -> Iterator[Grant]:
    for asked in rights.commands:
        yield _service(account_of(asked), name, subjects.command(asked, "*"))
        yield _service(account_of(asked), name, subjects.nonces(asked))
    holder = account_of(subjects.KEYHOLDER)
    if rights.asks:
        yield _told(holder, name, subjects.KEYHOLDER_SEALED)
    for operation in rights.asks:
        yield _service(holder, name, subjects.keyholder(operation, name))
    if rights.retries:
        for other, theirs in rules.services.items():
            if theirs.consumes and other != name:
                yield _service(account_of(other), name, subjects.retry(other))


def _service(owner: str, identity: str, subject: str, local: str = "", many: bool = False) -> Grant:
    return Grant(owner, account_of(identity), subject, local or subject, many=many)


def _told(owner: str, identity: str, subject: str) -> Grant:
    return Grant(owner, account_of(identity), subject, subject, kind="stream")


def _log(identity: str, subject: str) -> Grant:
    return _service(LOG_ACCOUNT, identity, subject)


def _api(identity: str, request: str, many: bool = False) -> Grant:
    # Every account imports the server's own $JS.API.>, which answers "JetStream not enabled" at
    # once; so the log's API has another name.
    return _service(
        LOG_ACCOUNT, identity, f"{SERVER_API}.{request}", f"{subjects.LOG_API}.{request}", many
    )


def _answered(service: str) -> Iterator[str]:
    yield subjects.health(service)
    yield subjects.retry(service)
    yield subjects.command(service, "*")
    yield subjects.nonces(service)
    if service == subjects.KEYHOLDER:
        yield subjects.keyholder("*", "*")


def _user(rules: Policy, identity: str, found: tuple[Grant, ...], public_key: str) -> str:
    """A service or channel with its rights in its own account; the keeper's are unlimited."""
    own = [one for one in found if one.account == account_of(identity)]
    publish = [one.local for one in own if one.kind == "service"]
    subscribe = [f"{subjects.inbox(identity)}.>"]
    subscribe += [one.local for one in own if one.kind == "stream"]
    if identity in rules.services:
        # A container's health check has only the service's own key.
        publish.append(subjects.health(identity))
        subscribe += [*_answered(identity)]
    if identity == subjects.KEYHOLDER:
        publish.append(subjects.KEYHOLDER_SEALED)
    permissions = (
        f"publish: {{allow: {json.dumps(publish)}}}, "
        f"subscribe: {{allow: {json.dumps(subscribe)}}}, allow_responses: true"
    )
    return f"users: [{{nkey: {public_key}, permissions: {{{permissions}}}}}]"


def _block(account: str, users: str, found: tuple[Grant, ...], special: str = "") -> str:
    lines = [f"  {account} {{", *(f"    {line}" for line in (special, users) if line)]
    lines += ["    exports: [", *_exports(account, found), "    ]"]
    lines += ["    imports: [", *_imports(account, found), "    ]", "  }"]
    return "\n".join(lines)


def _exports(account: str, found: tuple[Grant, ...]) -> Iterator[str]:
    allowed: dict[tuple[str, str, bool, str], list[str]] = {}
    for one in sorted(found):
        if one.owner == account:
            allowed.setdefault((one.kind, one.subject, one.many, one.within), []).append(
                one.account
            )
    for (kind, subject, many, within), accounts in allowed.items():
        more = ", response_type: stream" if many else ""
        if threshold := ANSWERS_WITHIN if many else within:
            more += f', response_threshold: "{threshold}"'
        yield f"      {{{kind}: {json.dumps(subject)}, accounts: {json.dumps(accounts)}{more}}}"


def _imports(account: str, found: tuple[Grant, ...]) -> Iterator[str]:
    for one in sorted(found):
        if one.account == account:
            named = "" if one.local == one.subject else f", to: {json.dumps(one.local)}"
            source = f"{{account: {one.owner}, subject: {json.dumps(one.subject)}}}"
            yield f"      {{{one.kind}: {source}{named}}}"
