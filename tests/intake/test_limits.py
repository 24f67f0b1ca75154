"""How much of a kind a channel may send, and how many calls a case takes; nothing is lost."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typing_extensions import override

from services.intake.cleaning import LIST_MAX, ORIGINAL_MAX_BYTES, SECONDS_MAX, original_of
from services.intake.codes import ATTEMPTS as CODES_TRIED
from services.intake.codes import _reserved
from services.intake.parsing import MEDIA_MAX
from services.intake.receiving import ATTEMPTS as ENDS_TRIED
from services.intake.receiving import EarlyEnds
from services.intake.routing import ASKED_AGAIN_AFTER, CALLS_OF_A_CASE_MAX, Index, Standing
from services.intake.state import Call, IntakeState
from shared.commands.intake import IssueReturnCode
from shared.events.calls import CallEnded
from shared.events.fields import Channel
from shared.jetstream.buckets import Change, TakenError
from shared.log.grown import Grown
from shared.log.transact import ContendedError
from shared.parked.parking import UnprocessableError
from tests.contexts import MemoryBucket
from tests.examples import CASE, NOON, digest
from tests.intake.receiving import KEYS, envelope, originals, received
from tests.intake.test_routing import VICTIM, Line


def test_a_call_has_so_many_media_and_the_others_stand_in_its_original() -> None:
    most = [f"photo-{number}" for number in range(MEDIA_MAX)]
    taken, shortened = (received(envelope(media=one)) for one in (most, [*most, "photo-more"]))
    assert (taken.media, taken.changed) == (tuple(most), None)
    assert (shortened.media, shortened.changed) == (tuple(most), ("media_replaced",))
    assert originals(shortened)["media"] == [*most, "photo-more"]


def test_of_a_list_of_so_many_parts_each_has_a_head_of_its_own() -> None:
    part = "x" * (ORIGINAL_MAX_BYTES // LIST_MAX + 1)
    each, one = (
        json.loads(original_of({"media": [part] * count, "text": "y"}).value or "")
        for count in (LIST_MAX, LIST_MAX + 1)
    )
    assert set(each) == {"all"}  # Parts shorter than a head are left as they are.
    assert set(one) == {"media", "text"}
    assert set(one["media"]) == {"head", "characters", "sha256"}


def test_a_number_of_seconds_above_its_limit_is_one_of_milliseconds() -> None:
    seconds = 1_900_000_000
    assert seconds < SECONDS_MAX < seconds * 1_000
    both = [received(envelope(started_at=one)).started_at for one in (seconds, seconds * 1_000)]
    assert both[0] == both[1]


class Restless(MemoryBucket):
    """A bucket in which somebody else is always first."""

    tried: int = 0

    @override
    def create(self, key: str, value: bytes) -> int:
        self.tried += 1
        raise TakenError(key)

    @override
    def change(self, changes: Sequence[Change]) -> list[int]:
        raise TakenError("changed")


def test_an_end_whose_place_keeps_changing_is_tried_again_later() -> None:
    bucket = Restless()
    ended = CallEnded(call_id="call-1", channel="phone", ended_at=NOON)
    with pytest.raises(ContendedError):
        EarlyEnds(bucket).remember(ended)
    assert bucket.tried == ENDS_TRIED


def test_so_many_return_codes_in_a_row_are_no_chance() -> None:
    tried = []

    def taken(*_: object, **__: object) -> bool:
        tried.append(1)
        return False

    intake = SimpleNamespace(context=SimpleNamespace(keys=KEYS), index=SimpleNamespace())
    intake.index.reserve_code = taken
    command = IssueReturnCode(command_id="c-1", case_id=CASE, by="olena")
    with pytest.raises(UnprocessableError):
        _reserved(cast(Any, intake), command, is_issued=False)
    assert len(tried) <= CODES_TRIED
    assert len(tried) > CODES_TRIED // 2


@pytest.fixture
def line() -> Line:
    return Line()


def test_the_calls_after_a_full_case_are_another_case_and_a_code_is_let_in_longer(
    line: Line,
) -> None:
    line.index.reserve_code(digest("123-456-7890"), VICTIM)
    first = line.call("+7 900 000-00-01")
    almost = Standing(calls=CALLS_OF_A_CASE_MAX - 1)
    full, twice = Standing(calls=CALLS_OF_A_CASE_MAX), Standing(calls=2 * CALLS_OF_A_CASE_MAX)
    line.standing[first.case_id] = almost
    assert line.call("+7 900 000-00-01").case_id == first.case_id
    line.standing[first.case_id] = full
    second, again = line.call("+7 900 000-00-01"), line.call("+7 900 000-00-01")
    assert second.case_id == again.case_id != first.case_id
    assert (second.previous_case, second.episode) == (None, 1)  # No later episode of his.
    line.standing[VICTIM] = full
    assert line.call("+7 900 000-00-02", "123-456-7890").case_id == VICTIM
    line.standing[VICTIM] = twice
    assert line.call("+7 900 000-00-02", "123-456-7890").case_id != VICTIM


def test_of_a_row_of_full_cases_only_the_ends_are_read(line: Line) -> None:
    asked: list[str] = []

    def standing_of(case_id: str, _: Channel) -> Standing:
        asked.append(case_id)
        return line.standing.get(case_id, Standing())

    line.index = Index(line.bucket, standing_of)
    row = [line.call("+7 900 000-00-01").case_id]
    for _ in range(4):
        line.standing[row[-1]] = Standing(calls=CALLS_OF_A_CASE_MAX)
        row.append(line.call("+7 900 000-00-01").case_id)
    asked.clear()
    for _ in range(ASKED_AGAIN_AFTER):
        assert line.call("+7 900 000-00-01").case_id == row[-1]
    assert asked.count(row[0]) == 1
    assert set(asked) == {row[0], row[-1]}


def test_a_man_who_calls_after_a_full_case_was_closed_has_his_next_episode(line: Line) -> None:
    first = line.call("+7 900 000-00-01")
    line.standing[first.case_id] = Standing(is_over=True, calls=CALLS_OF_A_CASE_MAX)
    later = line.call("+7 900 000-00-01")
    assert (later.previous_case, later.episode) == (first.case_id, 2)


def test_that_a_full_case_is_over_is_heard_after_some_calls(line: Line) -> None:
    first = line.call("+7 900 000-00-01")
    line.standing[first.case_id] = Standing(calls=CALLS_OF_A_CASE_MAX)
    line.call("+7 900 000-00-01")
    line.standing[first.case_id] = Standing(is_over=True, calls=CALLS_OF_A_CASE_MAX)
    later = [line.call("+7 900 000-00-01") for _ in range(ASKED_AGAIN_AFTER)]
    assert [one.previous_case for one in later] == [None] * (len(later) - 1) + [first.case_id]


def test_a_flood_on_one_channel_with_his_code_keeps_out_none_of_his_calls_on_another(
    line: Line,
) -> None:
    def standing_of(case_id: str, channel: Channel) -> Standing:
        flooded = (case_id, channel) == (VICTIM, "telegram")
        return Standing(calls=2 * CALLS_OF_A_CASE_MAX if flooded else 2)

    line.index = Index(line.bucket, standing_of)
    line.index.reserve_code(digest("123-456-7890"), VICTIM)
    his = "+7 900 000-00-01"
    for code in ("123-456-7890", ""):
        assert line.call(his, code).case_id == VICTIM
        assert line.call("man", "123-456-7890", on="telegram").case_id != VICTIM
        assert line.call("man", on="telegram").case_id != VICTIM
    assert line.call(his).case_id == VICTIM


def test_a_case_has_the_calls_of_each_channel_counted_by_themselves() -> None:
    calls: Grown[tuple[Channel, str], Call] = Grown(
        {("telegram", str(n)): Call(None, "ru", NOON) for n in range(CALLS_OF_A_CASE_MAX)}
    )
    state = IntakeState(calls=calls.with_entry(("phone", "1"), Call(None, "ru", NOON)))
    assert Standing.of(state, "telegram").calls == CALLS_OF_A_CASE_MAX
    assert Standing.of(state, "phone").calls == 1


def test_a_later_episode_that_was_full_is_asked_again_too(line: Line) -> None:
    his = "+7 900 000-00-01"
    first = line.call(his)
    line.standing[first.case_id] = Standing(is_over=True)
    second = line.call(his)
    line.standing[second.case_id] = Standing(calls=CALLS_OF_A_CASE_MAX)
    assert line.call(his).case_id != second.case_id
    line.standing[second.case_id] = Standing(is_over=True, calls=CALLS_OF_A_CASE_MAX)
    later = [line.call(his) for _ in range(ASKED_AGAIN_AFTER)]
    assert (later[-1].previous_case, later[-1].episode) == (second.case_id, 3)
