"""How a value may look in bytes: every encoding that the scanner knows, compressed or not."""

import base64
import json
import quopri
import re
import zlib
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


ZLIB_OR_GZIP = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|PK\x03\x04")
FRAMED = re.compile(rb"\xff\x06\x00\x00(?:sNaPpY|S2sTwO)")
ZIP_HEADER_BYTES = 30
OUTPUT_MAX_BYTES = 256 * 2**20
WORTH_BYTES = 8
COMPRESSED_CHUNK, PLAIN_CHUNK = 0, 1
SKIPPABLE_FROM = 0x80


def members(found: bytes) -> Iterator[bytes]:
    """The content of every compressed member that begins anywhere in the bytes."""
    for match in ZLIB_OR_GZIP.finditer(found):
        start, bits = match.start(), zlib.MAX_WBITS | 32
        if match.group().startswith(b"PK"):
            header = found[start : start + ZIP_HEADER_BYTES]
            if len(header) < ZIP_HEADER_BYTES:
                continue
            names = int.from_bytes(header[26:28], "little") + int.from_bytes(
                header[28:30], "little"
            )
            start, bits = start + ZIP_HEADER_BYTES + names, -zlib.MAX_WBITS
        content = _inflated(memoryview(found)[start:], bits)
        if len(content) >= WORTH_BYTES:
            yield content
    for match in FRAMED.finditer(found):
        yield b"".join(_chunks(found, match.end()))


def _inflated(piece: memoryview, bits: int) -> bytes:
    machine, out, done = zlib.decompressobj(bits), [], 0
    try:
        for at in range(0, len(piece), 2**16):  # Most are found to be none within the first bytes.
            out.append(machine.decompress(piece[at : at + 2**16], OUTPUT_MAX_BYTES - done))
            done += len(out[-1])
            if machine.eof or done >= OUTPUT_MAX_BYTES:
                break
    except zlib.error:
        pass  # What came out before counts: a file may be cut.
    return b"".join(out)


def _chunks(found: bytes, at: int) -> Iterator[bytes]:
    """The content of a framed snappy or S2 stream, chunk by chunk."""
    while at + 4 <= len(found):
        kind, length = found[at], int.from_bytes(found[at + 1 : at + 4], "little")
        body = found[at + 8 : at + 4 + length]  # After a checksum of four bytes.
        if kind == COMPRESSED_CHUNK:
            yield unpacked(body)
        elif kind == PLAIN_CHUNK:
            yield body
        elif kind < SKIPPABLE_FROM:
            return
        at += 4 + length


def unpacked(block: bytes) -> bytes:
    out = bytearray()
    at, offset = _after_length(block), 0
    while at < len(block):
        tag, at = block[at], at + 1
        if tag & 3 == 0:
            length, at = _literal_length(block, tag, at)
            out += block[at : at + length]
            at += length
            continue
        length, new_offset, at = _copy(block, tag, at)
        if new_offset == 0 and tag & 3 == 1:  # S2: again from the same distance.
            length, at = _repeat_length(block, tag, at)
        else:
            offset = new_offset
        if not 0 < offset <= len(out):
            break
        for _ in range(length):
            out.append(out[-offset])
    return bytes(out)


def _after_length(block: bytes) -> int:
    at = 0
    while at < len(block) and block[at] & 0x80:
        at += 1
    return at + 1


def _literal_length(block: bytes, tag: int, at: int) -> tuple[int, int]:
    length = tag >> 2
    if length < 60:
        return length + 1, at
    size = length - 59
    return int.from_bytes(block[at : at + size], "little") + 1, at + size


def _copy(block: bytes, tag: int, at: int) -> tuple[int, int, int]:
    if tag & 3 == 1:
        near = ((tag & 0xE0) << 3) | (block[at] if at < len(block) else 0)
        return ((tag >> 2) & 7) + 4, near, at + 1
    size = 2 if tag & 3 == 2 else 4
    return (tag >> 2) + 1, int.from_bytes(block[at : at + size], "little"), at + size


def _repeat_length(block: bytes, tag: int, at: int) -> tuple[int, int]:
    length = (tag >> 2) & 7
    if length < 5:
        return length + 4, at
    size = length - 4
    base = {5: 8, 6: 1 << 8, 7: 1 << 16}[length]
    return int.from_bytes(block[at : at + size], "little") + base, at + size
