"""Opens a call as a channel published it: envelope, boxes, and what is inside them."""

from __future__ import annotations

import phonenumbers
from pydantic import TypeAdapter, ValidationError

from services.intake.decisions import IncomingCall
from shared.boxes import unbox
from shared.events.catalogue import read_call
from shared.events.fields import Channel, Name, Plain, Text, Word
from shared.keyfiles import KeyFiles
from shared.parking import CALL_MAX_BYTES, UnprocessableError
from shared.return_codes import code_hash

CHANNELS_WITH_NUMBERS: frozenset[Channel] = frozenset({"phone", "whatsapp", "signal"})
HOME_REGION = "UA"
"""How a number without a country code is read."""

WITHHELD = frozenset(
    {"anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld"}
)
"""What exchanges send in place of a number: it names nobody, so it must not be taken for a man."""

_ADDRESS: TypeAdapter[str] = TypeAdapter(Name)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)
_CODE: TypeAdapter[str] = TypeAdapter(Word)


def open_call(keys: KeyFiles, subject: str, body: bytes) -> IncomingCall:
    """Gives the call in a message of CALLS.

    Raises UnprocessableError, UnreadableEventError and BoxBrokenError; none of them holds a value.
    """
    if len(body) > CALL_MAX_BYTES:
        raise UnprocessableError("too_large", "", f"at most {CALL_MAX_BYTES} bytes")
    envelope = read_call(body)
    call = envelope.data
    if subject != f"calls.{call.channel}":
        raise UnprocessableError("wrong_data", "data.channel", f"the channel of {subject}")
    if envelope.subject != call.call_id:
        raise UnprocessableError("wrong_envelope", "subject", "the call_id in data")
    address = _unboxed(keys, "caller_address", call.caller_address, _ADDRESS)
    if address is not None and address.strip().casefold() in WITHHELD:
        address = None
    text = _unboxed(keys, "text", call.text, _TEXT)
    code = _unboxed(keys, "return_code", call.return_code, _CODE)
    return IncomingCall(
        message_id=envelope.id,
        call_id=call.call_id,
        channel=call.channel,
        caller_key=caller_key(keys, call.channel, address) if address else None,
        caller_address=Plain(address) if address else None,
        language=call.language,
        started_at=call.started_at,
        text=Plain(text) if text else None,
        code_hash=code_hash(keys, code) if code else None,
        recording_ref=call.recording_ref,
        media=call.media,
    )


def caller_key(keys: KeyFiles, channel: Channel, address: str) -> str:
    """Gives the keyed hash by which a caller is known again."""
    return keys.keyed_hash(f"caller-{channel}", folded(channel, address))


def folded(channel: Channel, address: str) -> str:
    """Gives one spelling for an address: numbers in E.164, everything else in lower case."""
    if channel in CHANNELS_WITH_NUMBERS:
        try:
            number = phonenumbers.parse(address, HOME_REGION)
        except phonenumbers.NumberParseException:
            return address.casefold()
        plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return f"{plain};ext={number.extension}" if number.extension else plain
    return address.casefold()


def _unboxed(keys: KeyFiles, field: str, box: str | None, of_type: TypeAdapter[str]) -> str | None:
    if box is None:
        return None
    try:
        plain = unbox(keys.intake_private, box).decode()
        # Nothing said is no mistake of his: a silent call is a call.
        return of_type.validate_python(plain) if plain.strip() else None
    except UnicodeDecodeError:
        raise UnprocessableError("wrong_data", f"data.{field}", "text in UTF-8") from None
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise UnprocessableError("wrong_data", f"data.{field}", problem) from None
