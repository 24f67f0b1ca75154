"""Reads calls as intake does, with boxes that really open; histories of one case as it folds."""

import json
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from typing import Any, cast

from nacl.public import PrivateKey

from services.intake.calls import OpenedCall, open_end, opened, placed, read_call, read_message
from services.intake.guards import Rules
from services.intake.incoming import IncomingCall, Route
from services.intake.main import rules_of
from services.intake.parsing import ChannelMessage, Opener, hashed
from services.intake.state import IntakeState, evolve
from shared.events.base import Event
from shared.events.calls import CallEnded
from shared.events.custody import Exchanged
from shared.events.fields import Channel
from shared.events.groups import GroupFormed, GroupJoined
from shared.events.intake import EpisodeContinued
from shared.keys.boxes import box_up, unbox
from shared.keys.client import Keys
from shared.refusals import Supervisors
from shared.settings import Settings
from tests.contexts import delivered_call
from tests.examples import CASE, NOON, OTHER_CASE, CaseBook, case_opened, handed_over

KEY = PrivateKey.generate()


class BoxKeys:
    """Opens boxes; keyed hashes are hashes."""

    @staticmethod
    def unbox(boxes: list[str]) -> list[bytes]:
        return [unbox(KEY, one) for one in boxes]

    @staticmethod
    def hashes(values: list[tuple[str, str]]) -> list[tuple[str, ...]]:
        return [(sha256("|".join(one).encode()).hexdigest(),) for one in values]


KEYS = cast(Keys, BoxKeys())


def open_call(keys: Opener, message: ChannelMessage) -> OpenedCall:
    call = read_call(keys, message)
    return opened(call, *hashed(keys, [call.wanted]))


def boxed(said: str | bytes) -> str:
    return box_up(KEY.public_key, said if isinstance(said, bytes) else said.encode())


def envelope(**data: Any) -> dict[str, Any]:
    """A call as a channel should publish it, with some of its data changed."""
    return {
        "specversion": "1.0",
        "id": "m-1",
        "source": "/channels/phone",
        "type": "passage.CallReceived.v1",
        "subject": "call-1",
        "time": "2026-03-14T11:59:00Z",
        "datacontenttype": "application/json",
        "data": {
            "call_id": "call-1",
            "channel": "phone",
            "caller_address": boxed("+380440000000"),
            "language": "ru",
            "started_at": "2026-03-14T11:59:00Z",
            "text": boxed("I want to live"),
            **data,
        },
    }


def received(
    message: dict[str, Any] | bytes, basis: str = "caller", channel: Channel = "phone"
) -> IncomingCall:
    """What intake makes of a call. Raises what it parks a message for."""
    call = open_call(KEYS, message_of(message, channel))
    route = Route("CASE00000001", basis=cast(Any, basis))
    return placed(call, call.incoming, route)


def ended_of(data: dict[str, Any]) -> CallEnded:
    return open_end(KEYS, message_of({"type": "passage.CallEnded.v1", "data": data}))


def message_of(message: dict[str, Any] | bytes, channel: Channel = "phone") -> ChannelMessage:
    """What a channel published, as it is delivered at noon."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return read_message(delivered_call(body, channel), NOON)


def originals(call: IncomingCall) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in (call.as_received, call.address_as_received):
        if one is not None:
            found |= json.loads(one.value)
    return found


CONTINUED = (case_opened(), EpisodeContinued(next_case=OTHER_CASE))
EXCHANGED = (case_opened(), handed_over(), Exchanged(exchanged_at=NOON))
LEADING = (case_opened(), GroupFormed(group_id=CASE, declared_size=10))
JOINED = GroupJoined(group_id=CASE, member_case=OTHER_CASE)


def ruled(*supervisors: str) -> Rules:
    """The default settings, with these supervisors, their names folded."""
    return replace(rules_of(Settings()), supervisors=Supervisors(supervisors))


def given(*events: Event, case_id: str = CASE) -> IntakeState:
    return reduce(evolve, CaseBook(case_id).add_all(events), IntakeState())
