"""An intruder's tool: reads and writes nats-server's block files, checksums and all.

The format is nats-server 2.15's: a record is length, sequence, time, subject, headers, body, and a
HighwayHash-64 over all but the length, keyed by stream and block. Nothing of it is secret, so
detection may not rest on it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HAS_HEADERS = 0x80000000
FIXED = struct.Struct("<IQqH")
CHECKSUM_BYTES = 8
_MASK = 0xFFFFFFFFFFFFFFFF
_HALF = 0xFFFFFFFF
_MUL0 = (0xDBE6D5D5FE4CCE2F, 0xA4093822299F31D0, 0x13198A2E03707344, 0x243F6A8885A308D3)
_MUL1 = (0x3BD39E10CB0EF593, 0xC0ACF169B5F18A8C, 0xBE5466CF34E90C6C, 0x452821E638D01377)


@dataclass(frozen=True)
class Record:
    """A stored message."""

    sequence: int
    time_ns: int
    subject: str
    headers: bytes
    body: bytes


def message_folder(store: Path, stream: str = "CASES") -> Path:
    """Where a stopped server keeps a stream's blocks, whatever its account."""
    (found,) = store.glob(f"**/streams/{stream}/msgs")
    return found


def read_records(folder: Path) -> list[Record]:
    found: list[Record] = []
    for path in sorted(folder.glob("*.blk"), key=lambda one: int(one.stem)):
        raw, at = path.read_bytes(), 0
        while at < len(raw):
            length, sequence, time_ns, subject_length = FIXED.unpack_from(raw, at)
            end = at + (length & ~HAS_HEADERS)
            start = at + FIXED.size
            subject = raw[start : start + subject_length].decode()
            start += subject_length
            headers = b""
            if length & HAS_HEADERS:
                (size,) = struct.unpack_from("<I", raw, start)
                headers = raw[start + 4 : start + 4 + size]
                start += 4 + size
            body = raw[start : end - CHECKSUM_BYTES]
            found.append(Record(sequence, time_ns, subject, headers, body))
            at = end
    return found


def write_records(
    folder: Path, records: Sequence[Record], stream: str = "CASES", *, index: bool = False
) -> None:
    """Replaces all of a stream by these records, in one valid block; keeps the index if told to.

    The server believes an index that fits the block's size and last checksum.
    """
    if not index:
        forget_index(folder)
    for path in folder.glob("*.blk"):
        path.unlink()
    key = hashlib.sha256(f"{stream}-1".encode()).digest()
    (folder / "1.blk").write_bytes(b"".join(_encoded(one, key) for one in records))


def forget_index(folder: Path) -> None:
    """Makes the server read the blocks anew at its start."""
    (folder / "index.db").unlink(missing_ok=True)


def _encoded(one: Record, key: bytes) -> bytes:
    subject = one.subject.encode()
    headers = struct.pack("<I", len(one.headers)) + one.headers if one.headers else b""
    length = FIXED.size + len(subject) + len(headers) + len(one.body) + CHECKSUM_BYTES
    fixed = FIXED.pack(
        length | (HAS_HEADERS if headers else 0), one.sequence, one.time_ns, len(subject)
    )
    hashed = fixed[4:20] + subject + one.headers + one.body
    return fixed + subject + headers + one.body + highway_hash(key, hashed)


def highway_hash(key: bytes, content: bytes) -> bytes:
    """HighwayHash-64, as its authors' portable implementation has it."""
    state = _State(key)
    whole = len(content) & ~31
    for at in range(0, whole, 32):
        state.update(struct.unpack_from("<4Q", content, at))
    if len(content) & 31:
        state.finish(content[whole:])
    for _ in range(4):
        v = state.v0
        state.update((_turned(v[2]), _turned(v[3]), _turned(v[0]), _turned(v[1])))
    total = state.v0[0] + state.v1[0] + state.mul0[0] + state.mul1[0]
    return struct.pack("<Q", total & _MASK)


class _State:
    def __init__(self, key: bytes) -> None:
        words = struct.unpack("<4Q", key)
        self.mul0, self.mul1 = list(_MUL0), list(_MUL1)
        self.v0 = [a ^ b for a, b in zip(_MUL0, words, strict=True)]
        self.v1 = [a ^ _turned(b) for a, b in zip(_MUL1, words, strict=True)]

    def update(self, lanes: Sequence[int]) -> None:
        v0, v1, mul0, mul1 = self.v0, self.v1, self.mul0, self.mul1
        for i in range(4):
            v1[i] = (v1[i] + mul0[i] + lanes[i]) & _MASK
            mul0[i] ^= (v1[i] & _HALF) * (v0[i] >> 32)
            v0[i] = (v0[i] + mul1[i]) & _MASK
            mul1[i] ^= (v0[i] & _HALF) * (v1[i] >> 32)
        for source, target in ((v1, v0), (v0, v1)):
            for i in (0, 2):
                low, high = _zipped(source[i], source[i + 1])
                target[i] = (target[i] + low) & _MASK
                target[i + 1] = (target[i + 1] + high) & _MASK

    def finish(self, rest: bytes) -> None:
        size = len(rest)
        self.v0 = [(v + (size << 32) + size) & _MASK for v in self.v0]
        self.v1 = [_rolled(v & _HALF, size) | (_rolled(v >> 32, size) << 32) for v in self.v1]
        packet = bytearray(32)
        packet[: size & ~3] = rest[: size & ~3]
        tail = rest[size & ~3 :]
        if size & 16:
            packet[28:32] = rest[size - 4 :]
        elif tail:
            packet[16], packet[17], packet[18] = tail[0], tail[len(tail) >> 1], tail[-1]
        self.update(struct.unpack("<4Q", packet))


def _turned(word: int) -> int:
    return ((word << 32) | (word >> 32)) & _MASK


def _rolled(half: int, by: int) -> int:
    return ((half << by) | (half >> (32 - by))) & _HALF


def _zipped(v0: int, v1: int) -> tuple[int, int]:
    low = (
        (((v0 & 0xFF000000) | (v1 & 0xFF00000000)) >> 24)
        | (((v0 & 0xFF0000000000) | (v1 & 0xFF000000000000)) >> 16)
        | (v0 & 0xFF0000)
        | ((v0 & 0xFF00) << 32)
        | ((v1 & 0xFF00000000000000) >> 8)
        | ((v0 << 56) & _MASK)
    )
    high = (
        (((v1 & 0xFF000000) | (v0 & 0xFF00000000)) >> 24)
        | (v1 & 0xFF0000)
        | ((v1 & 0xFF0000000000) >> 16)
        | ((v1 & 0xFF00) << 24)
        | ((v0 & 0xFF000000000000) >> 8)
        | ((v1 & 0xFF) << 48)
        | (v0 & 0xFF00000000000000)
    )
    return low, high
