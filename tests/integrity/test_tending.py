"""The witness checks every signature of its files once, beside its work, and then thins them."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from services.witness.tending import Tending
from tests.integrity.witness_lines import (
    BEGUN_AT,
    KEY,
    count_checks,
    old_lines,
    path,
    said,
    sign_some,
    texts,
    write,
)

__all__ = ["path"]

PUBLIC = KEY.public_key()
DAYS = 40
MANY = DAYS * 12
"""Lines, one every two hours."""


def test_a_file_that_cannot_be_replaced_stays_whole_and_is_used(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of_them = sign_some([path], MANY)
    monkeypatch.setattr(Path, "replace", failing)
    Tending([path], PUBLIC, pytest.fail).run(_ended_after_one_look())
    assert texts(path) == all_of_them
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert said(path) == ([], [])


def test_the_witness_checks_every_signature_once_and_then_thins(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_some([path], MANY)
    checked = count_checks(monkeypatch)
    tending, stop = Tending([path], PUBLIC, pytest.fail), threading.Event()
    lines = len(texts(path))
    tending.look(path, stop)
    assert (len(checked), len(texts(path)) < lines) == (lines, True)
    sign_some([path], 1, BEGUN_AT + timedelta(days=99))
    tending.look(path, stop)
    assert len(checked) == lines


def test_a_line_that_takes_no_part_any_more_is_checked_all_the_same(path: Path) -> None:
    lines = old_lines(MANY)
    bad = lines[100].replace('"cases":1', '"cases":2')
    write(path, [*lines[:100], bad, *lines[101:]])
    assert said(path) == ([], [])  # It binds nothing, so nothing waits for it.
    doubts: list[str] = []
    Tending([path], PUBLIC, doubts.append).look(path, threading.Event())
    assert doubts == [f"{path}, line 101: its signature doesn't fit witness.pub"]
    assert len(texts(path)) == MANY  # Somebody must look at it.


def failing(*_: object) -> None:
    raise OSError(16, "Device or resource busy")


def _ended_after_one_look() -> threading.Event:
    class Once(threading.Event):
        @override
        def wait(self, timeout: float | None = None) -> bool:
            if timeout and timeout >= 1:
                self.set()
            return self.is_set()

    return Once()
