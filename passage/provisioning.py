"""Makes the streams, buckets and consumers that are missing, and compares those that exist.

Talks the JetStream API itself, so that what is asked for is exactly what `definitions` says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from uuid import uuid4

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.definitions import (
    ConsumerDefinition,
    Definition,
    StreamDefinition,
    consumers,
    streams,
)
from passage.exits import Exit, VerbEndedError
from shared import subjects

TIMEOUT_S = 15.0
"""A replicated stream's first leader takes some seconds."""
NOT_FOUND = 404

State = Literal["made", "as defined", "updated", "differs"]


class ApiRefusedError(Exception):
    """The JetStream API answered with an error; `code` is HTTP's, `detail` the server's own."""

    def __init__(self, code: int, detail_code: int, description: str) -> None:
        self.code = code
        self.detail_code = detail_code
        super().__init__(description)


@dataclass(frozen=True)
class Difference:
    """One key of an existing definition that is not as it must be."""

    key: str
    expected: Any
    found: Any


@dataclass(frozen=True)
class Provisioned:
    """What became of one definition; `problem` is the server's answer to a refused update."""

    kind: Literal["stream", "consumer"]
    name: str
    state: State
    differences: tuple[Difference, ...] = ()
    problem: str = ""


async def provision(client: Client, replicas: int, update: bool = False) -> list[Provisioned]:
    """Makes what is missing and compares the rest; with `update` changes what JetStream allows.

    Raises VerbEndedError where JetStream refuses to make one, as with more replicas than servers.
    """
    try:
        done = [await _stream(client, one, update) for one in streams(replicas)]
        done += [await _consumer(client, one, update) for one in consumers()]
    except ApiRefusedError as error:
        raise VerbEndedError(Exit.FAILED, f"JetStream refused: {error}") from None
    return done


async def _stream(client: Client, wanted: StreamDefinition, update: bool) -> Provisioned:
    found = await _existing(client, f"STREAM.INFO.{wanted.name}")
    if found is None:
        await ask(client, f"STREAM.CREATE.{wanted.name}", incarnated(wanted))
        return Provisioned("stream", wanted.name, "made")
    unlike = differences(wanted.config, found)
    if wanted.name == subjects.CASES and not incarnation_of(found):
        # A log of an older version of Passage: it gets one, and keeps it.
        unlike += (Difference("metadata", subjects.INCARNATION, None),)
    if not unlike or not update:
        return Provisioned("stream", wanted.name, "differs" if unlike else "as defined", unlike)
    try:
        await ask(client, f"STREAM.UPDATE.{wanted.name}", {**found, **incarnated(wanted, found)})
    except ApiRefusedError as error:
        return Provisioned("stream", wanted.name, "differs", unlike, str(error))
    return Provisioned("stream", wanted.name, "updated", unlike)


def incarnated(wanted: StreamDefinition, found: Definition | None = None) -> Definition:
    """Gives the definition to ask for: CASES with the incarnation it has, or a new one."""
    if wanted.name != subjects.CASES:
        return wanted.config
    incarnation = incarnation_of(found or {}) or uuid4().hex
    kept = (found or {}).get("metadata") or {}
    return {**wanted.config, "metadata": {**kept, subjects.INCARNATION: incarnation}}


def incarnation_of(config: Definition) -> str:
    """Gives what tells this stream from any other of its name; empty where it has nothing."""
    return str((config.get("metadata") or {}).get(subjects.INCARNATION, ""))


async def _consumer(client: Client, wanted: ConsumerDefinition, update: bool) -> Provisioned:
    name = f"{wanted.stream}/{wanted.name}"
    found = await _existing(client, f"CONSUMER.INFO.{wanted.stream}.{wanted.name}")
    if found is None:
        await put_consumer(client, wanted, wanted.config, "create")
        return Provisioned("consumer", name, "made")
    if "filter_subject" in found:
        found["filter_subjects"] = [found.pop("filter_subject")]
    if found.get("deliver_policy") == "by_start_sequence":
        # `passage repair` let it go on where it was; where it began can't be changed afterwards.
        wanted = replace(wanted, config={**wanted.config, "deliver_policy": "by_start_sequence"})
    unlike = differences(wanted.config, found)
    if not unlike or not update:
        return Provisioned("consumer", name, "differs" if unlike else "as defined", unlike)
    try:
        await put_consumer(client, wanted, {**found, **wanted.config}, "update")
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


def differences(wanted: Definition, found: Definition) -> tuple[Difference, ...]:
    """Gives the keys whose values differ; the server leaves out what is false, zero or empty."""
    return tuple(
        Difference(key, value, found.get(key))
        for key, value in wanted.items()
        if _plain(found.get(key)) != _plain(value)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(value) or None
    return value or None


async def _existing(client: Client, subject: str) -> Definition | None:
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
