"""What an intruder does to a log that he can read and write: six kinds, as skilled as can be.

Every attack but the clumsy ones leaves valid blocks, contiguous sequences and, where it can, a
valid chain: what remains to give it away is what stands elsewhere.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from shared.events.base import chain_hash
from tests.integrity.blocks import Record, forget_index, read_records, write_records

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
