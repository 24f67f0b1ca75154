"""Opens what channels publish: a call's boxes, their contents, and the keyed hashes.

Any call is accepted. What an event can't hold is cleaned, shortened or replaced; the call says so,
and the original is sealed with it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast, get_args

from services.intake import cleaning
from services.intake.incoming import IncomingCall, Route
from services.intake.parsing import (
    ChannelMessage,
    GivenIds,
    Hashed,
    Opener,
    Parsed,
    Wanted,
    begin,
    digest,
    hashed,
    line,
    oldest,
    shortened,
    unboxed,
)
from shared.callers.addresses import Spelled, spelled
from shared.callers.return_codes import code_in_text, codes_in, is_plain, without_codes
from shared.diagnostics.logger import logger
from shared.events.calls import UNKNOWN_LANGUAGE, CallEnded, Change
from shared.events.fields import Channel, Plain
from shared.events.upstream import read_upstream
from shared.keys.hash_purposes import CALL, RETURN_CODE, callers_of
from shared.parked.parking import Delivery, UnprocessableError

ID_MAX_CHARACTERS = 64
"""The limit of `shared.events.fields.Id`."""


@dataclass(frozen=True)
class OpenedCall:
    incoming: IncomingCall
    parsed: Parsed
    code: str | None = field(default=None, repr=False)
    """What he gave as a code, unless that is exactly ten digits."""
    code_in_text: bool = False


def read_message(delivery: Delivery, now: datetime) -> ChannelMessage:
    """Raises UnreadableEventError for anything but a channel's message."""
    channel = delivery.subject.removeprefix("calls.")
    if channel not in get_args(Channel):
        raise UnprocessableError("wrong_data", "data.channel", "one of the channels")
    upstream = read_upstream(delivery.body)
    return ChannelMessage(upstream, cast(Channel, channel), delivery.received_at or now)


@dataclass(frozen=True)
class ReadCall:
    message: ChannelMessage
    parsed: Parsed
    said: Mapping[str, str] = field(repr=False)
    """Field -> what the channel sealed."""
    codes: tuple[str, ...] = field(repr=False)
    """Codes it may have given, as a code or among its words."""
    address: str | None = field(repr=False)
    name: str | None = field(repr=False)
    ids: GivenIds
    wanted: Wanted = field(repr=False)


def read_call(keys: Opener, message: ChannelMessage) -> ReadCall:
    """Opens the boxes without hashing, so that many calls can be hashed at once."""
    fields, parsed, channel = message.upstream.fields, begin(message), message.channel
    said = unboxed(keys, fields, parsed)
    code, text = said.get("return_code", ""), said.get("text", "")
    codes = codes_in(code) if code.strip() else _code_in(text)
    region = _cleaned(cleaning.region, fields, "region", "region_unknown", parsed)
    address, kept = _address(fields, said, channel, region, parsed)
    name = line(said, "display_name", "name_cleaned", parsed)
    shown = spelled(channel, name) if name is not None else None
    purpose = callers_of(channel)
    # Not the channel's clock, nor what it calls him: both change when a call is resent.
    words = digest(address, text, code, fields.get("recording_ref"), fields.get("media"))
    ids = GivenIds(fields, words)
    wanted = {
        "words": [(CALL, words)],
        "ids": [(CALL, digest("id", one)) for one in ids.unsafe],
        "caller": [(purpose, one) for one in kept.own],
        "readings": [(purpose, one) for one in kept.readings],
        "name": [(purpose, one) for one in (shown.own[:1] if shown is not None else ())],
        "codes": [(RETURN_CODE, one) for one in codes],
    }
    return ReadCall(message, parsed, said, tuple(codes), address, name, ids, wanted)


def opened(call: ReadCall, hashes: Hashed) -> OpenedCall:
    """Adds the keyed hashes of what the call wanted."""
    fields, parsed, said = call.message.upstream.fields, call.parsed, call.said
    code, channel, ids = said.get("return_code", ""), call.message.channel, call.ids
    ids.replace_by(hashes["ids"], parsed)
    started_at, began = _started(fields, parsed)
    language = _cleaned(cleaning.language, fields, "language", "language_replaced", parsed)
    incoming = IncomingCall(
        call_id=ids.call_id,
        channel=channel,
        caller_keys=tuple(one for some in hashes["caller"] for one in some),
        caller_address=shortened(call.address, "caller_address", "address_cleaned", parsed),
        language=language or UNKNOWN_LANGUAGE,
        started_at=started_at,
        began=began,
        text=_text(said.get("text", ""), parsed),
        code_hashes=tuple(one for some in hashes["codes"] for one in some),
        recording_ref=ids.recording,
        media=ids.media,
        display_name=shortened(call.name, "display_name", "name_cleaned", parsed),
        reading_keys=tuple(hashes["readings"]),
        name_key=hashes["name"][0][0] if hashes["name"] else None,
        gave_code=bool(code.strip()),
        tries=len(call.codes),
        words=oldest(hashes["words"][0]),
    )
    odd_code = code if code and not is_plain(code) else None
    return OpenedCall(incoming, parsed, odd_code, bool(call.codes) and not code.strip())


