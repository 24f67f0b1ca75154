"""What desk's logs tell of a case goes with it: remarks of shifts, and proposed decisions."""

import pytest

from services.desk import words
from services.desk.reactions import REACTIONS
from shared.events.base import CaseEvent, Event
from shared.events.catalogue import CASE_EVENTS, OWNER
from shared.events.fields import PersonalClass, Plain
from shared.events.intake import PersonalDataErased
from shared.events.people import BreakGlassSet, DecisionProposed, PersonSuspended
from shared.events.shifts import ShiftHandedOver, ShiftStarted, WordsErased
from shared.people.signed import SIGNED
from tests.contexts import record
from tests.desk.desks import SmallDesk
from tests.desk.test_proposals import DECISION
from tests.examples import ALL_CLASSES, CASE, OTHER_CASE, case_opened, personal_data_erased
from tests.rarer_examples import AT, signature

SHIFT, OTHER = "SHIFT-1", "SHIFT-2"


@pytest.fixture
def desk() -> SmallDesk:
    desk = SmallDesk()
    for case_id in (CASE, OTHER_CASE):
        record(desk.context.writer, case_opened(), case_id=case_id)
    return desk


def hand_over(desk: SmallDesk, shift: str, *case_ids: str, remark: str | None = "calm") -> None:
    told = Plain(remark) if remark else None
    named = ShiftHandedOver(to=("ivan",), case_ids=case_ids, by="olena", remark=told)
    events = [ShiftStarted(operators=("olena",), started_by="olena"), named]
    known = desk.events(shift) != []
    record(desk.context.writer, *events[known:], case_id=shift)


def propose(desk: SmallDesk, decision: str, about: str) -> None:
    proposed = DecisionProposed(
        act="CloseCase",
        about=about,
        command=Plain('{"remark":"Vzorov"}'),
        signature=signature("olena"),
        expires_at=AT,
    )
    record(desk.context.writer, proposed, case_id=decision)


def erase(desk: SmallDesk, *classes: PersonalClass, case_id: str = CASE) -> None:
    """desk hears of it twice, and the key holder of what desk makes of it."""
    erased = personal_data_erased(*(classes or ALL_CLASSES))
    record(desk.context.writer, erased, case_id=case_id, source="/services/intake")
    event: CaseEvent[PersonalDataErased] = desk.events(case_id)[-1]
    for _ in range(2):
        words.erase_words(desk.desk, event)
    for log_id in (SHIFT, DECISION):
        for one in desk.events(log_id):
            if isinstance(one.data, WordsErased):
                desk.destroy_keys(log_id, one.id)


def erased_in(desk: SmallDesk, log_id: str) -> list[str | None]:
    found = [one.data for one in desk.events(log_id)]
    return [one.erased_case for one in found if isinstance(one, WordsErased)]


def test_a_case_takes_with_it_what_desk_was_told_of_it(desk: SmallDesk) -> None:
    hand_over(desk, SHIFT, OTHER_CASE, CASE)
    hand_over(desk, OTHER, OTHER_CASE)
    propose(desk, DECISION, CASE)
    propose(desk, "DECISION-2", OTHER_CASE)
    erase(desk)
    assert [erased_in(desk, one) for one in (SHIFT, DECISION)] == [[CASE], [CASE]]
    assert [erased_in(desk, one) for one in (OTHER, "DECISION-2")] == [[], []]


def test_each_goes_with_what_it_may_hold_and_never_with_places_alone(desk: SmallDesk) -> None:
    hand_over(desk, SHIFT, CASE)
    propose(desk, DECISION, CASE)
    erase(desk, "location")
    assert [erased_in(desk, one) for one in (SHIFT, DECISION)] == [[], []]
    erase(desk, "identity")
    assert [erased_in(desk, one) for one in (SHIFT, DECISION)] == [[], [CASE]]
    erase(desk, "narrative")
    assert [erased_in(desk, one) for one in (SHIFT, DECISION)] == [[CASE], [CASE]]


def test_no_command_that_takes_signatures_holds_a_place() -> None:
    recorded = [event for row in SIGNED.values() for event in row.records]
    assert {one for event in recorded for one in event.PERSONAL.values()} == words.COMMANDS
    assert set(ShiftHandedOver.PERSONAL.values()) == words.REMARKS


def test_what_is_told_later_is_erased_by_the_next_erasure(desk: SmallDesk) -> None:
    hand_over(desk, SHIFT, CASE)
    erase(desk)
    hand_over(desk, SHIFT, CASE)
    erase(desk)
    hand_over(desk, SHIFT, CASE, remark=None)
    erase(desk)
    assert erased_in(desk, SHIFT) == [CASE, CASE]


def test_desk_hears_of_every_erasure() -> None:
    assert words.erase_words in REACTIONS[PersonalDataErased]


def test_every_text_that_desk_seals_is_erased_with_its_case_or_of_no_case() -> None:
    """Whoever adds one must say which."""
    of_desk = {one for one in CASE_EVENTS.values() if OWNER[one] == "desk" and one.PERSONAL}
    with_a_case: set[type[Event]] = {ShiftHandedOver, DecisionProposed}
    of_those_who_work_here: set[type[Event]] = {BreakGlassSet, PersonSuspended}
    assert of_desk == with_a_case | of_those_who_work_here
