"""Mappings that grow by an entry an event: none sees what another gained, none is copied."""

from __future__ import annotations

import sys
import threading
import time

from shared.log.grown import Grown


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
