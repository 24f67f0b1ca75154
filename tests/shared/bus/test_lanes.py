"""Lanes: streams and sources take turns, a source's own pieces keep their order, and what goes
first doesn't shut the others out.
"""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.lanes import LONG_BYTES_MAX, LONG_WAITING_MAX, Lanes, Work
from shared.log.transact import Outcome
from tests.examples import CASE, OTHER_CASE


def piece(source: str, *, first: bool = False, in_turn: bool = True, size: int = 0) -> Work:
    return Work(source, lambda: Outcome("ignored", "", 0, 0), first, in_turn, size=size)


def drained(lanes: Lanes[str]) -> list[str]:
    found: list[str] = []
    while (taken := lanes.take()) is not None:
        stream, work, item = taken
        found.append(item)
        lanes.done(stream, work)
    return found


def taken_of(lanes: Lanes[str]) -> tuple[str, Work, str]:
    taken = lanes.take()
    assert taken is not None
    return taken


def test_a_flooded_stream_leaves_every_other_turn_to_another() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    for number in range(1_000):
        lanes.put("phone", piece(f"man {number}"), f"flood {number}")
    lanes.put("telegram", piece("genuine"), "genuine")
    assert "genuine" in drained(lanes)[:2]


def test_a_flooding_source_leaves_every_other_turn_to_another_of_its_stream() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    for number in range(1_000):
        lanes.put("phone", piece("one address"), f"flood {number}")
    lanes.put("phone", piece("genuine"), "genuine")
    assert "genuine" in drained(lanes)[:2]


def test_withheld_numbers_are_one_source_and_yet_worked_on_at_once() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    for number in range(10):
        lanes.put("phone", piece("withheld", in_turn=False), f"{number}")
    lanes.put("phone", piece("genuine"), "genuine")
    at_work = [taken[2] for _ in range(4) if (taken := lanes.take()) is not None]
    assert at_work == ["0", "genuine", "1", "2"]


def test_one_source_is_worked_on_in_turn() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    lanes.put("phone", piece("he"), "first")
    lanes.put("phone", piece("he"), "second")
    taken = lanes.take()
    assert taken is not None
    assert lanes.take() is None
    lanes.done(*taken[:2])
    assert drained(lanes) == ["second"]


def test_a_stream_has_no_more_than_its_share_under_way() -> None:
    lanes: Lanes[str] = Lanes(share=2)
    for number in range(5):
        lanes.put("phone", piece(f"man {number}"), f"{number}")
    lanes.put("telegram", piece("genuine"), "genuine")
    at_work = [taken[2] for _ in range(5) if (taken := lanes.take()) is not None]
    assert sorted(at_work) == ["0", "1", "genuine"]


def test_a_live_code_goes_first_and_others_still_have_their_turn() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    for number in range(8):
        lanes.put("phone", piece(f"man {number}"), "other")
    for number in range(8):
        lanes.put("phone", piece(f"code {number}", first=True), "coded")
    assert drained(lanes)[:8].count("coded") == 6


def test_what_is_put_back_is_its_sources_next() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    lanes.put("phone", piece("he"), "first")
    lanes.put("phone", piece("he"), "second")
    taken = lanes.take()
    assert taken is not None
    lanes.put_back(*taken)
    lanes.limit("phone", 0)
    assert lanes.take() is None
    lanes.limit("phone", 1)
    assert drained(lanes) == ["first", "second"]


def test_long_pieces_are_worked_on_one_at_a_time_and_rest_and_others_pass_them() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    for name in ("first long", "second long"):
        lanes.put("phone", piece(name), name)
    for taken in [taken_of(lanes), taken_of(lanes)]:
        assert lanes.put_among_long(*taken, CASE)
    lanes.put("phone", piece("he"), "short")
    stream, work, item = taken_of(lanes)
    assert (item, work.is_long) == ("first long", True)
    lanes.done(stream, work)
    assert drained(lanes) == ["short"]
    lanes.long_have_rested("phone")
    assert drained(lanes) == ["second long"]


def test_what_waits_behind_a_long_piece_follows_it_until_that_one_is_done() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    for item in ("long", "behind"):
        lanes.put("phone", piece("he"), item)
    assert lanes.put_among_long(*taken_of(lanes), CASE)
    lanes.put("phone", piece("he"), "newest")
    long = taken_of(lanes)
    assert long[2] == "long"
    assert lanes.take() is None
    lanes.done(*long[:2])
    assert drained(lanes) == ["behind", "newest"], "they wait for no rest: his case is in memory"


