"""Opens what channels publish: envelopes, and of a call the boxes and what is inside them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from services.intake.decisions import IncomingCall
from shared.addresses import Spelled, spelled, without_marks
from shared.events.base import CallEnvelope
from shared.events.calls import CallReceived, DeliveryReported
from shared.events.fields import Channel, Name, Plain, Text, Word
from shared.events.reading import UpstreamEvent, read_upstream
from shared.key_messages import caller_purpose
from shared.keyholder import Keys
from shared.parking import CALL_MAX_BYTES, UnprocessableError
from shared.return_codes import to_hash
from shared.wrong_fields import wrong_fields

ID_MAX_CHARACTERS = 64
"""As long as an id may be (`shared.events.fields.Id`)."""

_SEALED: dict[str, TypeAdapter[str]] = {
    "caller_address": TypeAdapter(Name),
    "text": TypeAdapter(Text),
    "return_code": TypeAdapter(Word),
    "display_name": TypeAdapter(Name),
}
"""What a channel seals, and the form of what is inside."""


def read_message(subject: str, body: bytes) -> CallEnvelope[UpstreamEvent]:
    """Gives what a channel published. Raises UnprocessableError and UnreadableEventError."""
    if len(body) > CALL_MAX_BYTES:
        raise UnprocessableError("too_large", "", f"at most {CALL_MAX_BYTES} bytes")
    envelope = read_upstream(body)
    data = envelope.data
    if subject != f"calls.{data.channel}":
        raise UnprocessableError("wrong_data", "data.channel", f"the channel of {subject}")
    name = "message_id" if isinstance(data, DeliveryReported) else "call_id"
    if envelope.subject != getattr(data, name):
        raise UnprocessableError("wrong_envelope", "subject", f"the {name} in data")
    return envelope


def open_call(keys: Keys, message_id: str, call: CallReceived) -> IncomingCall:
    """Gives a call with its boxes opened; `message_id` is the channel's own.

    Raises UnprocessableError and BoxBrokenError; neither holds a value.
    """
    said = _unboxed(keys, call)
    address = None if call.withheld else said.get("caller_address")
    kept = spelled(call.channel, address, call.region) if address is not None else None
    text, code, name = said.get("text"), said.get("return_code"), said.get("display_name")
    hashes = _hashes(keys, call.channel, kept, name, code)
    return IncomingCall(
        message_id=message_of(call.channel, message_id),
        call_id=call.call_id,
        channel=call.channel,
        caller_keys=tuple(one for some in hashes.own for one in some),
        caller_address=Plain(address) if address is not None and kept is not None else None,
        language=call.language,
        started_at=call.started_at,
        text=Plain(text) if text else None,
        code_hashes=hashes.code,
        recording_ref=call.recording_ref,
        media=call.media,
        withheld=call.withheld,
        display_name=Plain(name) if name else None,
        region=call.region,
        reading_keys=hashes.readings,
        name_key=hashes.name,
    )


def message_of(channel: Channel, message_id: str) -> str:
    """Gives one id for a channel's message: each channel numbers its own; long ones by digest."""
    named = f"{channel}-{message_id}"
    if len(named) <= ID_MAX_CHARACTERS:
        return named
    return hashlib.sha256(named.encode()).hexdigest()[:ID_MAX_CHARACTERS]


def _unboxed(keys: Keys, call: CallReceived) -> dict[str, str]:
    """Gives what the channel sealed, by field; without what is empty."""
    boxes = {field: box for field in _SEALED if (box := getattr(call, field)) is not None}
    contents = dict(zip(boxes, keys.unbox(list(boxes.values())), strict=True))
    return {
        field: text
        for field, content in contents.items()
        if (text := _text(field, content)) is not None
    }


def _text(field: str, content: bytes) -> str | None:
    try:
        plain = content.decode()
        if field == "caller_address":
            plain = without_marks(plain)
        # Nothing said is no mistake of his: a silent call is a call.
        return _SEALED[field].validate_python(plain) if plain.strip() else None
    except UnicodeDecodeError:
        raise UnprocessableError("wrong_data", f"data.{field}", "text in UTF-8") from None
    except ValidationError as error:
        problem = wrong_fields(error)[0].problem
        raise UnprocessableError("wrong_data", f"data.{field}", problem) from None


class _Hashes(NamedTuple):
    own: Sequence[tuple[str, ...]]
    readings: tuple[tuple[str, ...], ...]
    name: str | None
    code: tuple[str, ...]


def _hashes(
    keys: Keys, channel: Channel, kept: Spelled | None, name: str | None, code: str | None
) -> _Hashes:
    """The keyed hashes of whose call it is and of the code, in one request."""
    purpose = caller_purpose(channel)
    own, readings = (kept.own, kept.readings) if kept is not None else ((), ())
    shown = spelled(channel, name) if name is not None else None
    names = shown.own[:1] if shown is not None else ()
    wanted = [(purpose, one) for one in (*own, *readings, *names)]
    made = keys.hashes([*wanted, *([to_hash(code)] if code is not None else [])])
    last = len(own) + len(readings)
    return _Hashes(
        made[: len(own)],
        tuple(made[len(own) : last]),
        made[last][0] if names else None,
        made[-1] if code is not None else (),
    )
