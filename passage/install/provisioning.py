"""Makes the streams, buckets and consumers that are missing, and compares those that exist.

Talks the JetStream API itself, so that what is asked for is exactly what `definitions` says.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, cast
from uuid import uuid4

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.exits import Exit, VerbEndedError
from passage.install.comparing import (
    Difference,
    Kind,
    Provisioned,
    begun_where,
    consumer_differences,
    incarnation_of,
    is_foreign,
    stream_differences,
)
from passage.install.definitions import (
    ConsumerDefinition,
    Definition,
    StreamDefinition,
    consumers,
    streams,
)
from passage.install.quotas import USUAL, Quota
from passage.printing import counted
from shared import subjects
from shared.events.base import CONTENT_TYPE

TIMEOUT_S = 15.0
"""A replicated stream's first leader takes some seconds."""
NOT_FOUND = 404
TOO_LITTLE_DISK = 10047
TOO_FEW_SERVERS = {10004, 10005, 10008, 10009}
"""The cluster has no leader, or no server for each replica: some of them aren't there yet."""
DISK_HINT = (
    "; the quotas of all channels are reserved: make room on the disk, or lower "
    "PASSAGE_CALLS_MAX_BYTES"
)
OLD_CALLS = "CALLS"
"""The one stream of all channels that older versions had."""
AS_ROOMY_AS_CALLS = {"max_msg_size": 524_287, "max_msgs": -1, "max_bytes": -1}


class ApiRefusedError(Exception):
    """The JetStream API answered with an error; `code` is HTTP's, `detail` the server's own."""

    def __init__(self, code: int, detail_code: int, description: str) -> None:
        self.code = code
        self.detail_code = detail_code
        super().__init__(description)


async def provision(
    client: Client, replicas: int, update: bool = False, quota: Quota = USUAL
) -> list[Provisioned]:
    """Makes what is missing and compares the rest; with `update` changes what JetStream allows.

    Raises VerbEndedError where JetStream refuses to make one, as with more replicas than servers.
    """
    wanted = streams(replicas, quota)
    try:
        done = await _move_old_calls(client, wanted)
        done += [await _stream(client, one, update) for one in wanted]
        done += [await _consumer(client, one, update) for one in consumers()]
        return [*done, *await _unknown(client, wanted)]
    except ApiRefusedError as error:
        hint = DISK_HINT if error.detail_code == TOO_LITTLE_DISK else ""
        code = Exit.UNAVAILABLE if error.detail_code in TOO_FEW_SERVERS else Exit.FAILED
        raise VerbEndedError(code, f"JetStream refused: {error}{hint}") from None


async def compare(client: Client, replicas: int, quota: Quota = USUAL) -> list[Provisioned]:
    """Compares everything there is with the definitions, and changes nothing."""
    wanted = streams(replicas, quota)
    done = []
    for stream in wanted:
        found = await existing(client, f"STREAM.INFO.{stream.name}")
        unlike = () if found is None else stream_differences(stream, found)
        done.append(_compared("stream", stream.name, found, unlike))
    for one in consumers():
        found = await existing(client, f"CONSUMER.INFO.{one.stream}.{one.name}")
        unlike = () if found is None else consumer_differences(one, found)
        done.append(_compared("consumer", f"{one.stream}/{one.name}", found, unlike))
    return [*done, *await _unknown(client, wanted)]


def _compared(
    kind: Kind, name: str, found: Definition | None, unlike: tuple[Difference, ...]
) -> Provisioned:
    if found is None:
        return Provisioned(kind, name, "missing")
    return Provisioned(kind, name, "differs" if unlike else "as defined", unlike)


async def _stream(client: Client, wanted: StreamDefinition, update: bool) -> Provisioned:
    found = await existing(client, f"STREAM.INFO.{wanted.name}")
    if found is None:
        await ask(client, f"STREAM.CREATE.{wanted.name}", incarnated(wanted))
        return Provisioned("stream", wanted.name, "made")
    unlike = stream_differences(wanted, found)
    if not unlike or not update:
        return _compared("stream", wanted.name, found, unlike)
    try:
        await ask(client, f"STREAM.UPDATE.{wanted.name}", incarnated(wanted, found))
    except ApiRefusedError as error:
        return Provisioned("stream", wanted.name, "differs", unlike, str(error))
    return Provisioned("stream", wanted.name, "updated", unlike)


def incarnated(wanted: StreamDefinition, found: Definition | None = None) -> Definition:
    """The definition to ask for: CASES with the incarnation it has, or a new one."""
    if wanted.name != subjects.CASES:
        return wanted.config
    incarnation = incarnation_of(found or {}) or uuid4().hex
    return {**wanted.config, "metadata": {subjects.INCARNATION: incarnation}}


async def _consumer(client: Client, wanted: ConsumerDefinition, update: bool) -> Provisioned:
    name = f"{wanted.stream}/{wanted.name}"
    found = await existing(client, f"CONSUMER.INFO.{wanted.stream}.{wanted.name}")
    if found is None:
        try:
            await put_consumer(client, wanted, wanted.config, "create")
        except ApiRefusedError as error:  # By a stream that differs, and is named before.
            return Provisioned("consumer", name, "missing", problem=str(error))
        return Provisioned("consumer", name, "made")
    unlike = consumer_differences(wanted, found)
    if not unlike or not update:
        return _compared("consumer", name, found, unlike)
    try:
        await put_consumer(client, wanted, begun_where(wanted.config, found), "update")
    except ApiRefusedError as error:
        return Provisioned("consumer", name, "differs", unlike, str(error))
    return Provisioned("consumer", name, "updated", unlike)


