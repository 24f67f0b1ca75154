"""Rendezvous: each row of the guard table, allowed and refused."""

import pytest

from services.handover.rendezvous import expired
from shared.commands.base import Command
from shared.events import handover
from shared.events.base import Event
from tests import examples as e
from tests import rarer_examples
from tests.contexts import OLENA, PETRO
from tests.handover.cases import (
    ACCEPT,
    ACCEPTED,
    APPROVE,
    APPROVED,
    ARRIVED,
    CANCEL,
    CLEARED,
    DISCLOSE,
    DISCLOSED,
    DURESS,
    HOUR,
    MISSED,
    OFFER,
    OFFERED,
    PLAN,
    PLANNED,
    RECEIPT,
    REPLAN,
    REVIEW,
    REVIEWED,
    VERIFIED,
    answered,
    assessed,
    changed,
    decide,
    given,
    names,
    overridden,
    refuses,
)
from tests.rarer_examples import CANCELLED, EXPIRED

REPLANNED = rarer_examples.REPLANNED.model_copy(
    update={"window_from": e.NOON, "window_to": e.NOON + 8 * HOUR, "planned_by": PETRO}
)
PLANS = [(PLAN, ()), (REPLAN, (e.rendezvous_planned(),))]
"""Both ways to plan, and what must have happened before."""
both = pytest.mark.parametrize(("command", "before"), PLANS, ids=["plan", "replan"])


def test_a_rendezvous_is_planned_for_a_man_who_arrived_and_is_at_least_partly_known() -> None:
    (event,) = decide(given(*ARRIVED, answered("partial")), PLAN)
    assert isinstance(event, handover.RendezvousPlanned)
    assert (event.planned_by, event.rendezvous_id) == (OLENA, "cmd-1")
    assert "Musterdorf" not in repr(event)


@both
@pytest.mark.parametrize(
    ("guard", "history"),
    [
        ("arrived", (e.case_opened(), e.personal_data_provided(), answered("match"))),
        ("identity_at_least_partial", ARRIVED),
        ("identity_at_least_partial", (*ARRIVED, answered("none"))),
        ("identity_at_least_partial", (*ARRIVED, answered("ambiguous"))),
        ("identity_at_least_partial", (*ARRIVED, answered("unavailable"))),
        ("no_open_contradiction", (*ARRIVED, answered("partial"), e.identity_contradicted())),
        ("no_open_contradiction", (*ARRIVED, answered("partial"), e.identity_rejected())),
        (
            "no_open_contradiction",
            (*ARRIVED, e.identity_contradicted(), e.personal_data_provided()),
        ),
        ("no_open_contradiction", (*ARRIVED, e.identity_contradicted(), answered("match"))),
        ("credibility_allows", (*VERIFIED, assessed("hostile"))),
        ("no_hold", (*VERIFIED, REVIEW)),
    ],
)
def test_planning_is_refused(
    command: Command, before: tuple[Event, ...], guard: str, history: tuple[Event, ...]
) -> None:
    refuses(guard, given(*history, *before), command)


@both
@pytest.mark.parametrize(
    "more",
    [
        (),
        (assessed("credible"),),
        (assessed("unclear"),),
        (assessed("doubtful"),),
        (assessed("hostile", hours=-1),),
        (assessed("hostile"), assessed("doubtful")),
        (assessed("hostile"), overridden("credibility_allows")),
        (REVIEW, REVIEW, REVIEWED),
        (REVIEW, overridden("no_hold")),
    ],
)
def test_planning_is_allowed(
    command: Command, before: tuple[Event, ...], more: tuple[Event, ...]
) -> None:
    assert len(decide(given(*VERIFIED, *before, *more), command)) == 1


