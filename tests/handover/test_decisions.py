"""handover's decisions, row by row of the guard table: allowed, and each guard refusing."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce

from services.handover.decisions import (
    decide_accept,
    decide_approve,
    decide_arrival,
    decide_contact_lost,
    decide_disclose,
    decide_hand_over,
    decide_missed,
    decide_offer,
    decide_plan,
    decide_refuse,
)
from services.handover.state import HandoverState, evolve
from shared.commands.handover import (
    AcceptHandover,
    ApproveRendezvous,
    DiscloseRendezvous,
    OfferHandover,
    PlanRendezvous,
    RecordArrival,
    RecordContactLost,
    RecordHandover,
    RecordMissed,
    RefuseHandover,
)
from shared.events.base import Event
from shared.events.handover import (
    ArrivedInUkraine,
    ContactLost,
    HandedOver,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    RendezvousApproved,
    RendezvousDisclosed,
    RendezvousMissed,
    RendezvousPlanned,
)
from shared.events.verification import RegistryChecked
from tests.asking import OLENA, PETRO, ask, refused_by
from tests.examples import (
    CASE,
    NOON,
    CaseBook,
    arrived_in_ukraine,
    call_linked,
    case_closed,
    case_opened,
    contact_lost,
    handed_over,
    handover_accepted,
    handover_offered,
    handover_refused,
    identity_contradicted,
    identity_rejected,
    identity_verified,
    personal_data_provided,
    rendezvous_approved,
    rendezvous_disclosed,
    rendezvous_missed,
    rendezvous_planned,
)
from tests.rarer_examples import every_event

HOUR = timedelta(hours=1)
AFTER_WINDOW = NOON + 9 * HOUR
PLACE = {"description": "the mill of Musterdorf"}

ARRIVED = (case_opened(), personal_data_provided(), call_linked(), arrived_in_ukraine())
VERIFIED = (*ARRIVED, identity_verified())
PLANNED = (*VERIFIED, rendezvous_planned())
APPROVED = (*PLANNED, rendezvous_approved())
DISCLOSED = (*APPROVED, rendezvous_disclosed())
OFFERED = (*DISCLOSED, handover_offered())
ACCEPTED = (*OFFERED, handover_accepted())

PLAN = ask(
    PlanRendezvous,
    place=PLACE,
    window_from=NOON + HOUR,
    window_to=NOON + 2 * HOUR,
    team="Heron",
)
APPROVE = ask(ApproveRendezvous, by=PETRO, rendezvous_id="meet-1")
DISCLOSE = ask(DiscloseRendezvous, rendezvous_id="meet-1", to_whom="the caller", call_id="call-2")
OFFER = ask(OfferHandover, team="Heron", deadline_at=NOON + HOUR)
ACCEPT = ask(AcceptHandover, offer_id="offer-1", team="Heron")
REFUSE = ask(RefuseHandover, offer_id="offer-1", team="Heron", reason="on another way")
RECEIPT = ask(RecordHandover, team="Heron", receipt_number="R-0001", received_at=NOON, head_count=1)
MISSED = ask(RecordMissed, rendezvous_id="meet-1", who="team", reason="the drone's battery")


def given(*events: Event) -> HandoverState:
    return reduce(evolve, CaseBook().add_all(events), HandoverState())


def answered(outcome: str) -> RegistryChecked:
    """The claim is version 2 of the case in these tests."""
    return RegistryChecked.model_validate(
        {"registry": "invented", "about_event": f"{CASE}-2", "outcome": outcome, "score": 50}
    )


def test_an_arrival_is_a_fact_even_in_a_first_call_from_the_field() -> None:
    command = ask(RecordArrival, place=PLACE, call_id="call-1")
    (event,) = decide_arrival(given(case_opened()), command, NOON)
    assert isinstance(event, ArrivedInUkraine)
    assert "Musterdorf" not in repr(event)
    refused_by("case_known", decide_arrival, given(), command, NOON)


def test_a_rendezvous_is_planned_for_a_man_who_arrived_and_is_at_least_partly_known() -> None:
    (event,) = decide_plan(given(*ARRIVED, answered("partial")), PLAN, NOON)
    assert isinstance(event, RendezvousPlanned)
    assert (event.planned_by, event.rendezvous_id) == (OLENA, "cmd-1")
    assert len(decide_plan(given(*VERIFIED), PLAN, NOON)) == 1


def test_planning_is_refused_without_arrival_identity_or_an_open_case() -> None:
    unarrived = given(case_opened(), personal_data_provided(), answered("match"))
    refused_by("arrived", decide_plan, unarrived, PLAN, NOON)
    refused_by("identity_at_least_partial", decide_plan, given(*ARRIVED), PLAN, NOON)
    for outcome in ("none", "ambiguous", "unavailable"):
        unknown = given(*ARRIVED, answered(outcome))
        refused_by("identity_at_least_partial", decide_plan, unknown, PLAN, NOON)
    refused_by("case_known", decide_plan, given(), PLAN, NOON)
    refused_by("case_open", decide_plan, given(*VERIFIED, case_closed("other")), PLAN, NOON)
    refused_by("not_handed_over", decide_plan, given(*VERIFIED, handed_over()), PLAN, NOON)


def test_no_rendezvous_for_a_contradicted_or_rejected_identity() -> None:
    for event in (identity_contradicted(), identity_rejected()):
        state = given(*ARRIVED, answered("partial"), event)
        refused_by("no_open_contradiction", decide_plan, state, PLAN, NOON)
    corrected = given(*ARRIVED, identity_contradicted(), personal_data_provided())
    refused_by("no_open_contradiction", decide_plan, corrected, PLAN, NOON)


def test_asking_again_about_contradicted_data_ends_no_contradiction() -> None:
    asked_again = given(*ARRIVED, identity_contradicted(), answered("match"))
    refused_by("no_open_contradiction", decide_plan, asked_again, PLAN, NOON)


def test_the_code_of_an_earlier_episode_opens_no_place() -> None:
    old = call_linked("call-3").model_copy(update={"basis": "earlier_code"})
    command = DISCLOSE.model_copy(update={"call_id": "call-3"})
    refused_by("call_code_matched", decide_disclose, given(*APPROVED, old), command, NOON)


def test_a_window_must_be_in_order_and_to_come() -> None:
    backwards = PLAN.model_copy(update={"window_to": NOON})
    refused_by("window_in_order", decide_plan, given(*VERIFIED), backwards, NOON)
    refused_by("window_in_future", decide_plan, given(*VERIFIED), PLAN, NOON + 3 * HOUR)


def test_a_disclosed_rendezvous_is_replaced_only_after_it_was_missed() -> None:
    assert len(decide_plan(given(*APPROVED), PLAN, NOON)) == 1
    refused_by("nothing_disclosed", decide_plan, given(*DISCLOSED), PLAN, NOON)
    assert len(decide_plan(given(*DISCLOSED, rendezvous_missed()), PLAN, NOON)) == 1


def test_another_person_approves_while_verified_and_in_time() -> None:
    (event,) = decide_approve(given(*PLANNED), APPROVE, NOON)
    assert isinstance(event, RendezvousApproved)
    assert event.by == PETRO
    for name in (OLENA, OLENA.upper(), f" {OLENA} "):
        own = APPROVE.model_copy(update={"by": name})
        refused_by("another_person", decide_approve, given(*PLANNED), own, NOON)
    unverified = given(*ARRIVED, answered("match"), rendezvous_planned())
    refused_by("identity_verified", decide_approve, unverified, APPROVE, NOON)
    refused_by("window_in_future", decide_approve, given(*PLANNED), APPROVE, AFTER_WINDOW)
    refused_by("rendezvous_current", decide_approve, given(*VERIFIED), APPROVE, NOON)
    replaced = given(*PLANNED, rendezvous_planned("meet-2"))
    refused_by("rendezvous_current", decide_approve, replaced, APPROVE, NOON)
    assert decide_approve(given(*APPROVED), APPROVE, NOON) == []


def test_the_place_is_told_once_to_a_caller_who_gave_the_code() -> None:
    (event,) = decide_disclose(given(*APPROVED), DISCLOSE, NOON)
    assert isinstance(event, RendezvousDisclosed)
    assert decide_disclose(given(*DISCLOSED), DISCLOSE, NOON) == []
    other_call = DISCLOSE.model_copy(update={"call_id": "call-1"})
    refused_by("call_code_matched", decide_disclose, given(*APPROVED), other_call, NOON)


def test_the_place_is_not_told_before_approval_or_after_doubt() -> None:
    refused_by("approved", decide_disclose, given(*PLANNED), DISCLOSE, NOON)
    refused_by("window_in_future", decide_disclose, given(*APPROVED), DISCLOSE, AFTER_WINDOW)
    for event in (identity_contradicted(), identity_rejected(), personal_data_provided()):
        doubted = given(*APPROVED, event)
        refused_by("identity_verified", decide_disclose, doubted, DISCLOSE, NOON)
    replaced = given(*APPROVED, rendezvous_planned("meet-2"))
    refused_by("rendezvous_current", decide_disclose, replaced, DISCLOSE, NOON)


def test_a_missed_rendezvous_is_a_fact_and_frees_the_team() -> None:
    (event,) = decide_missed(given(*ACCEPTED), MISSED, NOON)
    assert isinstance(event, RendezvousMissed)
    missed = given(*ACCEPTED, rendezvous_missed())
    assert decide_missed(missed, MISSED, NOON) == []
    refused_by("accepted", decide_hand_over, missed, RECEIPT, NOON)
    refused_by("rendezvous_current", decide_missed, given(*VERIFIED), MISSED, NOON)


def test_one_offer_at_a_time_after_the_place_is_disclosed() -> None:
    (event,) = decide_offer(given(*DISCLOSED), OFFER, NOON)
    assert isinstance(event, HandoverOffered)
    refused_by("disclosed", decide_offer, given(*APPROVED), OFFER, NOON)
    refused_by("no_offer_open", decide_offer, given(*OFFERED), OFFER, NOON)
    refused_by("no_offer_open", decide_offer, given(*ACCEPTED), OFFER, NOON)
    refused_by("deadline_in_future", decide_offer, given(*DISCLOSED), OFFER, NOON + 2 * HOUR)
    later = OFFER.model_copy(update={"deadline_at": AFTER_WINDOW + HOUR})
    assert len(decide_offer(given(*OFFERED), later, AFTER_WINDOW)) == 1
    assert len(decide_offer(given(*OFFERED, handover_refused()), OFFER, NOON)) == 1


def test_only_the_named_team_answers_once_and_in_time() -> None:
    assert isinstance(decide_accept(given(*OFFERED), ACCEPT, NOON)[0], HandoverAccepted)
    assert isinstance(decide_refuse(given(*OFFERED), REFUSE, NOON)[0], HandoverRefused)
    stork = ACCEPT.model_copy(update={"team": "Stork"})
    refused_by("team_named", decide_accept, given(*OFFERED), stork, NOON)
    refused_by("offer_open", decide_refuse, given(*ACCEPTED), REFUSE, NOON)
    refused_by("offer_open", decide_accept, given(*OFFERED, handover_refused()), ACCEPT, NOON)
    refused_by("offer_open", decide_accept, given(*OFFERED), ACCEPT, AFTER_WINDOW)
    refused_by("offer_open", decide_accept, given(*DISCLOSED), ACCEPT, NOON)


def test_a_receipt_takes_an_accepted_offer_this_team_and_a_head_count() -> None:
    (event,) = decide_hand_over(given(*ACCEPTED), RECEIPT, NOON)
    assert isinstance(event, HandedOver)
    refused_by("accepted", decide_hand_over, given(*OFFERED), RECEIPT, NOON)
    stork = RECEIPT.model_copy(update={"team": "Stork"})
    refused_by("team_named", decide_hand_over, given(*ACCEPTED), stork, NOON)
    nobody = RECEIPT.model_copy(update={"head_count": 0})
    refused_by("heads_counted", decide_hand_over, given(*ACCEPTED), nobody, NOON)
    refused_by("received_by_now", decide_hand_over, given(*ACCEPTED), RECEIPT, NOON - HOUR)
    refused_by("not_handed_over", decide_hand_over, given(*ACCEPTED, handed_over()), RECEIPT, NOON)


def test_contact_is_lost_once_and_a_call_regains_it() -> None:
    command = ask(RecordContactLost, since=NOON)
    (event,) = decide_contact_lost(given(case_opened()), command, NOON)
    assert isinstance(event, ContactLost)
    lost = (case_opened(), contact_lost())
    assert decide_contact_lost(given(*lost), command, NOON) == []
    assert not given(*lost, call_linked()).lost


def test_evolve_takes_every_event_in_any_order() -> None:
    assert given(*reversed(every_event())).opened
