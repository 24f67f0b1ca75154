"""What intake gives a channel to send: a message of OUTBOUND, subject `outbound.<channel>`.

Address and text are in boxes that only this channel's private key opens. A channel acknowledges
the message before sending it, so it never sends twice, and then reports the outcome on CALLS. A
channel limits a message's length, in a unit of its own.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from nacl.public import PublicKey
from pydantic import Field

from shared.events.calls import Boxed
from shared.events.fields import At, Channel, Id, Language
from shared.events.outbound import MessageQueued
from shared.keys.boxes import box_up
from shared.written.models import Exact

CONTENT_TYPE = "application/json"

LengthUnit = Literal["utf16", "utf8", "sms"]

SMS_LETTERS, SMS_LETTERS_EACH_OF_SEVERAL = 160, 153
SMS_UNITS, SMS_UNITS_EACH_OF_SEVERAL = 70, 67
"""Of a single part, and of each part of several. Source: 3GPP TS 23.038 and 23.040."""
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_ESCAPED = frozenset("\f^{}\\[~]|€")
"""They take two places each."""

_WORDS: dict[LengthUnit, str] = {
    "utf16": "UTF-16 units",
    "utf8": "bytes of UTF-8",
    "sms": f"parts of a text message ({SMS_LETTERS_EACH_OF_SEVERAL} letters of the GSM alphabet "
    f"each, {SMS_UNITS_EACH_OF_SEVERAL} with any other letter such as a Cyrillic one)",
}


class OutgoingMessage(Exact):
    """One message to one caller; not to be sent after `valid_until`."""

    message_id: Id
    case_id: Id
    channel: Channel
    language: Language
    to_address: Boxed
    text: Boxed
    valid_until: At


def outgoing(
    case_id: str,
    queued: MessageQueued,
    opened: tuple[str, str],
    key: PublicKey,
    valid_until: datetime,
) -> OutgoingMessage:
    """A queued message as its channel gets it; `opened` are its address and its text."""
    to_address, text = (box_up(key, one.encode()) for one in opened)
    return OutgoingMessage(
        message_id=queued.message_id,
        case_id=case_id,
        channel=queued.channel,
        language=queued.language,
        to_address=to_address,
        text=text,
        valid_until=valid_until,
    )


class MessageLimit(Exact):
    limit: Annotated[int, Field(ge=1)]
    unit: LengthUnit

    def length_of(self, text: str) -> int:
        return _LENGTHS[self.unit](text)

    def in_words(self, channel: str, length: int) -> str:
        """The limit in words, for a text of this length."""
        return f"a text of at most {self.limit} {_WORDS[self.unit]} for {channel}; it has {length}"


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _sms(text: str) -> int:
    letters = _gsm_places(text)
    if letters is not None:
        return _parts(letters, SMS_LETTERS, SMS_LETTERS_EACH_OF_SEVERAL)
    return _parts([_utf16(letter) for letter in text], SMS_UNITS, SMS_UNITS_EACH_OF_SEVERAL)


def _gsm_places(text: str) -> list[int] | None:
    """The places of each letter; None if one isn't in the alphabet."""
    if not set(text) <= _GSM | _GSM_ESCAPED:
        return None
    return [2 if letter in _GSM_ESCAPED else 1 for letter in text]


def _parts(places: list[int], alone: int, each: int) -> int:
    """The number of parts; a letter of two places is never split between two."""
    if sum(places) <= alone:
        return 1
    parts, used = 1, 0
    for place in places:
        if used + place > each:
            parts, used = parts + 1, 0
        used += place
    return parts


_LENGTHS: dict[LengthUnit, Callable[[str], int]] = {
    "utf16": _utf16,
    "utf8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "sms": _sms,
}
