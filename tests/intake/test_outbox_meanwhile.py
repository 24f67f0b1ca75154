"""What becomes of a queued message when he, or his case, changes before it has gone.

Given a message that was allowed when it was queued, when something else holds now, then it goes
where the rule that holds covers its address, and is refused with the reason where it doesn't.
"""

from datetime import timedelta

import pytest

from services.intake.messages import goes_until, may_send
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import ContactWindow
from shared.events.groups import GroupJoined
from tests import examples as e
from tests.intake.test_address_state import NEVER, elsewhere, told
from tests.intake.test_outbox import (
    AT_NOON,
    CALLED,
    CHANNELS,
    DISPATCHED,
    QUEUED,
    READY,
    SAFE,
    dispatch,
    given,
    refused,
    send,
)

ERASED = intake.PersonalDataErased(classes=("identity",), legal_basis="court_order", by="x")
LINKED = intake.CasesLinked(other_case=e.OTHER_CASE, basis="name", reason=e.sealed("one voice"))
UNLINKED = intake.CasesUnlinked(other_case=e.OTHER_CASE, reason=e.sealed("another voice"))
SAME_PHONE = e.call_linked("call-3")


def window(from_time: str, to_time: str) -> intake.ContactRuleSet:
    times = ContactWindow(from_time=from_time, to_time=to_time)
    return intake.ContactRuleSet(rule="window", windows=(times,))


# He says that another address is safe.


@pytest.mark.parametrize("rule", [SAFE, AT_NOON])
def test_it_is_refused_when_the_rule_covers_another_address_meanwhile(rule: Event) -> None:
    state = given(*READY, QUEUED, elsewhere(), rule)
    assert dispatch(state) == refused("address")
    # It went to nobody: who wants it said says it again, and it goes to where it is safe now.
    assert may_send(state, send(), e.NOON, CHANNELS).sealed == e.sealed("@fremd")


def test_it_is_refused_when_he_had_called_from_the_other_address_before_it_was_queued() -> None:
    assert dispatch(given(*READY, elsewhere(), QUEUED)) == [DISPATCHED]
    assert dispatch(given(*READY, elsewhere(), QUEUED, SAFE)) == refused("address")


def test_it_goes_when_the_rule_covers_its_address_again() -> None:
    assert dispatch(given(*READY, QUEUED, SAFE)) == [DISPATCHED]
    there_and_back = (elsewhere(), SAFE, SAME_PHONE, SAFE)
    assert dispatch(given(*READY, QUEUED, *there_and_back)) == [DISPATCHED]


def test_without_a_key_only_the_very_call_that_it_was_queued_for_is_its_address() -> None:
    first, second = (
        e.call_linked(call_id).model_copy(update={"caller_key": None}) for call_id in ("c-1", "c-2")
    )
    assert dispatch(given(first, SAFE, QUEUED, SAFE)) == [DISPATCHED]
    assert dispatch(given(first, SAFE, QUEUED, second, SAFE)) == refused("address")


def test_another_address_on_another_channel_holds_nothing_up() -> None:
    on_signal = elsewhere().model_copy(update={"channel": "signal"})
    assert dispatch(given(*READY, QUEUED, on_signal, SAFE)) == [DISPATCHED]


def test_what_he_said_earlier_and_is_recorded_later_covers_nothing_else() -> None:
    before = ((0, e.call_linked()), (5, SAFE), (6, QUEUED), (2, elsewhere()))
    assert dispatch(told(*before, (4, SAFE))) == [DISPATCHED]
    assert dispatch(told(*before, (7, SAFE))) == refused("address")


def test_a_message_of_a_log_in_which_no_rule_covered_its_address_does_not_go() -> None:
    assert dispatch(given(e.case_opened(), SAFE, QUEUED)) == refused("address")
    assert dispatch(given(e.case_opened(), SAFE, QUEUED, SAME_PHONE, SAFE)) == refused("address")


# He says never.


def test_a_never_is_the_reason_whatever_it_covers() -> None:
    assert dispatch(given(*READY, QUEUED, NEVER)) == refused("contact_rule")
    assert dispatch(given(*READY, QUEUED, elsewhere(), NEVER)) == refused("contact_rule")


def test_a_never_that_he_takes_back_covers_what_is_known_then() -> None:
    assert dispatch(given(*READY, QUEUED, NEVER, SAFE)) == [DISPATCHED]
    assert dispatch(given(*READY, QUEUED, NEVER, elsewhere(), SAFE)) == refused("address")


# He calls from another address, and says nothing of it.


@pytest.mark.parametrize("call", [elsewhere(), elsewhere("operator"), SAME_PHONE])
def test_a_call_alone_neither_holds_it_up_nor_moves_it(call: Event) -> None:
    assert dispatch(given(*READY, QUEUED, call)) == [DISPATCHED]


# His case is erased, closed, continued or linked.


def test_what_was_erased_does_not_go_though_he_calls_again_and_says_that_it_is_safe() -> None:
    state = given(*READY, QUEUED, ERASED, SAME_PHONE, SAFE)
    assert dispatch(state) == refused("erased")


def test_it_goes_while_an_erasure_waits_for_his_handover() -> None:
    assert dispatch(given(*READY, QUEUED, e.erasure_requested())) == [DISPATCHED]


def test_it_goes_from_a_reopened_case_only_where_the_rule_that_holds_covers_it() -> None:
    again = (e.case_closed(), e.case_reopened())
    assert dispatch(given(*READY, QUEUED, *again)) == [DISPATCHED]
    assert dispatch(given(*READY, QUEUED, *again, elsewhere(), SAFE)) == refused("address")
    next_case = intake.EpisodeContinued(next_case=e.OTHER_CASE)
    assert dispatch(given(*READY, QUEUED, next_case, e.case_reopened())) == refused("case_over")


@pytest.mark.parametrize(
    "tie", [LINKED, UNLINKED, GroupJoined(group_id=e.CASE, member_case=e.OTHER_CASE)]
)
def test_a_link_merges_nothing_so_it_neither_holds_it_up_nor_moves_it(tie: Event) -> None:
    state = given(*READY, QUEUED, tie)
    assert dispatch(state) == [DISPATCHED]
    assert state.outbox.addresses == given(*READY).outbox.addresses


# He names another time.


def test_it_is_refused_when_his_window_is_at_another_time_now() -> None:
    state = given(*CALLED, AT_NOON, QUEUED, window("18:00", "19:00"))
    assert dispatch(state) == refused("contact_rule")
    earlier = given(*CALLED, AT_NOON, QUEUED, window("09:00", "12:00"))
    assert dispatch(earlier) == refused("contact_rule")


def test_it_goes_in_the_window_that_he_named_last_and_not_after_that_one_ends() -> None:
    state = given(*CALLED, AT_NOON, QUEUED, window("11:00", "12:04"))
    assert dispatch(state, e.NOON + timedelta(minutes=3)) == [DISPATCHED]
    assert dispatch(state, e.NOON + timedelta(minutes=4)) == refused("contact_rule")
    until = goes_until(state.outbox.contact, QUEUED.valid_until, e.NOON, timedelta(minutes=10))
    assert until == e.NOON + timedelta(minutes=4)