@both
def test_who_cannot_say_his_name_is_met_on_the_word_of_two(
    command: Command, before: tuple[Event, ...]
) -> None:  # E22
    assert len(decide(given(*ARRIVED, *before, overridden("identity_verified")), command)) == 1
    past = given(*ARRIVED, *before, overridden("identity_verified", hours=0))
    refuses("identity_at_least_partial", past, command)
    contradicted = given(
        *ARRIVED, *before, e.identity_contradicted(), overridden("identity_verified")
    )
    refuses("no_open_contradiction", contradicted, command)


@both
def test_a_window_must_be_in_order_and_to_come(command: Command, before: tuple[Event, ...]) -> None:
    state = given(*VERIFIED, *before)
    refuses("window_in_order", state, changed(command, window_to=e.NOON))
    refuses("window_in_future", state, command, 3 * HOUR)


def test_what_he_states_as_a_prisoner_changes_nothing_of_who_he_is() -> None:
    later = e.personal_data_provided().model_copy(update={"provenance": "after_capture"})
    assert len(decide(given(*PLANNED, later), APPROVE)) == 1


def test_an_answer_about_older_data_changes_nothing() -> None:
    state = given(*VERIFIED, e.personal_data_provided(), answered("match"))
    refuses("identity_at_least_partial", state, PLAN)


def test_a_disclosed_rendezvous_is_not_planned_over() -> None:
    assert len(decide(given(*APPROVED), PLAN)) == 1
    refuses("nothing_disclosed", given(*DISCLOSED), PLAN)
    for end in (e.rendezvous_missed(), CANCELLED, EXPIRED):
        assert len(decide(given(*DISCLOSED, end), PLAN)) == 1


def test_replanning_takes_the_place_of_the_current_one_even_when_disclosed() -> None:
    (event,) = decide(given(*DISCLOSED), REPLAN)
    assert isinstance(event, handover.RendezvousReplanned)
    assert (event.rendezvous_id, event.replaces) == ("cmd-1", "meet-1")
    refuses("rendezvous_current", given(*VERIFIED), REPLAN)
    for end in (e.rendezvous_missed(), CANCELLED, EXPIRED, REPLANNED):
        refuses("rendezvous_current", given(*DISCLOSED, end), REPLAN)


def test_what_is_replanned_is_approved_by_another_and_disclosed_anew() -> None:
    state = given(*ACCEPTED, REPLANNED)
    refuses("rendezvous_current", state, APPROVE)
    refuses("approved", state, changed(DISCLOSE, rendezvous_id="meet-2"))
    refuses("another_person", state, changed(APPROVE, rendezvous_id="meet-2"))
    refuses("disclosed", state, OFFER)
    refuses("accepted", state, RECEIPT)
    assert len(decide(state, changed(APPROVE, rendezvous_id="meet-2", by=OLENA))) == 1


def test_another_person_approves() -> None:
    (event,) = decide(given(*PLANNED), APPROVE)
    assert isinstance(event, handover.RendezvousApproved)
    assert event.by == PETRO
    for name in (OLENA, OLENA.upper(), f" {OLENA} "):
        refuses("another_person", given(*PLANNED), changed(APPROVE, by=name))
    by_two = given(*PLANNED, *(overridden(one) for one in ("identity_verified", "no_hold")))
    refuses("another_person", by_two, changed(APPROVE, by=OLENA))


@pytest.mark.parametrize(
    ("guard", "history"),
    [
        ("rendezvous_current", VERIFIED),
        ("rendezvous_current", (*PLANNED, e.rendezvous_planned("meet-2"))),
        ("rendezvous_current", (*PLANNED, CANCELLED)),
        ("rendezvous_current", (*PLANNED, EXPIRED)),
        ("identity_verified", (*ARRIVED, answered("match"), e.rendezvous_planned())),
        ("identity_verified", (*PLANNED, e.personal_data_provided())),
        ("identity_verified", (*PLANNED, e.identity_contradicted())),
        (
            "no_open_contradiction",
            (*PLANNED, e.identity_contradicted(), overridden("identity_verified")),
        ),
        (
            "no_open_contradiction",
            (*PLANNED, e.identity_rejected(), overridden("identity_verified")),
        ),
        ("credibility_allows", (*PLANNED, assessed("doubtful"))),
        ("credibility_allows", (*PLANNED, assessed("hostile"))),
        ("cleared_by_supervisor", (*PLANNED, DURESS)),
        ("cleared_by_supervisor", (*PLANNED, CLEARED, DURESS)),
    ],
)
def test_approval_is_refused(guard: str, history: tuple[Event, ...]) -> None:
    refuses(guard, given(*history), APPROVE)


