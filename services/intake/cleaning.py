"""Turns what a channel said into what an event can hold: cleaned, shortened, clamped. Pure.

Each returns the value, and whether anything was lost; then the original is kept too.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from shared.events.calls import UNKNOWN_LANGUAGE
from shared.events.fields import (
    HIDDEN_IN_LINE,
    HIDDEN_IN_TEXT,
    NAME_MAX_CHARACTERS,
    TEXT_MAX_CHARACTERS,
    Id,
    Language,
    Region,
)
from shared.refusals import CLOCK_OFF_MAX, seconds_off

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""An earlier time comes from a clock that was never set."""
SECONDS_MAX = 100_000_000_000
"""A larger number of seconds since 1970 is after the year 5000."""
ORIGINAL_MAX_BYTES = 131_000
"""The original is kept whole up to this size; beyond it, its head and digest (ADR 23)."""
HEAD_MAX_CHARACTERS = 10_000
LIST_MAX = 100
"""A longer list is cut as one text: a head of each part would be no shorter."""
FALSE_WORDS = frozenset(
    {
        *("", "-", "f", "n", "nein", "nie", "no", "none", "not withheld", "null", "off"),
        *("allowed", "false", "public", "shown", "undefined", "visible", "[]", "{}"),
        *("не", "нет", "ні", "ложь", "хибність", "открыт", "відкритий", "доступен"),
    }
)
_ZERO = re.compile(r"-?0+([.,]0+)?")

_LINE_BREAKS = str.maketrans({"\x0b": "\n", "\x0c": "\n", "\x85": "\n"})
_BREAKS = re.compile(r"[\t-\r\x85\u2028\u2029]+")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}|[A-Za-z]{2}|[0-9]{3})(?![A-Za-z0-9]))?")
"""With a script or region: other words that look like a tag may be a name."""
_EPOCH = re.compile(r"[0-9]{9,19}(\.[0-9]{1,9})?")
_TOKEN: TypeAdapter[str] = TypeAdapter(Id)
_LANGUAGE_TAG: TypeAdapter[str] = TypeAdapter(Language)
_REGION: TypeAdapter[str] = TypeAdapter(Region)
_CYRILLIC = re.compile(r"[А-Яа-яЁёІіЇїЄєҐґ]")
_CODE_PAGES = ("cp1251", "koi8-u", "cp866")
"""The first wins if several read equally well."""
LEAST_WIDE = 2
"""One letter isn't evidence."""
_FREQUENT = frozenset("оеаинтсрвлкмдпуяізь ")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Cleaned(NamedTuple):
    """A value that an event can hold; `lossy` if part of the original was lost."""

    value: str | None
    lossy: bool = False


def decoded(content: bytes) -> Cleaned:
    """Decodes UTF-8, else UTF-16, else a Cyrillic code page."""
    wide = _wide(content)
    if wide is not None:
        return Cleaned(wide, lossy=True)
    try:
        return Cleaned(content.decode())
    except UnicodeDecodeError:
        pass
    encoding = json.detect_encoding(content)
    if not encoding.startswith("utf-8"):
        return Cleaned(content.decode(encoding, "replace"), lossy=True)
    read = max((content.decode(page, "replace") for page in _CODE_PAGES), key=_common)
    if len(_CYRILLIC.findall(read)) * 2 > len(read):
        return Cleaned(read, lossy=True)
    return Cleaned(content.decode("utf-8", "replace"), lossy=True)


def _wide(content: bytes) -> str | None:
    """UTF-16 without a byte-order mark, as modems send it: every other byte is 0 or 4."""
    half = len(content) // 2
    if half < LEAST_WIDE or len(content) % 2:
        return None
    for first, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        high = content[first::2]
        if (high.count(0) + high.count(4)) * 10 >= half * 9:
            read = content.decode(encoding, "replace")
            if sum(one.isalnum() or one.isspace() for one in read) * 2 > len(read):
                return read.removeprefix("\ufeff")
    return None


def _common(text: str) -> int:
    """The number of letters frequent in Russian or Ukrainian, minus those in capitals."""
    return sum((one in _FREQUENT) - (one.isupper() or not one.isprintable()) for one in text)


def plain(value: Any) -> str:
    """Text unchanged, anything else as JSON."""
    return value if isinstance(value, str) else _json(value)


def text(said: str) -> Cleaned:
    """Text without control characters, shortened; None if empty."""
    if not said.strip():
        return Cleaned(None, said != "")
    clean = HIDDEN_IN_TEXT.sub("", _whole(said.translate(_LINE_BREAKS)))
    short = clean[:TEXT_MAX_CHARACTERS]
    return Cleaned(short or None, short != said)


