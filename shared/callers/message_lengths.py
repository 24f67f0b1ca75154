"""A message's length in the unit of its channel, and the channel's maximum."""

from typing import Annotated, Literal

from pydantic import Field

from shared.written.models import Exact

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


def _utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


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


_LENGTHS = {"utf16": _utf16, "utf8": _utf8, "sms": _sms}