def test_approval_is_refused_once_the_window_has_ended() -> None:
    refuses("window_in_future", given(*PLANNED), APPROVE, 9 * HOUR)


@pytest.mark.parametrize(
    "history",
    [
        (*PLANNED, assessed("unclear")),
        (*PLANNED, assessed("doubtful", hours=-1)),
        (*PLANNED, assessed("doubtful"), overridden("credibility_allows")),
        (*ARRIVED, e.rendezvous_planned(), overridden("identity_verified")),
        (*PLANNED, DURESS, CLEARED),
        (*PLANNED, REVIEW),
    ],
)
def test_approval_is_allowed(history: tuple[Event, ...]) -> None:
    assert len(decide(given(*history), APPROVE)) == 1


def test_approved_once_is_enough() -> None:
    assert decide(given(*APPROVED), APPROVE) == []


def test_cancelling_ends_it_and_frees_the_team() -> None:
    assert names(decide(given(*PLANNED), CANCEL)) == ["RendezvousCancelled"]
    refuses("rendezvous_current", given(*VERIFIED), CANCEL)
    refuses("rendezvous_current", given(*PLANNED, CANCELLED), CANCEL)
    refuses("offer_open", given(*OFFERED, CANCELLED), ACCEPT)
    refuses("accepted", given(*ACCEPTED, CANCELLED), RECEIPT)


def test_a_missed_rendezvous_is_a_fact_and_frees_the_team() -> None:
    assert names(decide(given(*ACCEPTED), MISSED)) == ["RendezvousMissed"]
    refuses("accepted", given(*ACCEPTED, e.rendezvous_missed()), RECEIPT)


@pytest.mark.parametrize("end", [CANCELLED, EXPIRED, REPLANNED, e.handed_over()], ids=repr)
def test_that_it_was_missed_may_be_said_whatever_became_of_it(end: Event) -> None:
    assert names(decide(given(*ACCEPTED, end), MISSED)) == ["RendezvousMissed"]


def test_it_is_missed_once_and_only_if_it_was_planned() -> None:
    assert decide(given(*ACCEPTED, e.rendezvous_missed()), MISSED) == []
    refuses("rendezvous_known", given(*VERIFIED), MISSED)
    refuses("case_known", given(), MISSED)


def test_that_an_earlier_one_was_missed_leaves_the_current_one() -> None:
    state = given(*PLANNED, REPLANNED, e.rendezvous_missed())
    assert len(decide(state, changed(APPROVE, rendezvous_id="meet-2", by=OLENA))) == 1
    assert decide(state, MISSED) == []


def test_an_expired_one_ends_as_when_missed() -> None:
    assert names(expired(given(*DISCLOSED))) == ["RendezvousExpired"]
    refuses("disclosed", given(*DISCLOSED, EXPIRED), OFFER)
    refuses("offer_open", given(*OFFERED, EXPIRED), ACCEPT)


def test_verification_taken_back_and_given_again_counts() -> None:
    state = given(*PLANNED, e.personal_data_provided(), e.identity_verified())
    assert len(decide(state, APPROVE)) == 1


def test_approval_of_an_earlier_one_approves_nothing() -> None:
    state = given(*PLANNED, REPLANNED, e.rendezvous_approved())
    refuses("approved", state, changed(DISCLOSE, rendezvous_id="meet-2"))
