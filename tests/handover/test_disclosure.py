"""What he is told: the place and the steps of his way, allowed and refused."""

import pytest

from shared.commands.base import Command
from shared.events.base import Event
from shared.events.calls import CallEnded
from shared.events.fields import ContactWindow
from shared.events.handover import GuidanceGiven, RendezvousDisclosed
from shared.events.intake import ContactRuleSet
from tests import examples as e
from tests.handover.cases import (
    APPROVED,
    ARRIVED,
    CLEARED,
    DISCLOSE,
    DISCLOSED,
    DURESS,
    GUIDE,
    HOUR,
    PLANNED,
    SAFE,
    TELLS,
    VERIFIED,
    assessed,
    changed,
    decide,
    given,
    overridden,
    refuses,
)

BY_MESSAGE = {"call_id": None, "message_id": "message-1"}
both = pytest.mark.parametrize(
    ("before", "command"), [(APPROVED, DISCLOSE), (DISCLOSED, GUIDE)], ids=["disclose", "guide"]
)


def test_the_place_is_told_once_to_a_caller_who_gave_the_code() -> None:
    (event,) = decide(given(*APPROVED), DISCLOSE)
    assert isinstance(event, RendezvousDisclosed)
    assert (event.call_id, event.message_id) == ("call-2", None)
    assert decide(given(*DISCLOSED), DISCLOSE) == []


def test_he_is_guided_step_by_step() -> None:
    (event,) = decide(given(*DISCLOSED), GUIDE)
    assert isinstance(event, GuidanceGiven)
    assert "Musterdorf" not in repr(event)
    again = given(*DISCLOSED, event.model_copy(update={"step": e.arrived_in_ukraine().place}))
    assert len(decide(again, GUIDE)) == 1


@both
@pytest.mark.parametrize("call", [{"call_id": "call-1"}, {"call_id": None}])
def test_only_in_a_call_in_which_he_gave_the_code(
    before: tuple[Event, ...], command: Command, call: dict[str, str]
) -> None:
    refuses("call_code_matched", given(*before, SAFE), changed(command, **call))


@both
def test_the_code_of_an_earlier_episode_opens_no_place(
    before: tuple[Event, ...], command: Command
) -> None:
    old = e.call_linked("call-3").model_copy(update={"basis": "earlier_code"})
    refuses("call_code_matched", given(*before, old), changed(command, call_id="call-3"))


@both
def test_not_in_a_call_that_has_ended(before: tuple[Event, ...], command: Command) -> None:
    ended = CallEnded(call_id="call-2", channel="telegram", ended_at=e.NOON)
    elsewhere = ended.model_copy(update={"channel": "phone"})
    refuses("call_code_matched", given(*before, ended), command)
    again = given(*before, ended, e.call_linked("call-3"))
    assert len(decide(again, changed(command, call_id="call-3"))) == 1
    assert len(decide(given(*before, elsewhere), command)) == 1


@both
def test_where_channels_number_alike_the_code_was_given_in_every_call_of_that_number(
    before: tuple[Event, ...], command: Command
) -> None:
    coded = e.call_linked("call-2", channel="phone")
    uncoded = coded.model_copy(update={"basis": "caller"})
    ended = CallEnded(call_id="call-2", channel="telegram", ended_at=e.NOON)
    refuses("call_code_matched", given(*before, uncoded), command)
    assert len(decide(given(*before, coded), command)) == 1
    assert len(decide(given(*before, coded, ended), command)) == 1
    ended_too = CallEnded(call_id="call-2", channel="phone", ended_at=e.NOON)
    refuses("call_code_matched", given(*before, coded, ended, ended_too), command)


@both
def test_by_message_only_when_he_said_that_it_is_safe_now(
    before: tuple[Event, ...], command: Command
) -> None:
    at_night = ContactRuleSet(
        rule="window", windows=(ContactWindow(from_time="22:00", to_time="02:00"),)
    )
    message = changed(command, **BY_MESSAGE)
    planned = e.rendezvous_planned()
    until_dawn = planned.model_copy(update={"window_to": planned.window_to + 30 * HOUR})
    long_approved = given(*VERIFIED, until_dawn, *before[len(PLANNED) :], at_night, TELLS)
    (event,) = decide(given(*before, SAFE, TELLS), message)
    assert isinstance(event, RendezvousDisclosed | GuidanceGiven)
    assert (event.call_id, event.message_id) == (None, "message-1")
    assert len(decide(long_approved, message, 11 * HOUR)) == 1
    refuses("contact_allowed", long_approved, message, 15 * HOUR)
    refuses("contact_allowed", given(*before), message)
    taken_back = given(*before, SAFE, ContactRuleSet(rule="never"))
    refuses("contact_allowed", taken_back, message)


@both
def test_a_message_beside_a_call_needs_both_to_be_allowed(
    before: tuple[Event, ...], command: Command
) -> None:
    beside = changed(command, message_id="message-1")
    refuses("contact_allowed", given(*before), beside)
    refuses("call_code_matched", given(*before, SAFE), changed(beside, call_id="call-1"))
    refuses("message_tells", given(*before, SAFE), beside)
    assert len(decide(given(*before, SAFE, TELLS), beside)) == 1