def placed(opened: OpenedCall, call: IncomingCall, route: Route) -> IncomingCall:
    """The call as its case records it.

    A recognised code stays secret: its digits are removed from the text.
    """
    parsed, recognised = opened.parsed, route.basis in {"return_code", "earlier_code"}
    if opened.code is not None:
        kept = parsed.originals.get("return_code", opened.code)
        kept = without_codes(opened.code) if recognised else kept
        parsed.note("code_cleaned", "return_code", kept)
    if opened.code_in_text and recognised:
        parsed.changed.add("code_in_text")
    narrative, naming = parsed.sealed(naming=False), parsed.sealed(naming=True)
    return replace(
        call,
        changed=tuple(sorted(parsed.changed)) or None,
        as_received=narrative,
        address_as_received=naming,
    )


def open_end(keys: Opener, message: ChannelMessage) -> CallEnded:
    parsed, fields = begin(message), message.upstream.fields
    ids = GivenIds(fields, digest("end"))
    (hashes,) = hashed(keys, [{"ids": [(CALL, digest("id", one)) for one in ids.unsafe]}])
    ids.replace_by(hashes["ids"], parsed)
    ended_at = _moment(fields, "ended_at", "ended_at_replaced", parsed)
    original = parsed.sealed(naming=False)
    return CallEnded(
        call_id=ids.call_id,
        channel=message.channel,
        ended_at=ended_at,
        changed=tuple(sorted(parsed.changed - {"call_id_replaced"})) or None,
        as_received=original,
    )


def message_of(channel: Channel, message_id: str) -> str:
    """An id unique across channels, which number their own; long ones become a digest."""
    named = f"{channel}-{message_id}"
    if len(named) <= ID_MAX_CHARACTERS and cleaning.is_token(named):
        return named
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:ID_MAX_CHARACTERS]


def _code_in(text: str) -> tuple[str, ...]:
    code = code_in_text(text)
    return (code,) if code is not None else ()


def _address(
    fields: Mapping[str, Any],
    said: Mapping[str, str],
    channel: Channel,
    region: str | None,
    parsed: Parsed,
) -> tuple[str | None, Spelled]:
    """The address and how it is kept; neither if the number is withheld."""
    address = line(said, "caller_address", "address_cleaned", parsed)
    withheld = address is None or cleaning.is_true(fields.get("withheld"))
    kept = None if withheld else spelled(channel, address or "", region)
    return (address, kept) if kept is not None else (None, Spelled(()))


def _text(said: str, parsed: Parsed) -> Plain | None:
    found = cleaning.text(said)
    if cleaning.is_long(said):
        parsed.changed.add("text_shortened")
    if found.lossy and "text" not in parsed.originals:
        parsed.note("text_shortened" if cleaning.is_long(said) else "text_cleaned", "text", said)
    return Plain(found.value) if found.value else None


def _cleaned(
    clean: Callable[[Any], cleaning.Cleaned],
    fields: Mapping[str, Any],
    name: str,
    change: Change,
    parsed: Parsed,
) -> str | None:
    found = clean(fields.get(name))
    if found.lossy:
        parsed.note(change, name, fields[name])
    return found.value


def _moment(fields: Mapping[str, Any], name: str, change: Change, parsed: Parsed) -> datetime:
    at, is_replaced = cleaning.moment(fields.get(name), parsed.received_at)
    if is_replaced:
        parsed.note(change, name, fields[name])
    ahead_s = cleaning.seconds_ahead(fields.get(name), parsed.received_at)
    if is_replaced and ahead_s:
        logger.error("clock_off", channel=parsed.channel, seconds=ahead_s)
    return at


def _started(fields: Mapping[str, Any], parsed: Parsed) -> tuple[datetime, str]:
    """When a call began, and the same as text if its channel said it."""
    at = _moment(fields, "started_at", "started_at_replaced", parsed)
    is_told = fields.get("started_at") is not None and "started_at_replaced" not in parsed.changed
    return at, at.isoformat() if is_told else ""