def test_of_the_ends_of_calls_those_of_one_long_case_wait_for_the_first_of_them() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    cases = (CASE, OTHER_CASE, CASE)
    for case in cases:
        lanes.put("phone", piece("ends", in_turn=False), case)
    for taken, case in zip([taken_of(lanes) for _ in cases], cases, strict=True):
        assert lanes.put_among_long(*taken, case)
    assert drained(lanes) == [CASE, CASE]
    lanes.long_have_rested("phone")
    assert drained(lanes) == [OTHER_CASE]


def test_of_one_stream_only_so_many_long_pieces_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.bus.lanes.LONG_WAITING_MAX", 2)
    lanes: Lanes[str] = Lanes(share=4)
    for number in range(3):
        lanes.put("phone", piece(f"{number}"), f"{number}")
    taken = [taken_of(lanes) for _ in range(3)]
    assert [lanes.put_among_long(*one, CASE) for one in taken] == [True, True, False]
    assert drained(lanes) == ["0"]


LARGE = LONG_BYTES_MAX // 2
"""Two of these wait among the long ones, and no third."""


def test_large_messages_that_wait_for_long_cases_leave_room_in_hand_for_the_others() -> None:
    lanes: Lanes[str] = Lanes(share=4)
    sizes = [LARGE, LARGE, LARGE, LONG_BYTES_MAX // LONG_WAITING_MAX]
    for number, size in enumerate(sizes):
        lanes.put("phone", piece(f"{number}", size=size), f"{number}")
    taken = [taken_of(lanes) for _ in sizes]
    assert [lanes.put_among_long(*one, CASE) for one in taken] == [True, True, False, True]
    assert drained(lanes) == ["0"]
    lanes.put("phone", piece("another", size=LARGE - sizes[-1]), "another")
    assert lanes.put_among_long(*taken_of(lanes), CASE), "one is done"


@pytest.mark.parametrize("came_before", [1, 3])
def test_what_is_too_large_to_wait_behind_a_long_message_is_tried(came_before: int) -> None:
    lanes: Lanes[str] = Lanes(share=4)
    items = ["long", "behind", "too much"]
    for item in items[:came_before]:
        lanes.put("phone", piece("he", size=LARGE), item)
    assert lanes.put_among_long(*taken_of(lanes), CASE)
    for item in items[came_before:]:
        lanes.put("phone", piece("he", size=LARGE), item)
    assert [taken_of(lanes)[2] for _ in range(2)] == ["long", "too much"]
    assert lanes.take() is None


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["phone", "telegram"]),
        st.sampled_from(["a", "b", "c"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


def _is_done(lanes: Lanes[int], taken: tuple[str, Work, int], chance: Random) -> bool:
    stream, work, _ = taken
    if work.is_long:
        lanes.long_have_rested(stream)
    if chance.random() < 0.2:
        lanes.put_back(*taken)
        return False
    if not work.is_long and chance.random() < 0.2:
        assert lanes.put_among_long(*taken, CASE)
        return False
    lanes.done(stream, work)
    return True


@given(PIECES, st.randoms(use_true_random=False))
def test_every_piece_is_worked_on_once_and_a_sources_in_their_order(
    pieces: list[tuple[str, str, bool, bool]], chance: Random
) -> None:
    lanes: Lanes[int] = Lanes(share=3)
    for number, (stream, source, first, in_turn) in enumerate(pieces):
        lanes.put(stream, piece(source, first=first, in_turn=in_turn), number)
    began: list[int] = []
    at_work: list[tuple[str, Work, int]] = []
    while True:
        taken = lanes.take()
        if taken is not None:
            at_work.append(taken)
        elif not at_work:
            break
        if at_work and (taken is None or chance.random() < 0.5):
            ended = at_work.pop(0)
            began += [ended[2]] * _is_done(lanes, ended, chance)
    assert sorted(began) == list(range(len(pieces)))
    for name in {(stream, source, first) for stream, source, first, _ in pieces}:
        own = [number for number in began if pieces[number][:3] == name and pieces[number][3]]
        assert own == sorted(own)
