"""What is kept in memory is bounded: what was forgotten is read again, and is the same."""

import sys
import threading
import time
from collections.abc import Sequence

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from typing_extensions import override

from services.intake.guessing import SOURCE_MISSES_MAX, Guesses
from services.keyholder.holder import Holder
from services.keyholder.ring import KeyRing
from shared.jetstream.buckets import BucketEntry, WrittenOnce
from shared.jetstream.log import Bounds
from shared.jetstream.recorder import OwnWrites
from shared.keys.messages import SealedValue
from shared.keys.sealing import Spot
from shared.log.case_log import READ_ATTEMPTS, Fold, LogError
from shared.log.grown import Grown
from shared.log.transact import ATTEMPTS, ContendedError, transact
from tests.contexts import MemoryBucket, context_for, secrets
from tests.examples import CASE, OTHER_CASE
from tests.shared.log.test_transact import Notes, add_note, cause, context, evolve


class Counting(MemoryBucket):
    """Counts what is asked of it."""

    asked: int = 0

    @override
    def get_all(self, keys: Sequence[str]) -> list[BucketEntry | None]:
        self.asked += len(keys)
        return super().get_all(keys)


def test_an_entry_that_was_forgotten_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.jetstream.buckets.ENTRIES_REMEMBERED", 2)
    bucket = Counting()
    for key in ("a", "b", "c"):
        bucket.create(key, key.encode())
    once = WrittenOnce(bucket)
    for key in ("a", "b", "c", "c", "b", "a"):
        kept = once.get(key)
        assert kept is not None
        assert kept.value == key.encode()
    assert bucket.asked == 4


def test_a_case_that_was_forgotten_is_folded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.log.history.HISTORIES_KEPT", 1)
    at = context_for("intake", Fold(Notes(), evolve))
    for case in (CASE, OTHER_CASE):
        transact(at.writer, case, cause(f"m-{case}"), add_note)
    assert at.writer.log.remembered(CASE) is None
    assert at.writer.log.load(CASE).version == 1
    assert at.writer.log.remembered(OTHER_CASE) is None


def test_of_long_cases_fewer_are_kept_and_always_the_one_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.log.history.EVENTS_KEPT", 3)
    log = context_for("intake", Fold(Notes(), evolve)).writer
    for number, case in enumerate((CASE, CASE, OTHER_CASE, OTHER_CASE, OTHER_CASE, OTHER_CASE)):
        transact(log, case, cause(f"m-{number}"), add_note)
    assert log.log.remembered(CASE) is None
    kept = log.log.remembered(OTHER_CASE)
    assert kept is not None
    assert kept.version == 4


def test_who_forgot_its_own_write_takes_a_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.jetstream.recorder.REMEMBERED_ORIGINATORS", 1)
    own = OwnWrites()
    for sequence, case in enumerate((CASE, OTHER_CASE), 1):
        own.remember([StoredEvent(case, 1, "", b"")], [sequence])
    stale = [own.lacks(case, -1, Bounds()) for case in (CASE, OTHER_CASE)]
    assert (stale, own.highest_sequence) == ([False, True], 2)


def test_keys_that_were_forgotten_are_unwrapped_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.keyholder.ring.KEYS_KEPT", 1)
    ring = KeyRing(MemoryBucket(), secrets())
    values = []
    for case in (CASE, OTHER_CASE):
        spot = Spot(case, 1, "NoteAdded", "text", "narrative")
        box = ring.for_sealing(case, 1, "")["narrative"].sealing.seal(spot, case)
        values.append(
            SealedValue(case_id=case, version=1, type_name="NoteAdded", field="text", sealed=box)
        )
    for value in (*values, *reversed(values)):
        (opened,) = Holder(ring).open([value], "olena", "a test")
        assert opened.text == value.case_id
        assert len(ring._kept) == 1


def test_a_source_that_guessed_long_ago_is_forgotten_before_one_that_guesses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.intake.guessing.SOURCES_KEPT", 2)
    guesses = Guesses(lambda: 0.0)
    for source in ("old", "guesser", "guesser", "new"):
        guesses.missed("phone", source, SOURCE_MISSES_MAX)
    counted = [guesses.suspicion("phone", one).misses > 0 for one in ("old", "guesser", "new")]
    assert counted == [False, True, True]


