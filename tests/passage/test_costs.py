"""What a backup holds in memory and a look for copies costs, however much there is."""

import gc
import tarfile
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from passage.folders import FILE_MODE
from passage.integrity.backup import sealed_file
from passage.integrity.backup.durable import HashedFile
from passage.integrity.backup.sealed_file import PIECE_BYTES, opened, sealed
from passage.integrity.erasure.copies import Erasures
from tests.backups import new_identity, silent
from tests.examples import CASE

MEMBERS = 500
SIZE = 4 * PIECE_BYTES


def peak() -> int:
    """How much was held at most since it was last asked."""
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    return found


def remembered() -> int:
    """How many members somebody knows of."""
    return sum(isinstance(one, tarfile.TarInfo) for one in gc.get_objects())


def test_no_member_is_remembered(tmp_path: Path) -> None:
    identity, path = new_identity(), tmp_path / "passage-1.age"
    with closing(HashedFile(path, FILE_MODE)) as file, sealed(file, identity.to_public()) as writer:
        for number in range(MEMBERS):
            writer.put(f"streams/CASES/{number:08}", b"")
        assert remembered() < MEMBERS // 10
    with opened(path, identity, silent) as members:
        for _ in range(MEMBERS):
            next(members)
        assert remembered() < MEMBERS // 10


def test_a_large_member_is_never_in_memory_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_file, "PIECE_BYTES", PIECE_BYTES // 8)
    tracemalloc.start()
    identity, path, made = new_identity(), tmp_path / "passage-1.age", tmp_path / "made"
    with made.open("wb") as file:
        file.truncate(SIZE)
    with (
        closing(HashedFile(path, FILE_MODE)) as target,
        made.open("rb") as source,
        sealed(target, identity.to_public()) as writer,
    ):
        writer.put_file("witness/large", source, SIZE)
    assert peak() < SIZE // 3
    with opened(path, identity, silent) as members:
        assert sum(len(one.content) for one in members) == SIZE
    assert peak() < SIZE // 3
    tracemalloc.stop()


def test_a_value_takes_as_long_to_look_at_however_many_calls_the_case_has() -> None:
    assert _seconds_a_look(calls=8_000) < 4 * _seconds_a_look(calls=80)


def _seconds_a_look(calls: int) -> float:
    erasures = Erasures(CASE, call_ids={f"call-{one}" for one in range(calls)})
    took = []
    for _ in range(3):
        began = time.thread_time()
        for _ in range(200):
            erasures.take_bytes("database", b"a value of a row")
        took.append(time.thread_time() - began)
    return min(took)
