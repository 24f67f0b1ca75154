"""Reads the policy file: which service may record, read, consume, ask and open what."""

import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field

from shared.callers.outgoing import MessageLimit
from shared.events.fields import Channel
from shared.keys.hash_purposes import PolicyPurpose, in_the_policy
from shared.subjects import calls_stream
from shared.written.models import Exact

FILE_NAME = "policy.toml"
OF_EVERY_CHANNEL = "CALLS_*"


class Rights(Exact):
    """What one service may do; the file says what each word means."""

    records: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    buckets: dict[str, Literal["read", "write"]] = Field(default_factory=dict)
    commands: tuple[str, ...] = ()
    retries: bool = False
    asks: tuple[
        Literal["seal", "open", "unbox", "hash", "search", "found", "parked", "release"], ...
    ] = ()
    hashes: tuple[PolicyPurpose, ...] = ()
    hashes_a_minute: Annotated[int, Field(ge=0)] = 0
    opens: tuple[str, ...] = ()
    never_opens: tuple[str, ...] = ()
    people: bool = False
    opens_itself: tuple[str, ...] = ()
    timers: bool = False
    audits: bool = False
    storage: bool = False
    stores: bool = False
    sends: bool = False

    def may_open(self, type_name: str, field: str) -> bool:
        named = f"{type_name}.{field}"
        return named not in self.never_opens and bool({"*", named} & set(self.opens))

    def may_open_itself(self, type_name: str, field: str) -> bool:
        """Whether it may have this field opened for its own work."""
        named = self.opens_itself if self.people else self.opens
        return f"{type_name}.{field}" in named

    def may_hash(self, purpose: str) -> bool:
        return in_the_policy(purpose) in self.hashes


class Channels(Exact):
    """Each may publish its own calls, and take its own messages to send."""

    names: tuple[Channel, ...]
    messages: dict[Channel, MessageLimit]
    """The longest message of each channel; one that isn't here sends none."""


class Policy(Exact):
    services: dict[str, Rights]
    channels: Channels


@lru_cache(maxsize=1)
def policy() -> Policy:
    text = (files("shared") / FILE_NAME).read_text(encoding="utf-8")
    read = Policy.model_validate(tomllib.loads(text))
    channels = read.channels.names
    services = {}
    for name, rights in read.services.items():
        named = {"consumes": rights.consumes, "watches": rights.watches}
        spelled_out = {field: tuple(_each(streams, channels)) for field, streams in named.items()}
        services[name] = rights.model_copy(update=spelled_out)
    return read.model_copy(update={"services": services})


def _each(streams: Iterable[str], channels: Iterable[str]) -> Iterator[str]:
    for stream in streams:
        if stream.startswith(OF_EVERY_CHANNEL):
            rest = stream.removeprefix(OF_EVERY_CHANNEL)
            yield from (f"{calls_stream(channel)}{rest}" for channel in channels)
        else:
            yield stream
