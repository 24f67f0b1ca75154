"""Thinned witness files: what is left is as it was signed, linked, and one signature vouches."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passage.integrity.gate import bad_lines_of
from passage.running import Running
from shared.witnesses import checkpoints, files, parsing
from shared.witnesses.backlinks import KEPT, hash_of
from shared.witnesses.checkpoints import make_witness_keys
from shared.witnesses.files import read_witness_files, sign_next, thin
from shared.witnesses.parsing import SHOWN_MAX
from tests.integrity.prepared import (
    BEGUN_AT,
    FEW,
    KEY,
    ONE,
    TWO,
    count_checks,
    fields,
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


@pytest.fixture
def thinned(path: Path) -> Path:
    sign_some([path], MANY)
    thin(path)
    return path


def numbers(path: Path) -> list[int]:
    return [json.loads(one)["number"] for one in texts(path)]


def test_of_old_lines_one_an_hour_a_day_a_month_is_left_as_it_was_signed(path: Path) -> None:
    all_of_them = sign_some([path], MANY)
    gone = thin(path)
    left = texts(path)
    assert gone == MANY - len(left)
    assert left == [one for one in all_of_them if one in set(left)]
    levels = [json.loads(one)["level"] for one in left]
    # Every line begins an hour here.
    assert left[-FEW[0] :] == all_of_them[-FEW[0] :]
    assert levels.count(3) == 3  # January, February, March.
    assert sum(level >= 2 for level in levels) == FEW[2] + 3
    assert len(left) <= sum(FEW[:3]) + 3


def test_what_is_left_is_sound_and_needs_one_signature(
    thinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = count_checks(monkeypatch)
    monkeypatch.setattr(parsing, "read_line", lambda *_: pytest.fail("one by one"))
    assert said(thinned) == ([], [])
    assert checked == texts(thinned)[-1:]


def test_thinning_again_and_again_leaves_a_chain(path: Path) -> None:
    for part in range(12):
        sign_some([path], 37, BEGUN_AT + timedelta(days=part * 9), minutes=25)
        thin(path)
        assert said(path) == ([], [])
        assert len(texts(path)) <= sum(FEW[:3]) + 5


def test_whatever_is_taken_out_of_a_thinned_file_shows(thinned: Path) -> None:
    lines = texts(thinned)
    for place in range(len(lines) - 1):  # That the newest is gone, another file shows.
        write(thinned, lines[:place] + lines[place + 1 :])
        problems, warnings = said(thinned)
        assert (problems, len(warnings) > 0) == ([], True), place
        assert f"and {json.loads(lines[place + 1])['number']} are in no witness file" in warnings[0]


def test_whatever_is_changed_in_a_thinned_file_is_named(thinned: Path) -> None:
    lines = texts(thinned)
    for place, line in enumerate(lines):
        other = line.replace('"cases":1', '"cases":2')
        write(thinned, [*lines[:place], other, *lines[place + 1 :]])
        problems, _ = said(thinned)
        assert problems == [
            f"{thinned}, line {place + 1}: its signature doesn't fit witness.pub"
        ], place


def test_a_line_that_nobody_signed_cannot_pass_by_its_links(thinned: Path) -> None:
    lines = texts(thinned)
    forged = json.loads(lines[-1])
    forged |= {"number": forged["number"] + 1, "sequence": 9_999}
    forged["links"] = [hash_of(lines[-1].encode()), *forged["links"][1:]]
    write(thinned, [*lines, json.dumps(forged, separators=(",", ":"))])
    problems, _ = said(thinned)
    assert problems == [f"{thinned}, line {len(lines) + 1}: its signature doesn't fit witness.pub"]


def test_of_many_problems_and_gaps_the_first_are_named_and_the_others_counted(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "checkpoints.jsonl", ["nobody signed this"] * SHOWN_MAX)
    assert len(said(path)[0]) == SHOWN_MAX
    write(path, ["nobody signed this"] * (SHOWN_MAX + 3))
    problems, _ = said(path)
    assert problems[SHOWN_MAX - 1 :] == [
        f"{path}, line {SHOWN_MAX}: it is not a signed line",
        "and 3 more",
    ]
    make_witness_keys(tmp_path)
    running = Running.bare("").model_copy(update={"witnesses": (path,), "keys": tmp_path})
    assert bad_lines_of(running) == problems
    path.unlink()
    write(path, sign_some([path], 2 * SHOWN_MAX + 5)[1::2])
    problems, gaps = said(path)
    assert (problems, len(gaps), gaps[-1]) == ([], SHOWN_MAX + 1, "and 2 more")


def test_files_thinned_at_different_times_are_read_as_one(path: Path) -> None:
    one, two, whole = (path.with_name(name) for name in ("one", "two", "whole"))
    sign_some([one, two, whole], 200)
    thin(one)
    sign_some([one, whole], 90, BEGUN_AT + timedelta(days=30))  # The other one was away.
    sign_some([one, two, whole], 40, BEGUN_AT + timedelta(days=60))
    thin(two)
    for paths in ([one], [one, two], [two, one, whole], [whole]):
        assert said(*paths) == ([], []), paths
    assert "are in no witness file" in said(two)[1][0]
    kept = [each.number for each in read_witness_files([whole], PUBLIC).lines]
    assert [each.number for each in read_witness_files([one, two], PUBLIC).lines] == kept
    thin(one)
    assert numbers(one) == kept


def test_old_lines_are_kept_checked_and_thinned_and_new_ones_follow_them(path: Path) -> None:
    write(path, old_lines(MANY))
    assert said(path) == ([], [])
    sign_some([path], 1, BEGUN_AT + timedelta(days=DAYS))
    assert numbers(path)[-1] == MANY + 1
    thin(path)
    assert said(path) == ([], [])
    sign_some([path], MANY, BEGUN_AT + timedelta(days=DAYS + 1))
    thin(path)
    assert said(path) == ([], [])
    assert len(texts(path)) <= sum(FEW[:3]) + 7
    lines = texts(path)
    write(path, [lines[0].replace('"cases":1', '"cases":3'), *lines[1:]])
    assert said(path)[0] == [f"{path}, line 1: its signature doesn't fit witness.pub"]


def test_of_old_lines_only_those_that_count_are_checked_at_a_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, old_lines(MANY))
    checked: list[str] = []

    def counted(text: str, key: Ed25519PublicKey) -> checkpoints.Line:
        checked.append(text)
        return checkpoints.read_line(text, key)

    monkeypatch.setattr(parsing, "read_line", counted)
    lines = read_witness_files([path], PUBLIC).lines
    assert len(lines) == len(checked) <= sum(FEW[:3]) + 3


def test_a_succession_and_the_first_line_of_an_incarnation_stay_for_ever(path: Path) -> None:
    sign_some([path], 40)
    succession = fields(30, TWO, kind="succession", previous=ONE, kept=30, lost=10)
    sign_next([path], KEY, BEGUN_AT + timedelta(days=4), succession)
    for number in range(1, 80):
        at = BEGUN_AT + timedelta(days=4, hours=number)
        sign_next([path], KEY, at, fields(30 + number, TWO))
    thin(path)
    found = read_witness_files([path], PUBLIC)
    assert said(path) == ([], [])
    assert sorted(found.current) == [TWO]
    assert [one.number for one in found.lines if one.kind == "succession"] == [41]
    above = [one for at, lines in found.binding.items() for one in lines if at > 30]
    assert {one.incarnation for one in above} == {TWO}


def test_what_is_signed_while_a_file_is_thinned_is_not_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_some([path], MANY)

    @contextmanager
    def late(paths: list[Path]) -> Iterator[None]:
        sign_some(paths, 3, BEGUN_AT + timedelta(days=DAYS))
        yield

    monkeypatch.setattr(files, "held", late)
    thin(path)
    assert numbers(path)[-4:] == [MANY, MANY + 1, MANY + 2, MANY + 3]
    assert said(path) == ([], [])


def test_two_who_sign_at_once_number_no_line_twice(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "one", tmp_path / "b" / "two"]
    for one in paths:
        one.parent.mkdir()

    def sign() -> None:
        for number in range(10):
            sign_next(paths, KEY, BEGUN_AT, fields(number))

    threads = [threading.Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(paths[0]) == numbers(paths[1]) == list(range(1, 41))
    assert said(*paths) == ([], [])


def test_three_years_of_lines_leave_a_file_of_four_megabytes() -> None:
    years, longest = 3, 750
    months = 12 * years
    assert KEPT[:3] == (2 * 24 * 60, 60 * 24, 1_100)
    assert (sum(KEPT[:3]) + months) * longest < 4_200_000
