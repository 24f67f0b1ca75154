"""How a value may look in bytes: every encoding that the scanner knows."""

from __future__ import annotations

import base64
import json
import quopri
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

WINDOW_BYTES = 8


def _base64(raw: bytes, alphabet: bytes = b"+/") -> Iterator[bytes]:
    """The part of the base64 text that is the same whatever stands around the bytes."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw, alphabet)
        first = -(-before * 8 // 6)
        yield text[first : (before + len(raw)) * 8 // 6]


def _utf8(text: str) -> Iterator[bytes]:
    yield text.encode()


def _folded(text: str) -> Iterator[bytes]:
    for form in {text.upper(), text.lower(), text.casefold()} - {text}:
        yield form.encode()
        yield form.encode("utf-16-le")


def _reversed(text: str) -> Iterator[bytes]:
    yield text[::-1].encode()
    yield text.encode()[::-1]


def _hexadecimal(text: str) -> Iterator[bytes]:
    for raw in (text.encode(), text.encode("utf-16-le")):
        yield raw.hex().encode()
        yield raw.hex().upper().encode()


def _percent(text: str) -> Iterator[bytes]:
    for encoded in {quote(text, safe=""), quote(text), quote_plus(text)}:
        yield encoded.encode()
        yield encoded.lower().encode()
    yield "".join(f"%{byte:02X}" for byte in text.encode()).encode()


def _escaped(text: str) -> Iterator[bytes]:
    yield json.dumps(text)[1:-1].encode()
    yield "".join(f"\\u{ord(one):04x}" for one in text).encode()
    yield "".join(f"\\u{ord(one):04X}" for one in text).encode()
    yield "".join(f"\\x{byte:02x}" for byte in text.encode()).encode()


def _quoted_printable(text: str) -> Iterator[bytes]:
    yield quopri.encodestring(text.encode()).replace(b"=\n", b"")
    yield "".join(f"={byte:02X}" for byte in text.encode()).encode()


def _old_cyrillic(text: str) -> Iterator[bytes]:
    for name in ("cp1251", "koi8-u", "cp866"):
        yield text.encode(name, "replace")


ENCODINGS: dict[str, Callable[[str], Iterator[bytes]]] = {
    "UTF-8": _utf8,
    "UTF-16LE": lambda text: iter([text.encode("utf-16-le")]),
    "UTF-16BE": lambda text: iter([text.encode("utf-16-be")]),
    "UTF-32LE": lambda text: iter([text.encode("utf-32-le")]),
    "base64": lambda text: _base64(text.encode()),
    "base64url": lambda text: _base64(text.encode(), b"-_"),
    "hex": _hexadecimal,
    "percent": _percent,
    "escapes": _escaped,
    "quoted-printable": _quoted_printable,
    "folded": _folded,
    "reversed": _reversed,
    "old Cyrillic": _old_cyrillic,
}
"""By name; the scanner looks for each of them also in what it can decompress."""


def encoded(text: str) -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of each encoding. Raises ValueError where one is too short."""
    for name, encode in ENCODINGS.items():
        for raw in encode(text):
            if len(raw) < WINDOW_BYTES:
                raise ValueError(f"{name}: too short to be told from chance")
            yield name, raw
