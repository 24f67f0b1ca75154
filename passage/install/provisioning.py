"""Makes the streams, buckets and consumers that are missing, and compares those that exist.

Calls the JetStream API itself, so that it asks for exactly what `definitions` says.
"""

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.exits import Exit, VerbEndedError
from passage.install.comparing import (
    Provisioned,
    State,
    begun_where,
    differences_of,
    incarnation_of,
    is_foreign,
)
from passage.install.definitions import (
    Definition,
    Wanted,
    consumers,
    streams,
)
from passage.install.quotas import USUAL, Quota
from passage.printing import counted
from shared import subjects
from shared.events.base import CONTENT_TYPE

TIMEOUT_S = 15.0
"""The first leader of a replicated stream takes some seconds."""
NOT_FOUND = 404
TOO_LITTLE_DISK = 10047
TOO_FEW_SERVERS = {10004, 10005, 10008, 10009}
"""The cluster has no leader, or fewer servers than replicas: some haven't started yet."""
DISK_HINT = (
    "; the quotas of all channels are reserved: make room on the disk, or lower "
    "PASSAGE_CALLS_MAX_BYTES"
)
OLD_CALLS = "CALLS"
"""Older versions had this one stream for all channels."""
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

    Raises VerbEndedError if JetStream refuses to make one, e.g. with more replicas than servers.
    """
    wanted = streams(replicas, quota)
    try:
        done = await _move_old_calls(client, wanted)
        done += [await _provisioned(client, one, update) for one in (*wanted, *consumers())]
        return [*done, *await _unknown(client, wanted)]
    except ApiRefusedError as error:
        hint = DISK_HINT if error.detail_code == TOO_LITTLE_DISK else ""
        code = Exit.UNAVAILABLE if error.detail_code in TOO_FEW_SERVERS else Exit.FAILED
        raise VerbEndedError(code, f"JetStream refused: {error}{hint}") from None


async def compare(client: Client, replicas: int, quota: Quota = USUAL) -> list[Provisioned]:
    """Compares everything there is with the definitions, and changes nothing."""
    wanted = streams(replicas, quota)
    done = [_compared(one, await _found(client, one)) for one in (*wanted, *consumers())]
    return [*done, *await _unknown(client, wanted)]


async def _found(client: Client, wanted: Wanted) -> Definition | None:
    return await existing(client, f"{wanted.kind.upper()}.INFO.{wanted.path}")


def _compared(wanted: Wanted, found: Definition | None) -> Provisioned:
    if found is None:
        return Provisioned(wanted.kind, wanted.label, "missing")
    unlike = differences_of(wanted, found)
    state: State = "differs" if unlike else "as defined"
    return Provisioned(wanted.kind, wanted.label, state, unlike)


async def _provisioned(client: Client, wanted: Wanted, update: bool) -> Provisioned:
    found = await _found(client, wanted)
    compared = _compared(wanted, found)
    if found is not None and not (compared.differences and update):
        return compared
    try:
        await _put(client, wanted, found)
    except ApiRefusedError as error:
        if found is None and wanted.kind == "stream":
            raise
        # A stream that differs may refuse a consumer; it is named before.
        return replace(compared, problem=str(error))
    return replace(compared, state="made" if found is None else "updated")


async def _put(client: Client, wanted: Wanted, found: Definition | None) -> None:
    verb = "create" if found is None else "update"
    if wanted.consumer:
        await put_consumer(client, wanted, begun_where(wanted.config, found or {}), verb)
    else:
        await ask(client, f"STREAM.{verb.upper()}.{wanted.name}", incarnated(wanted, found))


def incarnated(wanted: Wanted, found: Definition | None = None) -> Definition:
    """The definition to ask for: CASES keeps its incarnation or gets a new one."""
    if wanted.name != subjects.CASES:
        return wanted.config
    incarnation = incarnation_of(found or {}) or uuid4().hex
    return {**wanted.config, "metadata": {subjects.INCARNATION: incarnation}}


async def put_consumer(client: Client, wanted: Wanted, config: Definition, action: str) -> None:
    await ask(
        client,
        f"CONSUMER.CREATE.{wanted.path}",
        {"stream_name": wanted.stream, "config": config, "action": action},
    )


async def _unknown(client: Client, wanted: Sequence[Wanted]) -> list[Provisioned]:
    """Streams and consumers without a definition: they may copy, forward or swallow messages."""
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
    return [str(name) for name in await _listed(client, "STREAM.NAMES", "streams")]


async def consumers_of(client: Client, stream: str) -> list[dict[str, Any]]:
    """As the server describes them."""
    return await _listed(client, f"CONSUMER.LIST.{stream}", "consumers")


async def _listed(client: Client, subject: str, key: str) -> list[Any]:
    found: list[Any] = []
    while True:
        answer = await ask(client, subject, {"offset": len(found)})
        page = answer[key] or []
        found += page
        if not page or len(found) >= answer["total"]:
            return found


async def _move_old_calls(client: Client, wanted: Sequence[Wanted]) -> list[Provisioned]:
    """Moves what is left in an older version's CALLS to the streams of the channels.

    A message enters its channel's stream before it leaves the old one. After a crash in between it
    is in both, and has one effect.
    """
    old = await existing(client, f"STREAM.INFO.{OLD_CALLS}")
    if old is None:
        return []
    streams_of = {
        one.config["subjects"][0]: one for one in wanted if subjects.is_calls_stream(one.name)
    }
    # Two streams can't have the same subject. Until the new ones exist, channels are refused.
    given_up = {**old, "subjects": [f"{OLD_CALLS}.moved"]}
    await ask(client, f"STREAM.UPDATE.{OLD_CALLS}", given_up)
    for one in streams_of.values():
        there = await existing(client, f"STREAM.INFO.{one.name}")
        verb = "CREATE" if there is None else "UPDATE"
        # Whatever was acknowledged is accepted, of any size and number.
        await ask(client, f"STREAM.{verb}.{one.name}", {**one.config, **AS_ROOMY_AS_CALLS})
    for subject in streams_of:
        await _move(client, subject)
    for one in streams_of.values():
        await ask(client, f"STREAM.UPDATE.{one.name}", one.config)
    if (await ask(client, f"STREAM.INFO.{OLD_CALLS}", None))["state"]["messages"]:
        return []  # Messages of channels that the policy lacks; the stream is listed as unknown.
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
    """The configuration by STREAM.INFO or CONSUMER.INFO; None if there is no such thing."""
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
