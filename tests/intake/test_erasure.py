"""The guards of erasure: given events, when it is asked for, then these events or this guard."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import pytest

from services.intake.erasure import decide_erase, decide_location_retention, decide_queued
from services.intake.state import IntakeState, evolve
from shared.commands.intake import ErasePersonalData
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.intake import ErasureRequested, LegalBasis, PersonalDataErased
from tests import examples as e
from tests.contexts import OLENA, ask, refused_by
from tests.intake.receiving import ruled

RETENTION = timedelta(days=10)
RULES = replace(ruled(), retention=RETENTION)
CALLED = [e.case_opened(), e.call_triaged(), e.surrender_declared(), e.personal_data_provided()]
ARRIVED = [*CALLED, e.return_code_issued(), e.arrived_in_ukraine()]
PLANNED = [*ARRIVED, e.rendezvous_planned()]
GUIDED = [*PLANNED, e.rendezvous_approved(), e.rendezvous_disclosed()]


def type_name(event: Event) -> str:
    return type(event).__name__


def given(*events: Event) -> IntakeState:
    return reduce(evolve, e.CaseBook().add_all(events), IntakeState())


def when(state: IntakeState, now: datetime = e.NOON, **fields: Any) -> list[Event]:
    request = {"legal_basis": "request_of_person", "reference": "letter 17", **fields}
    return decide_erase(state, ask(ErasePersonalData, **request), now, RULES)


def classes(events: list[Event]) -> tuple[str, ...]:
    (event,) = events
    assert isinstance(event, PersonalDataErased)
    return event.classes


def closed_at(state: IntakeState) -> datetime:
    assert state.closed_at is not None
    return state.closed_at


def test_nothing_is_erased_of_a_case_that_does_not_exist() -> None:
    refused_by("case_known", when, given())


@pytest.mark.parametrize("basis", ["request_of_person", "court_order"])
def test_a_request_says_what_it_is_filed_under(basis: LegalBasis) -> None:
    case = given(*ARRIVED)
    refused_by("request_named", lambda: when(case, legal_basis=basis, reference=None))
    (event,) = when(case, legal_basis=basis)
    assert event == PersonalDataErased(
        classes=e.ALL_CLASSES, legal_basis=basis, by=OLENA, reference=Plain("letter 17")
    )
    assert "letter 17" not in repr(event)


def test_without_a_request_the_retention_of_a_closed_case_must_have_passed() -> None:
    retention: dict[str, Any] = {"legal_basis": "retention_passed", "reference": None}
    refused_by("retention_passed", lambda: when(given(*ARRIVED), **retention))
    closed = given(*ARRIVED, e.case_closed("withdrew"))
    just_before = closed_at(closed) + RETENTION - timedelta(seconds=1)
    refused_by("retention_passed", lambda: when(closed, just_before, **retention))
    assert classes(when(closed, closed_at(closed) + RETENTION, **retention)) == e.ALL_CLASSES


def test_the_retention_of_a_reopened_case_begins_anew() -> None:
    reopened = [*ARRIVED, e.case_closed("withdrew"), e.case_reopened()]
    much_later = e.NOON + 3 * RETENTION
    retention: dict[str, Any] = {"legal_basis": "retention_passed", "reference": None}
    refused_by("retention_passed", lambda: when(given(*reopened), much_later, **retention))
    again = given(*reopened, e.case_closed("withdrew"))
    assert classes(when(again, closed_at(again) + RETENTION, **retention)) == e.ALL_CLASSES


@pytest.mark.parametrize("underway", [PLANNED, GUIDED])
def test_between_planned_and_handed_over_it_is_queued_once(underway: list[Event]) -> None:
    (event,) = when(given(*underway))
    assert event == ErasureRequested(
        classes=e.ALL_CLASSES,
        legal_basis="request_of_person",
        by=OLENA,
        reference=Plain("letter 17"),
    )
    queued = given(*underway, e.erasure_requested())
    assert when(queued) == when(queued, classes=["identity"]) == decide_queued(queued) == []


def test_a_request_for_more_than_is_queued_is_queued_too() -> None:
    (event,) = when(given(*GUIDED, e.erasure_requested("location")))
    assert isinstance(event, ErasureRequested)


@pytest.mark.parametrize(
    "end", [e.handed_over(), e.rendezvous_missed(), e.case_closed("withdrew")], ids=type_name
)
def test_what_was_queued_follows_when_his_way_has_ended(end: Event) -> None:
    ended = given(*GUIDED, e.erasure_requested(), end)
    (event,) = decide_queued(ended)
    assert event == PersonalDataErased(
        classes=e.ALL_CLASSES, legal_basis="request_of_person", by="Olena Example"
    )
    assert decide_queued(given(*GUIDED, e.erasure_requested(), end, event)) == []
    assert classes(when(given(*GUIDED, end))) == e.ALL_CLASSES


def test_another_rendezvous_missed_ends_nothing() -> None:
    assert decide_queued(given(*GUIDED, e.erasure_requested(), e.rendezvous_missed("meet-0"))) == []


def test_a_rendezvous_planned_again_is_a_way_again() -> None:
    again = [*GUIDED, e.erasure_requested(), e.rendezvous_missed(), e.rendezvous_planned("meet-2")]
    assert decide_queued(given(*again)) == []
    assert len(decide_queued(given(*again, e.handed_over()))) == 1


def test_a_case_reopened_with_its_rendezvous_is_underway_again() -> None:
    reopened = given(*GUIDED, e.case_closed("withdrew"), e.case_reopened())
    assert isinstance(when(reopened)[0], ErasureRequested)


def test_each_of_several_requests_is_carried_out_for_what_is_left() -> None:
    asked = [*GUIDED, e.erasure_requested("identity"), e.erasure_requested(), e.handed_over()]
    events = decide_queued(given(*asked))
    assert [event.classes for event in events if isinstance(event, PersonalDataErased)] == [
        ("identity",),
        ("location", "narrative"),
    ]
    assert decide_queued(given(*asked, *events)) == []


def test_only_what_holds_something_is_erased_and_nothing_twice() -> None:
    assert classes(when(given(*CALLED))) == ("identity", "narrative")
    erased = [*ARRIVED, e.personal_data_erased("identity")]
    assert classes(when(given(*erased))) == ("location", "narrative")
    assert when(given(*erased), classes=["identity"]) == []
    assert when(given(*ARRIVED, e.personal_data_erased())) == []


def test_what_is_given_after_an_erasure_can_be_erased_again() -> None:
    again = given(*ARRIVED, e.personal_data_erased(), e.personal_data_provided())
    assert classes(when(again)) == ("identity",)
    noted = given(*ARRIVED, e.personal_data_erased(), e.note_added())
    assert classes(when(noted)) == ("narrative",)


def test_a_request_that_was_carried_out_is_done_whatever_is_told_later() -> None:
    told_again = [
        *CALLED,
        e.personal_data_erased("identity"),
        e.rendezvous_planned(),
        e.erasure_requested(),
        e.handed_over(),
        e.personal_data_erased("location", "narrative"),
        e.personal_data_provided(),
        e.case_closed(),
    ]
    assert decide_queued(given(*told_again)) == []


def test_what_a_person_erased_meanwhile_is_left_out_of_what_is_queued() -> None:
    meanwhile = [
        *GUIDED,
        e.erasure_requested(),
        e.rendezvous_missed(),
        e.personal_data_erased("identity"),
    ]
    assert classes(decide_queued(given(*meanwhile))) == ("location", "narrative")


def test_places_are_erased_after_handover_once() -> None:
    after = [*GUIDED, e.handed_over()]
    (event,) = decide_location_retention(given(*after), "service:intake")
    assert event == PersonalDataErased(
        classes=("location",), legal_basis="location_retention", by="service:intake"
    )
    assert decide_location_retention(given(*after, event), "service:intake") == []
    assert decide_location_retention(given(*CALLED, e.handed_over()), "service:intake") == []


def test_places_wait_too_while_he_is_underway() -> None:
    (event,) = decide_location_retention(given(*GUIDED), "service:intake")
    assert isinstance(event, ErasureRequested)
    assert decide_location_retention(given(*GUIDED, event), "service:intake") == []


def test_classes_are_given_in_any_order() -> None:
    command = ask(
        ErasePersonalData,
        classes=["narrative", "identity", "identity"],
        legal_basis="court_order",
        reference="order 5",
    )
    assert command.classes == ("identity", "narrative")


@pytest.mark.parametrize("wrong", [[], ["everything"], "identity", [1], None])
def test_classes_that_do_not_exist_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="classes"):
        ask(ErasePersonalData, classes=wrong, legal_basis="court_order", reference="order 5")


def test_a_person_can_not_act_in_the_name_of_the_location_timer() -> None:
    with pytest.raises(ValueError, match="legal_basis"):
        ask(ErasePersonalData, legal_basis="location_retention", reference="order 5")
