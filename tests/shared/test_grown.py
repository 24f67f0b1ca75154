"""Mappings that grow by an entry an event: none sees what another gained, none is copied."""

from __future__ import annotations

import time

from shared.grown import Grown


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


def test_every_case_begins_with_an_empty_one_of_its_own() -> None:
    first: Grown[str, int] = Grown()
    grown = [first.with_entry(str(n), n) for n in range(3)]
    assert [dict(one) for one in grown] == [{"0": 0}, {"1": 1}, {"2": 2}]
    assert not first


def test_growing_takes_as_long_at_the_end_as_at_the_beginning() -> None:
    assert _seconds(40_000) < 4 * _seconds(20_000)


def _seconds(entries: int) -> float:
    took = []
    for _ in range(3):
        grown: Grown[int, None] = Grown()
        began = time.thread_time()
        for n in range(entries):
            grown = grown.with_entry(n, None)
        took.append(time.thread_time() - began)
    return min(took)
