"""Offers: a disclosed rendezvous, one at a time, and exactly one answer."""

import pytest

from shared.commands.base import Command
from shared.events.base import Event
from shared.events.handover import (
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    HandoverWithdrawn,
)
from tests import examples as e
from tests.contexts import OLENA
from tests.handover.cases import (
    ACCEPT,
    ACCEPTED,
    APPROVED,
    CLEARED,
    DISCLOSED,
    DURESS,
    HOUR,
    LED,
    OFFER,
    OFFERED,
    RECEIPT,
    REFUSE,
    WITHDRAW,
    changed,
    decide,
    given,
    member,
    overridden,
    refuses,
)

WITHDRAWN = HandoverWithdrawn(offer_id="offer-1", by=OLENA, reason=e.sealed("too far"))
ANSWERS = [e.handover_accepted(), e.handover_refused(), WITHDRAWN]
answers = pytest.mark.parametrize("command", [ACCEPT, REFUSE, WITHDRAW], ids=repr)


def test_a_team_is_asked_after_the_place_is_disclosed() -> None:
    (event,) = decide(given(*DISCLOSED), OFFER)
    assert isinstance(event, HandoverOffered)
    assert event.offer_id == "cmd-1"
    refuses("disclosed", given(*APPROVED), OFFER)
    refuses("disclosed", given(*DISCLOSED, e.rendezvous_missed()), OFFER)
    refuses("deadline_in_future", given(*DISCLOSED), OFFER, 2 * HOUR)


@pytest.mark.parametrize(
    ("before", "command"), [(DISCLOSED, OFFER), (OFFERED, ACCEPT)], ids=["offer", "accept"]
)
def test_no_team_is_sent_while_he_or_one_of_his_group_may_be_forced(
    before: tuple[Event, ...], command: Command
) -> None:
    refuses("cleared_by_supervisor", given(*before, DURESS), command)
    every = (overridden(one) for one in ("identity_verified", "credibility_allows", "no_hold"))
    refuses("cleared_by_supervisor", given(*before, DURESS, *every), command)
    assert len(decide(given(*before, DURESS, CLEARED), command)) == 1
    leads = given(*before, *LED)
    known = (e.case_opened(), e.personal_data_provided(), e.identity_verified())
    refuses("cleared_by_supervisor", leads, command, members=member(*known, DURESS))
    assert len(decide(leads, command, members=member(*known))) == 1


def test_one_offer_at_a_time() -> None:
    refuses("no_offer_open", given(*OFFERED), OFFER)
    refuses("no_offer_open", given(*ACCEPTED), OFFER)
    later = changed(OFFER, deadline_at=e.handover_offered().deadline_at + HOUR)
    assert len(decide(given(*OFFERED), later, 9 * HOUR)) == 1
    refuses("no_offer_open", given(*ACCEPTED), later, 9 * HOUR)
    for end in (e.handover_refused(), WITHDRAWN):
        assert len(decide(given(*OFFERED, end), OFFER)) == 1


@pytest.mark.parametrize(
    ("command", "event"),
    [(ACCEPT, HandoverAccepted), (REFUSE, HandoverRefused), (WITHDRAW, HandoverWithdrawn)],
)
def test_an_open_offer_is_answered(command: Command, event: type[Event]) -> None:
    (decided,) = decide(given(*OFFERED), command)
    assert isinstance(decided, event)


@answers
@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_exactly_one_answer_wins(command: Command, answer: Event) -> None:  # E15
    refuses("offer_open", given(*OFFERED, answer), command)


@answers
def test_only_the_offer_made_last_is_answered(command: Command) -> None:
    refuses("offer_open", given(*DISCLOSED), command)
    refuses("offer_open", given(*OFFERED), changed(command, offer_id="offer-2"))
    refuses("offer_open", given(*OFFERED, e.rendezvous_missed()), command)


@pytest.mark.parametrize("command", [ACCEPT, REFUSE], ids=repr)
def test_the_named_team_answers_in_time(command: Command) -> None:
    refuses("team_named", given(*OFFERED), changed(command, team="Stork"))
    refuses("offer_open", given(*OFFERED), command, 9 * HOUR)


def test_an_offer_is_taken_back_also_after_its_deadline() -> None:
    assert len(decide(given(*OFFERED), WITHDRAW, 9 * HOUR)) == 1


def test_a_late_answer_to_an_earlier_offer_answers_nothing() -> None:
    state = given(*OFFERED, WITHDRAWN, e.handover_offered("offer-2"), e.handover_accepted())
    refuses("accepted", state, RECEIPT)
    assert len(decide(state, changed(ACCEPT, offer_id="offer-2"))) == 1
