"""Invented pairs of every kind of real inputs, each judged field by field as it should be."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from shared.matching import Stated, compare
from shared.matching.verdicts import NAME_FIELDS

FILE = Path(__file__).parent.parent / "golden" / "name-pairs.csv"
COLUMNS = ("surname", "first", "patronymic")


def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def stated(row: dict[str, str], side: str) -> Stated:
    return Stated(*(row[f"{column}_{side}"] for column in COLUMNS))


KINDS = sorted({row["kind"] for row in rows()})


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_of_a_kind_is_judged_as_it_should_be(kind: str) -> None:
    for row in rows():
        if row["kind"] == kind:
            one, other = stated(row, "a"), stated(row, "b")
            for judged in (compare(one, other), compare(other, one)):
                found = tuple(judged[field].verdict for field in NAME_FIELDS)
                assert found == tuple(row[column] for column in COLUMNS), row