def test_a_case_that_changes_under_every_attempt_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def overtaken(*_: object) -> None:
        tried.append(1)
        raise IntegrityError

    monkeypatch.setattr("shared.log.transact._attempt", overtaken)
    with pytest.raises(ContendedError):
        transact(context().writer, CASE, cause("m"), add_note)
    assert len(tried) == ATTEMPTS


def test_a_replica_that_lags_in_every_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    at, read = context(), []

    def lags(_: object) -> bool:
        read.append(1)
        return False

    monkeypatch.setattr(at.writer.log, "is_current", lags)
    with pytest.raises(LogError, match="lagged"):
        at.writer.log.load_current(CASE)
    assert len(read) == READ_ATTEMPTS


def test_what_grew_from_a_mapping_leaves_it_as_it_was() -> None:
    empty: Grown[str, int] = Grown()
    one = empty.with_entry("a", 1)
    two = one.with_entry("b", 2)
    assert (dict(empty), dict(one), dict(two)) == ({}, {"a": 1}, {"a": 1, "b": 2})
    assert "b" not in one
    assert one.get("b") is None


def test_two_that_grew_from_one_are_strangers() -> None:
    one: Grown[str, int] = Grown({"a": 1})
    mine, theirs = one.with_entry("b", 2), one.with_entry("b", 3)
    assert (mine["b"], theirs["b"]) == (2, 3)
    assert mine != theirs
    assert dict(theirs.with_entry("c", 4)) == {"a": 1, "b": 3, "c": 4}


def test_another_value_of_an_entry_keeps_its_place() -> None:
    grown = Grown({"a": 1, "b": 2})
    assert list(grown.with_entry("a", 3).items()) == [("a", 3), ("b", 2)]
    assert grown["a"] == 1
    assert grown.with_entry("a", 1) is grown


def test_what_changed_since_stays_as_it_was_where_it_was_taken() -> None:
    one = Grown({"a": 1}).with_entry("b", 2)
    two = one.with_entry("a", 3)
    three = two.with_entry("c", 4).with_entry("a", 5)
    assert (dict(one), dict(two)) == ({"a": 1, "b": 2}, {"a": 3, "b": 2})
    assert list(three.items()) == [("a", 5), ("b", 2), ("c", 4)]
    assert (len(one), len(two), len(three)) == (2, 2, 3)
    # One that is no longer the newest has a copy, of what it was.
    assert dict(one.with_entry("a", 6)) == {"a": 6, "b": 2}


def test_it_is_read_while_another_thread_adds_to_it() -> None:
    grown: Grown[int, None] = Grown(dict.fromkeys(range(200)))
    stopped = threading.Event()

    def grow() -> None:
        longer = grown
        for number in range(200, 200_000):
            longer = longer.with_entry(number, None)
            if stopped.is_set():
                return

    other, before = threading.Thread(target=grow), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        other.start()
        read = {len(list(grown)) for _ in range(2_000)}
    finally:
        sys.setswitchinterval(before)
        stopped.set()
        other.join()
    assert read == {200}


def test_every_case_begins_with_an_empty_one_of_its_own() -> None:
    first: Grown[str, int] = Grown()
    grown = [first.with_entry(str(n), n) for n in range(3)]
    assert [dict(one) for one in grown] == [{"0": 0}, {"1": 1}, {"2": 2}]
    assert not first


def test_growing_takes_as_long_at_the_end_as_at_the_beginning() -> None:
    assert _seconds(40_000) < 4 * _seconds(20_000)


def test_so_does_changing_what_was_added_last() -> None:
    assert _seconds(8_000, changes=1) < 4 * _seconds(4_000, changes=1)


def _seconds(entries: int, changes: int = 0) -> float:
    took = []
    for _ in range(3):
        grown: Grown[int, int] = Grown()
        began = time.thread_time()
        for n in range(entries):
            for value in range(changes + 1):
                grown = grown.with_entry(n, value)
        took.append(time.thread_time() - began)
    return min(took)