@both
def test_nothing_is_told_while_he_may_be_forced(
    before: tuple[Event, ...], command: Command
) -> None:
    coded = e.call_linked("call-4")
    forced = DURESS.model_copy(update={"call_id": "call-4"})
    state = given(*before, SAFE, coded, forced)
    refuses("cleared_by_supervisor", state, changed(command, call_id="call-4"))
    refuses("cleared_by_supervisor", state, changed(command, **BY_MESSAGE))
    every = (overridden(one) for one in ("identity_verified", "credibility_allows", "no_hold"))
    refuses("cleared_by_supervisor", given(*before, DURESS, *every), command)
    assert len(decide(given(*before, DURESS, CLEARED), command)) == 1


def test_the_refusal_does_not_say_that_he_gave_the_duress_code() -> None:
    with pytest.raises(Exception, match="supervisor") as refused:
        decide(given(*APPROVED, DURESS), DISCLOSE)
    assert "duress" not in str(refused.value)


@pytest.mark.parametrize(
    ("guard", "history"),
    [
        ("rendezvous_current", VERIFIED),
        ("rendezvous_current", (*APPROVED, e.rendezvous_planned("meet-2"))),
        ("approved", PLANNED),
        ("identity_verified", (*APPROVED, e.identity_contradicted())),
        ("identity_verified", (*APPROVED, e.identity_rejected())),
        ("identity_verified", (*APPROVED, e.personal_data_provided())),
        (
            "no_open_contradiction",
            (*APPROVED, e.identity_contradicted(), overridden("identity_verified")),
        ),
        ("credibility_allows", (*APPROVED, assessed("doubtful"))),
        ("credibility_allows", (*APPROVED, assessed("hostile"))),
    ],
)
def test_the_place_is_not_told(guard: str, history: tuple[Event, ...]) -> None:
    refuses(guard, given(*history), DISCLOSE)


def test_the_place_is_not_told_once_the_window_has_ended() -> None:
    refuses("window_in_future", given(*APPROVED), DISCLOSE, 9 * HOUR)


@pytest.mark.parametrize(
    "history",
    [
        (*APPROVED, assessed("unclear")),
        (*APPROVED, assessed("hostile", hours=-1)),
        (*APPROVED, assessed("hostile"), overridden("credibility_allows")),
        (*APPROVED, e.personal_data_provided(), e.identity_verified()),
        (
            *ARRIVED,
            e.rendezvous_planned(),
            e.rendezvous_approved(),
            overridden("identity_verified"),
        ),
    ],
)
def test_the_place_is_told(history: tuple[Event, ...]) -> None:
    assert len(decide(given(*history), DISCLOSE)) == 1


def test_an_override_that_has_expired_sets_nothing_aside() -> None:
    state = given(
        *ARRIVED,
        e.rendezvous_planned(),
        e.rendezvous_approved(),
        overridden("identity_verified", hours=1),
    )
    refuses("identity_verified", state, DISCLOSE, HOUR)


def test_of_two_overrides_of_a_guard_the_newest_counts() -> None:
    shorter = (overridden("identity_verified"), overridden("identity_verified", hours=1))
    state = given(*ARRIVED, e.rendezvous_planned(), e.rendezvous_approved(), *shorter)
    assert len(decide(state, DISCLOSE)) == 1
    refuses("identity_verified", state, DISCLOSE, HOUR)


def test_an_override_of_one_guard_leaves_the_others() -> None:
    others = (overridden(one) for one in ("credibility_allows", "group_cleared", "no_hold"))
    state = given(*ARRIVED, e.rendezvous_planned(), e.rendezvous_approved(), *others)
    refuses("identity_verified", state, DISCLOSE)


@pytest.mark.parametrize(
    ("guard", "history"),
    [
        ("disclosed", ARRIVED),
        ("disclosed", APPROVED),
        ("disclosed", (*DISCLOSED, e.rendezvous_missed())),
        ("disclosed", (*DISCLOSED, e.rendezvous_missed(), e.rendezvous_planned("meet-2"))),
        ("identity_verified", (*DISCLOSED, e.identity_rejected())),
        ("identity_verified", (*DISCLOSED, e.personal_data_provided())),
        (
            "no_open_contradiction",
            (*DISCLOSED, e.identity_contradicted(), overridden("identity_verified")),
        ),
        ("credibility_allows", (*DISCLOSED, assessed("hostile"))),
    ],
)
def test_nobody_is_guided_who_would_not_be_told_the_place(
    guard: str, history: tuple[Event, ...]
) -> None:
    refuses(guard, given(*history), GUIDE)


def test_he_is_guided_though_he_is_late_or_two_people_answer_for_him() -> None:
    assert len(decide(given(*DISCLOSED), GUIDE, 9 * HOUR)) == 1
    answered_for = given(*DISCLOSED, e.personal_data_provided(), overridden("identity_verified"))
    assert len(decide(answered_for, GUIDE)) == 1