def is_long(said: str) -> bool:
    return len(said) > TEXT_MAX_CHARACTERS


def line(said: str) -> Cleaned:
    """An address or name on one line, at any length; None if nothing is left."""
    clean = HIDDEN_IN_LINE.sub("", _whole(_BREAKS.sub(" ", said.strip()))).strip()
    return Cleaned(clean or None, clean != said.strip())


def shortened(name: str) -> Cleaned:
    return Cleaned(name[:NAME_MAX_CHARACTERS].strip() or None, len(name) > NAME_MAX_CHARACTERS)


def language(said: Any) -> Cleaned:
    """A BCP 47 tag from `ru_RU`, `RU` or `ru-RU.UTF-8`; `und` if it can't be recognised."""
    if said is None or said == "":
        return Cleaned(UNKNOWN_LANGUAGE)
    found = _LANGUAGE.match(plain(said).strip())
    if found is None:
        return Cleaned(UNKNOWN_LANGUAGE, lossy=True)
    tag = "-".join(part for part in (found[1].lower(), found[2]) if part)
    whole = found.end() == len(plain(said).strip())
    if (
        not _fits(_LANGUAGE_TAG, tag)
        or plain(said).strip()[found.end() : found.end() + 1].isalnum()
    ):
        return Cleaned(UNKNOWN_LANGUAGE, lossy=True)
    return Cleaned(tag, not whole)


def region(said: Any) -> Cleaned:
    """An ISO 3166 country."""
    if said is None or said == "":
        return Cleaned(None)
    code = plain(said).strip().upper()
    return Cleaned(code) if _fits(_REGION, code) else Cleaned(None, lossy=True)


def is_true(said: Any) -> bool:
    """Whether a channel says yes, in whatever words."""
    word = plain(said).strip().casefold() if said is not None else ""
    return word not in FALSE_WORDS and _ZERO.fullmatch(word) is None


def is_token(said: str) -> bool:
    """Whether an id can be used unchanged, in a subject and in the clear."""
    return _fits(_TOKEN, said)


def moment(said: Any, received_at: datetime) -> tuple[datetime, bool]:
    """When a channel says it was, and whether the time of receipt had to replace it.

    Accepts ISO 8601 with a zone, and seconds or milliseconds since 1970.
    """
    told = _told(said)
    if told is None or not EARLIEST <= told <= received_at + CLOCK_OFF_MAX:
        return received_at, said is not None
    return told, False


def seconds_ahead(said: Any, received_at: datetime) -> int:
    """How far a channel's clock is ahead of ours, for diagnostics; 0 if it isn't."""
    told = _told(said)
    return 0 if told is None else max(0, seconds_off(told, received_at))


def _told(said: Any) -> datetime | None:
    words = plain(said).strip()
    try:
        if _EPOCH.fullmatch(words):
            seconds = float(words)
            while seconds > SECONDS_MAX:  # Milli-, micro- or nanoseconds.
                seconds /= 1_000
            return datetime.fromtimestamp(seconds, UTC)
        at = datetime.fromisoformat(words)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def original_of(parts: Mapping[str, Any]) -> Cleaned:
    """What was received, by field, as one JSON text to be sealed; unaltered."""
    if not parts:
        return Cleaned(None)
    whole = _json(parts)
    if len(whole.encode()) <= ORIGINAL_MAX_BYTES:
        return Cleaned(whole)
    heads = _json({name: _head(value) for name, value in parts.items()})
    if len(heads.encode()) <= ORIGINAL_MAX_BYTES:
        return Cleaned(heads, lossy=True)
    return Cleaned(_json({"all": _head(whole)}), lossy=True)


def in_json(content: bytes) -> Any:
    """Bytes as a JSON value, or as text."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}


def _head(value: Any) -> Any:
    if isinstance(value, list) and len(value) <= LIST_MAX:
        return [_head(one) for one in value]
    said = plain(value)
    if len(said) <= HEAD_MAX_CHARACTERS:
        return value
    digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
    return {"head": said[:HEAD_MAX_CHARACTERS], "characters": len(said), "sha256": digest}


def _json(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    # Half a surrogate pair isn't a character, but JSON can express it.
    return written.encode("utf-8", "backslashreplace").decode()


def _whole(text: str) -> str:
    """Text in which half a surrogate pair is shown as what can't be read."""
    return _SURROGATE.sub("\ufffd", text)


def _fits(form: TypeAdapter[str], value: str) -> bool:
    try:
        form.validate_python(value)
    except ValidationError:
        return False
    return True
