"""Guessing return codes pays nothing: whoever hits one after ten thousand is told no place."""

from functools import reduce

import pytest

from services.intake.call_linking import decide_call
from services.intake.state import IntakeState
from services.intake.state import evolve as evolve_intake
from shared.events.base import Event
from shared.events.fields import Channel
from shared.events.intake import CallerConfirmed
from tests.contexts import OLENA
from tests.examples import CaseBook, digest, return_code_issued
from tests.handover.cases import (
    APPROVED,
    DISCLOSE,
    DISCLOSED,
    GUIDE,
    changed,
    decide,
    given,
    refuses,
)
from tests.intake.test_routing import VICTIM, Line

pytestmark = pytest.mark.wide

GUESSES = 10_000
CODED = (*APPROVED, return_code_issued("the code"))


def place_is_refused(before: tuple[Event, ...], call_id: str) -> None:
    refuses("call_code_matched", given(*APPROVED, *before), changed(DISCLOSE, call_id=call_id))
    refuses("call_code_matched", given(*DISCLOSED, *before), changed(GUIDE, call_id=call_id))


def linked(line: Line, before: tuple[Event, ...], address: str, on: Channel) -> Event:
    """What the right code becomes that an attacker hits in the end."""
    call = line.incoming(address, "the code", on)
    state = reduce(evolve_intake, CaseBook(VICTIM).add_all(before), IntakeState())
    event, *_ = decide_call(state, call, line.index.route(call).route)
    return event.model_copy(update={"call_id": "call-9"})


def guessed(*, from_one: bool) -> Line:
    line = Line()
    line.index.reserve_code(digest("the code"), VICTIM)
    for number in range(GUESSES):
        # 136 a second, as was measured; every wrong one is a call of its own.
        line.seconds += 1 / 136
        route = line.call(f"+38050{0 if from_one else number:07}", f"guess {number}")
        assert route.unmatched_code
        assert route.case_id != VICTIM
    return line


@pytest.fixture(scope="module")
def guessed_by_many() -> Line:
    return guessed(from_one=False)


def test_ten_thousand_guesses_on_his_own_channel_and_then_his_code_open_no_place(
    guessed_by_many: Line,
) -> None:
    for line in (guessed(from_one=True), guessed_by_many):
        hit = linked(line, CODED, "+380500000000", "phone")
        place_is_refused((hit,), "call-9")


def test_a_guess_on_a_foreign_channel_opens_no_place_the_first_time_neither() -> None:
    line = Line()
    line.index.reserve_code(digest("the code"), VICTIM)
    hit = linked(line, CODED, "session-1", "web")
    place_is_refused((hit,), "call-9")


def test_the_man_himself_is_told_all_the_same_from_his_own_address_while_others_guess(
    guessed_by_many: Line,
) -> None:
    his = APPROVED[0].model_copy(update={"caller_key": digest("phone +380440000001")})
    hit = linked(guessed_by_many, (his, *CODED[1:]), "+380440000001", "phone")
    assert decide(given(*APPROVED, hit), changed(DISCLOSE, call_id="call-9"))


def test_a_second_fact_that_an_operator_found_opens_what_the_code_alone_did_not() -> None:
    line = Line()
    hit = linked(line, CODED, "session-1", "web")
    confirmed = CallerConfirmed(
        call_id="call-9", channel="web", second_fact="personal_data", by=OLENA
    )
    elsewhere = confirmed.model_copy(update={"channel": "whatsapp"})
    assert decide(given(*APPROVED, hit, confirmed), changed(DISCLOSE, call_id="call-9"))
    place_is_refused((hit, elsewhere), "call-9")