async def put_consumer(
    client: Client, wanted: ConsumerDefinition, config: Definition, action: str
) -> None:
    """Makes or updates a durable consumer."""
    await ask(
        client,
        f"CONSUMER.CREATE.{wanted.stream}.{wanted.name}",
        {"stream_name": wanted.stream, "config": config, "action": action},
    )


async def _unknown(client: Client, wanted: Sequence[StreamDefinition]) -> list[Provisioned]:
    """Streams and consumers that nobody defined: they may copy, forward or swallow messages."""
    known = {one.name for one in wanted}
    names = await all_streams(client)
    found = []
    for name in sorted(set(names) - known):
        state = (await ask(client, f"STREAM.INFO.{name}", None))["state"]
        problem = f"it holds {counted(state['messages'], 'message')}"
        found.append(Provisioned("stream", name, "unknown", problem=problem))
    durables = {(one.stream, one.name) for one in consumers()}
    for stream in sorted(names):
        its_own = {name for its_stream, name in durables if its_stream == stream}
        for one in await consumers_of(client, stream):
            if is_foreign(one["config"], its_own):
                found.append(Provisioned("consumer", f"{stream}/{one['name']}", "unknown"))
    return found


async def all_streams(client: Client) -> list[str]:
    """The names of all streams there are."""
    return [str(name) for name in await _listed(client, "STREAM.NAMES", "streams")]


async def consumers_of(client: Client, stream: str) -> list[dict[str, Any]]:
    """All consumers of a stream, as the server describes them."""
    return await _listed(client, f"CONSUMER.LIST.{stream}", "consumers")


async def _listed(client: Client, subject: str, key: str) -> list[Any]:
    found: list[Any] = []
    while True:
        answer = await ask(client, subject, {"offset": len(found)})
        page = answer[key] or []
        found += page
        if not page or len(found) >= answer["total"]:
            return found


async def _move_old_calls(client: Client, wanted: Sequence[StreamDefinition]) -> list[Provisioned]:
    """Moves what waits in an older version's CALLS to the streams of its channels.

    A message is in its channel's stream before it leaves the old one: after an end in between it
    is in both, and has one effect.
    """
    old = await existing(client, f"STREAM.INFO.{OLD_CALLS}")
    if old is None:
        return []
    streams_of = {
        one.config["subjects"][0]: one for one in wanted if subjects.is_calls_stream(one.name)
    }
    # No subject may be of two streams. Until the new ones are there a channel is refused.
    given_up = {**old, "subjects": [f"{OLD_CALLS}.moved"]}
    await ask(client, f"STREAM.UPDATE.{OLD_CALLS}", given_up)
    for one in streams_of.values():
        there = await existing(client, f"STREAM.INFO.{one.name}")
        verb = "CREATE" if there is None else "UPDATE"
        # What was acknowledged once is taken, however large or much it is.
        await ask(client, f"STREAM.{verb}.{one.name}", {**one.config, **AS_ROOMY_AS_CALLS})
    for subject in streams_of:
        await _move(client, subject)
    for one in streams_of.values():
        await ask(client, f"STREAM.UPDATE.{one.name}", one.config)
    if (await ask(client, f"STREAM.INFO.{OLD_CALLS}", None))["state"]["messages"]:
        return []  # Of no channel of the policy: it is unknown, and named as such.
    await ask(client, f"STREAM.DELETE.{OLD_CALLS}", None)
    return [Provisioned("stream", OLD_CALLS, "moved")]


async def _move(client: Client, subject: str) -> None:
    while True:
        try:
            first = {"seq": 1, "next_by_subj": subject}
            message = (await ask(client, f"STREAM.MSG.GET.{OLD_CALLS}", first))["message"]
        except ApiRefusedError as error:
            if error.code == NOT_FOUND:
                return
            raise
        body = b64decode(message.get("data", ""))
        headers = {"Content-Type": CONTENT_TYPE}
        reply = await client.request(subject, body, timeout=TIMEOUT_S, headers=headers)
        if "error" in (answer := json.loads(reply.data)):
            raise VerbEndedError(Exit.FAILED, f"{subject}: {answer['error']['description']}")
        await ask(client, f"STREAM.MSG.DELETE.{OLD_CALLS}", {"seq": message["seq"]})


async def existing(client: Client, subject: str) -> Definition | None:
    """The configuration that a STREAM.INFO or CONSUMER.INFO gives; None where there is nothing."""
    try:
        return cast(Definition, (await ask(client, subject, None))["config"])
    except ApiRefusedError as error:
        if error.code == NOT_FOUND:
            return None
        raise


async def ask(client: Client, subject: str, body: Any) -> dict[str, Any]:
    """Asks the JetStream API. Raises ApiRefusedError, and VerbEndedError (5) on no answer."""
    payload = b"" if body is None else json.dumps(body).encode()
    try:
        reply = await client.request(f"$JS.API.{subject}", payload, timeout=TIMEOUT_S)
    except NatsError as error:
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"JetStream doesn't answer ({type(error).__name__})"
        ) from None
    answer = cast(dict[str, Any], json.loads(reply.data))
    if "error" in answer:
        error_of = answer["error"]
        raise ApiRefusedError(
            error_of.get("code", 0), error_of.get("err_code", 0), error_of.get("description", "")
        )
    return answer
