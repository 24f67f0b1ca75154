"""Lanes: streams and sources take turns, a source's own pieces keep their order, and what goes
first doesn't shut the others out.
"""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.lanes import Lanes, Work
from shared.transact import Outcome


def piece(source: str, *, first: bool = False, in_turn: bool = True) -> Work:
    return Work(source, lambda: Outcome("ignored", "", 0, 0), is_first=first, in_turn=in_turn)


def drained(lanes: Lanes[str]) -> list[str]:
    """What is worked on, one after the other."""
    found: list[str] = []
    while (taken := lanes.take()) is not None:
        stream, work, item = taken
        found.append(item)
        lanes.done(stream, work)
    return found


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


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["phone", "telegram"]),
        st.sampled_from(["a", "b", "c"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


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
            stream, work, number = at_work.pop(0)
            if chance.random() < 0.2:
                lanes.put_back(stream, work, number)
            else:
                began.append(number)
                lanes.done(stream, work)
    assert sorted(began) == list(range(len(pieces)))
    for name in {(stream, source, first) for stream, source, first, _ in pieces}:
        own = [number for number in began if pieces[number][:3] == name and pieces[number][3]]
        assert own == sorted(own)
