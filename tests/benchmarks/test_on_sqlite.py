"""The keys' table of the benchmark keeps what a bucket promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eventsourcing.sqlite import SQLiteDatastore

from benchmarks.on_sqlite import KeyTable
from shared.jetstream.buckets import BucketEntry, Change, TakenError


@pytest.fixture
def table(tmp_path: Path) -> Iterator[KeyTable]:
    datastore = SQLiteDatastore(str(tmp_path / "log.db"), originator_id_type="text")
    yield KeyTable(datastore)
    datastore.close()


def test_a_key_is_created_once(table: KeyTable) -> None:
    revision = table.create("key.a", b"1")
    with pytest.raises(TakenError):
        table.create("key.a", b"2")
    assert table.get("key.a") == BucketEntry(b"1", revision)


def test_changes_are_written_all_or_none(table: KeyTable) -> None:
    a, b = table.create("key.a", b"1"), table.create("key.b", b"1")
    (newer,) = table.change([Change("key.a", b"2", a)])
    with pytest.raises(TakenError):
        table.change([Change("key.b", b"3", b), Change("key.a", b"3", a)])
    assert dict(table.entries()) == {
        "key.a": BucketEntry(b"2", newer),
        "key.b": BucketEntry(b"1", b),
    }
