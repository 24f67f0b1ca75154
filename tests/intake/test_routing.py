"""Which case a call goes to: by its caller, however his number is written, and by a code."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count, permutations

import pytest

from services.intake.callers import DOUBTFUL, LIKELY
from services.intake.guessing import CHANNEL_MISSES_MAX, HOUR_S, SOURCE_MISSES_MAX, Guesses
from services.intake.incoming import IncomingCall, Route
from services.intake.routing import GUESSABLE, SURE, Index, Standing
from shared.callers.addresses import spelled
from shared.events.fields import Channel
from tests.contexts import MemoryBucket
from tests.examples import NOON, digest

VICTIM = "0EXAMP000001"


class Line:
    """Calls on their way to an index in memory; a keyed hash is a digest."""

    def __init__(self) -> None:
        self.bucket = MemoryBucket()
        self.seconds = 0.0
        self.guesses = Guesses(lambda: self.seconds)
        self.standing: dict[str, Standing] = {}
        self.index = Index(
            self.bucket, lambda case_id, _: self.standing.get(case_id, Standing()), self.guesses
        )
        self._ids: Iterator[int] = count()

    def call(
        self,
        address: str | None,
        code: str = "",
        on: Channel = "phone",
        region: str | None = None,
    ) -> Route:
        return self.index.route(self.incoming(address, code, on, region)).route

    def incoming(
        self,
        address: str | None,
        code: str = "",
        on: Channel = "phone",
        region: str | None = None,
    ) -> IncomingCall:
        kept = spelled(on, address, region) if address is not None else None
        own: Sequence[str] = kept.own if kept is not None else ()
        readings: Sequence[str] = kept.readings if kept is not None else ()
        return IncomingCall(
            call_id=f"c-{next(self._ids)}",
            channel=on,
            caller_keys=tuple(digest(f"{on} {one}") for one in own),
            language="ru",
            started_at=NOON,
            code_hashes=(digest(code),) if code else (),
            gave_code=bool(code),
            reading_keys=tuple((digest(f"{on} {one}"),) for one in readings),
        )


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.mark.parametrize(
    "spellings",
    [
        ("+7 900 000-00-01", "8 900 000 00 01", "79000000001"),
        ("+380 50 000 00 02", "8 050 000 00 02", "380500000002"),
        ("+380 44 000 00 05", "8 044 000 00 05", "0440000005"),
        ("+375 29 000 00 06", "8 029 000 00 06", "375290000006"),
        ("+7 495 000 00 07", "8 495 000 00 07", "4950000007"),
        ("+380 00 000 00 08", "8 000 000 00 08", "380000000008"),
    ],
)
def test_one_man_has_one_case_whichever_spelling_comes_first(spellings: tuple[str, ...]) -> None:
    for order in permutations(spellings):
        line = Line()
        cases = {line.call(one).case_id for one in (*order, *order)}
        assert len(cases) == 1, order


def test_the_first_call_alone_is_new(line: Line) -> None:
    first, second, third = (line.call(one) for one in ("0440000005", "+380440000005", "0440000005"))
    assert (first.is_new, second.is_new, third.is_new) == (True, False, False)


def test_a_link_by_one_of_several_readings_is_doubtful(line: Line) -> None:
    line.call("+380440000005")
    assert line.call("+380440000005").confidence == LIKELY
    assert line.call("0440000005").confidence == DOUBTFUL
    assert line.call("0440000005").confidence == DOUBTFUL


def test_two_men_who_each_called_by_himself_are_not_made_one(line: Line) -> None:
    kyiv, gomel = line.call("+380440000005"), line.call("+375440000005")
    assert kyiv.case_id != gomel.case_id
    # Whose this is nobody can tell: it is a case of its own, and stays one.
    unclear = line.call("0440000005")
    assert unclear.case_id not in {kyiv.case_id, gomel.case_id}
    assert line.call("8 044 000 00 05").case_id == unclear.case_id
    assert line.call("+380440000005").case_id == kyiv.case_id


def test_a_case_that_an_unclear_number_began_becomes_one_mans_alone(line: Line) -> None:
    unclear = line.call("0440000005")
    gomel, kyiv = line.call("+375440000005"), line.call("+380440000005")
    assert gomel.case_id == unclear.case_id != kyiv.case_id
    assert (gomel.confidence, kyiv.is_new) == (DOUBTFUL, True)
    assert line.call("+375440000005").case_id == gomel.case_id
    assert line.call("+380440000005").case_id == kyiv.case_id


def test_the_region_of_the_call_tells_two_men_apart(line: Line) -> None:
    kyiv, gomel = line.call("0440000005", region="UA"), line.call("0440000005", region="BY")
    assert kyiv.case_id != gomel.case_id
    assert line.call("+380440000005").case_id == kyiv.case_id
    assert line.call("375440000005").case_id == gomel.case_id


def test_a_withheld_number_is_a_case_for_each_call_and_has_no_key(line: Line) -> None:
    routes = [line.call(one) for one in (None, "Private Number", "0", "0", "Скрытый номер")]
    assert len({one.case_id for one in routes}) == len(routes)
    assert {one.caller_key for one in routes} == {None}


def test_duplicates_are_not_judged_by_the_id_alone_hours_later_another_man_may_say_as_little(
    line: Line,
) -> None:
    silent = replace(line.incoming(None), call_id="call-1", words="w")
    evening = [NOON + timedelta(hours=hours) for hours in (0, 9, 33)]
    calls = [replace(silent, began=began.isoformat()) for began in evening]
    routed = [line.index.route(call) for call in calls]
    assert len({one.route.case_id for one in routed}) == len(routed)
    assert len({one.call.call_id for one in routed}) == len(routed)
    assert [one.call.same_id_as for one in routed] == [None, "call-1", "call-1"]
    assert [line.index.route(call) for call in calls] == routed
    again = replace(silent, began=(NOON + timedelta(minutes=5)).isoformat())
    for sent_again in (again, replace(silent, began="")):
        assert line.index.route(sent_again).route == routed[0].route


def test_an_entry_of_an_earlier_version_is_still_found(line: Line) -> None:
    line.bucket.create(f"caller.{digest('phone +38089000000001')}", b'{"case_id": "0EXAMP000009"}')
    for spelling in ("8 900 000 00 01", "8900 0000001"):
        assert line.call(spelling).case_id == "0EXAMP000009"


def test_what_a_crash_left_undone_is_made_good_by_the_next_call(line: Line) -> None:
    first = line.call("0440000005")
    for key in [one for one in line.bucket.kept if one.startswith("maybe.")]:
        del line.bucket.kept[key]
    assert line.call("0440000005").case_id == first.case_id
    assert line.call("+380440000005").case_id == first.case_id


@pytest.mark.parametrize(("unclear", "on"), [("0440000005", "whatsapp"), ("+80440000005", "web")])
def test_what_one_channel_says_of_unclear_numbers_tells_nothing_of_anothers(
    line: Line, unclear: str, on: Channel
) -> None:
    first = line.call("0440000005")
    line.index.reserve_code(digest("code"), first.case_id)
    assert line.call(unclear, "code", on=on).case_id == first.case_id
    assert line.call("+380440000005", on=on).case_id == first.case_id
    assert line.call("+380440000005").case_id == first.case_id
    assert line.call("+375440000005").is_new


def test_what_an_earlier_version_found_of_an_unclear_number_still_holds(line: Line) -> None:
    unclear = line.call("0440000005")
    known = {"case_id": unclear.case_id, "key": digest("phone +375440000005")}
    line.bucket.create(f"read.{unclear.case_id}", json.dumps(known).encode())
    assert line.call("+380440000005").is_new
    assert line.call("+375440000005").case_id == unclear.case_id


def coded(line: Line, code: str = "code", *, duress: bool = False) -> None:
    assert line.index.reserve_code(digest(code), VICTIM, duress=duress)


def test_a_code_is_believed_less_after_each_wrong_one_of_its_source(line: Line) -> None:
    coded(line)
    confidences = [line.call("+380440000001", "code").confidence]
    for number in range(SOURCE_MISSES_MAX):
        line.call("+380440000001", f"wrong {number}")
        confidences.append(line.call("+380440000001", "code").confidence)
    assert confidences == sorted(confidences, reverse=True)
    assert (confidences[0], confidences[-1]) == (SURE, GUESSABLE)
    assert line.call("+380440000002", "code").confidence == SURE


def test_a_source_over_its_limit_is_doubted_and_no_other(line: Line) -> None:
    coded(line)
    for number in range(SOURCE_MISSES_MAX):
        assert line.call("+380440000001", f"wrong {number}").unmatched_code
    assert line.call("+380440000001", "code").guessable
    assert not line.call("+380440000002", "code").guessable
    line.seconds += HOUR_S
    assert not line.call("+380440000001", "code").guessable


@pytest.mark.parametrize("sources", ["many", "withheld"])
def test_a_channel_over_its_limit_is_doubted_whoever_calls_and_no_other(
    line: Line, sources: str
) -> None:
    coded(line)
    for number in range(10 * CHANNEL_MISSES_MAX):
        address = f"+38044{number:07}" if sources == "many" else None
        line.call(address, f"wrong {number}")
    route = line.call("+380500000002", "code")
    assert (route.case_id, route.guessable, route.confidence) == (VICTIM, True, GUESSABLE)
    assert not line.call("@other_man", "code", on="telegram").guessable
    line.seconds += 2 * HOUR_S
    assert not line.call("+380500000003", "code").guessable


def test_a_call_with_several_codes_is_several_guesses(line: Line) -> None:
    coded(line)
    for number in range(CHANNEL_MISSES_MAX // 5):
        line.index.route(replace(line.incoming(None, f"wrong {number}"), tries=5))
    assert line.call("+380500000002", "code").guessable


def test_a_code_among_his_words_may_be_a_guess_and_counts_as_none(line: Line) -> None:
    coded(line)
    for number in range(2 * CHANNEL_MISSES_MAX):
        said = replace(line.incoming("+380440000001", f"{number}"), gave_code=False)
        assert not line.index.route(said).route.unmatched_code
    said = replace(line.incoming("+380440000001", "code"), gave_code=False)
    route = line.index.route(said).route
    assert (route.basis, route.guessable, route.confidence) == ("return_code", True, SURE)
    assert not line.call("+380440000001", "code").guessable


def test_a_duress_twin_is_heard_whatever_was_guessed_before(line: Line) -> None:
    coded(line, "twin", duress=True)
    for number in range(2 * CHANNEL_MISSES_MAX):
        line.call(None, f"wrong {number}")
    assert line.call(None, "twin").duress


def test_a_call_that_comes_again_is_no_second_guess(line: Line) -> None:
    call = line.incoming("+380440000001", "wrong")
    for _ in range(SOURCE_MISSES_MAX):
        line.index.route(call)
    coded(line)
    assert not line.call("+380440000001", "code").guessable


def test_an_index_tells_cheaply_whether_a_code_is_one(line: Line) -> None:
    coded(line)
    asked = [digest("code under an older pepper"), digest("code")]
    assert line.index.live_codes(asked) == {digest("code")}
    assert line.index.live_codes([digest("wrong")]) == frozenset()
    assert line.index.live_codes([]) == frozenset()
