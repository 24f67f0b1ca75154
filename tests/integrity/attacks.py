"""An intruder's tools: nats-server's block files read and written, checksums and all; attacks."""

import hashlib
import json
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shared.events.base import chain_hash

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


Attack = Callable[[list[Record], random.Random], list[Record]]


def flip(records: list[Record], chance: random.Random) -> list[Record]:
    at = chance.randrange(len(records))
    body = bytearray(records[at].body)
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return [*records[:at], replace(records[at], body=bytes(body)), *records[at + 1 :]]


def delete(records: list[Record], chance: random.Random) -> list[Record]:
    """One event, and the sequences closed up behind it half of the time."""
    at = chance.randrange(len(records))
    rest = [*records[:at], *records[at + 1 :]]
    return renumbered(rest) if chance.random() < 0.5 else rest


def swap(records: list[Record], chance: random.Random) -> list[Record]:
    one, other = sorted(chance.sample(range(len(records)), 2))
    swapped = list(records)
    swapped[one], swapped[other] = records[other], records[one]
    return renumbered(swapped)


def truncate(records: list[Record], chance: random.Random) -> list[Record]:
    """The end of the log, from one event to all of it."""
    return records[: len(records) - chance.randint(1, len(records))]


def insert(records: list[Record], chance: random.Random) -> list[Record]:
    """A forged event that fits its case's chain, wherever its case ends or later."""
    last = {one.subject.split(".")[1]: at for at, one in enumerate(records)}
    case_id = chance.choice(sorted(last))
    before = records[last[case_id]]
    event = json.loads(before.body)
    event["caseversion"] += 1
    event["prevhash"] = chain_hash(before.body)
    event["id"] = f"forged{chance.getrandbits(64):016x}"
    _, _, _, type_name = before.subject.split(".")
    forged = replace(
        before,
        subject=f"cases.{case_id}.{event['caseversion']}.{type_name}",
        body=_packed(event),
        headers=b"",
    )
    at = chance.randint(last[case_id] + 1, len(records))
    return renumbered([*records[:at], forged, *records[at:]])


def rewrite(records: list[Record], chance: random.Random) -> list[Record]:
    """Another content for one event, and its whole case chained anew."""
    at = chance.randrange(len(records))
    case = records[at].subject.split(".")[1]
    event = json.loads(records[at].body)
    event["actor"] = f"operator:forged{chance.randrange(1000)}"
    changed = list(records)
    changed[at] = replace(records[at], body=_packed(event))
    last_hash = chain_hash(changed[at].body)
    for later in range(at + 1, len(records)):
        if records[later].subject.split(".")[1] == case:
            event = json.loads(records[later].body)
            event["prevhash"] = last_hash
            changed[later] = replace(records[later], body=_packed(event))
            last_hash = chain_hash(changed[later].body)
    return changed


KINDS: dict[str, Attack] = {
    one.__name__: one for one in (flip, delete, swap, truncate, insert, rewrite)
}


def renumbered(records: Sequence[Record]) -> list[Record]:
    """The records with sequences and times in order again."""
    times = sorted(one.time_ns for one in records)
    return [
        replace(one, sequence=sequence, time_ns=time_ns)
        for sequence, (one, time_ns) in enumerate(zip(records, times, strict=True), start=1)
    ]


def on_disk(folder: Path, kind: str, chance: random.Random) -> None:
    """Does it to the block files of a stopped server; a third of flips and cuts are clumsy."""
    clumsy = kind in {"flip", "truncate"} and chance.random() < 1 / 3
    if clumsy:
        path = chance.choice(sorted(folder.glob("*.blk")))
        raw = bytearray(path.read_bytes())
        at = chance.randrange(len(raw))
        if kind == "flip":
            raw[at] ^= 1 << chance.randrange(8)
        else:
            del raw[at:]
        path.write_bytes(bytes(raw))
        forget_index(folder)
        return
    write_records(folder, KINDS[kind](read_records(folder), chance))


def _packed(event: object) -> bytes:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
