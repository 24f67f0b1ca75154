"""Addresses that nobody has: reading them takes little, and what is asked of them stays small."""

from __future__ import annotations

import time

import pytest

from shared.callers.addresses import HASHED_MAX_CHARACTERS, spelled


def test_an_address_that_folds_to_more_than_one_request_holds_is_kept_by_its_digest() -> None:
    folds_to_three = "\u0390" * (HASHED_MAX_CHARACTERS // 2)
    kept = _kept(folds_to_three)
    assert len(kept) < HASHED_MAX_CHARACTERS
    assert _kept(folds_to_three) == kept
    assert _kept(f"{folds_to_three}a") != kept


@pytest.mark.parametrize("text", ["(" * 100 + "a" * 200, "(a" * 150, "[{(" * 50 + "a" * 150])
def test_brackets_that_end_nowhere_take_no_more_than_those_that_do(text: str) -> None:
    assert _seconds(text) < 8 * _seconds("(a)" * 100)


@pytest.mark.parametrize("label", ["м.т.", "р.т.", "д. т. ", "т.м.", "моб.т.", "p.phone."])
@pytest.mark.parametrize("form", ["{}x", "+<{}x>", "tel:{}x"])
def test_labels_before_no_number_take_no_more_than_other_words(label: str, form: str) -> None:
    assert _seconds(form.format(label * 17)) < 8 * _seconds(form.format("вот." * 17))


def _kept(address: str) -> str:
    found = spelled("telegram", address)
    assert found is not None
    return found.own[0]


def _seconds(address: str) -> float:
    """The least of several: what this thread took, whatever else the machine does."""
    took = []
    for _ in range(5):
        began = time.thread_time()
        spelled("phone", address)
        took.append(time.thread_time() - began)
    return min(took)
