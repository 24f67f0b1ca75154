"""What every decision asks first: the case is known, his latest, open, not handed over."""

from __future__ import annotations

import pytest

from services.handover.handlers import DECISIONS
from shared.commands.base import Command, Decision, Fact
from shared.events.custody import ExchangeConsentGiven, Exchanged
from tests.asking import PETRO
from tests.examples import NOON, case_closed, case_opened, case_reopened, handed_over
from tests.handover.cases import (
    ACCEPTED,
    CONTINUED,
    DECIDED,
    OFFERED,
    PUBLICITY,
    UNTIL_EXCHANGED,
    UNTIL_HANDED_OVER,
    WITHDRAW,
    decide,
    given,
    names,
    refuses,
)

EXCHANGED = (
    handed_over(),
    ExchangeConsentGiven(language="ru", wording="exchange-3", witness=PETRO),
    Exchanged(exchanged_at=NOON),
)


def name_of(command: Command) -> str:
    return type(command).__name__


def test_every_decision_is_among_those_tried_here() -> None:
    tried = {type(command) for command in DECIDED}
    assert tried == {one for one in DECISIONS if issubclass(one, Decision)}
    assert all(issubclass(one, Fact) for one in DECISIONS.keys() - tried)


@pytest.mark.parametrize("command", DECIDED, ids=name_of)
def test_nothing_is_decided_on_an_unknown_case(command: Command) -> None:
    refuses("case_known", given(), command)


@pytest.mark.parametrize("command", DECIDED, ids=name_of)
def test_once_he_called_again_all_is_decided_on_his_latest_case(command: Command) -> None:
    refuses("latest_episode", given(*ACCEPTED, *EXCHANGED, CONTINUED), command)


@pytest.mark.parametrize("command", UNTIL_HANDED_OVER, ids=name_of)
def test_the_hotlines_part_needs_an_open_case(command: Command) -> None:
    refuses("case_open", given(*ACCEPTED, case_closed("withdrew")), command)


@pytest.mark.parametrize("command", UNTIL_HANDED_OVER, ids=name_of)
def test_after_the_receipt_the_hotlines_part_is_read_only(command: Command) -> None:
    refuses("not_handed_over", given(*ACCEPTED, handed_over()), command)


@pytest.mark.parametrize("command", (*UNTIL_HANDED_OVER, *UNTIL_EXCHANGED), ids=name_of)
def test_after_the_exchange_the_case_is_read_only(command: Command) -> None:
    refuses("not_exchanged", given(case_opened(), *EXCHANGED[1:]), command)


def test_after_the_exchange_he_may_still_say_whether_he_is_shown() -> None:
    assert names(decide(given(case_opened(), *EXCHANGED), PUBLICITY)) == ["PublicityConsentGiven"]


def test_a_reopened_case_goes_on_where_it_was() -> None:
    state = given(*OFFERED, case_closed("withdrew"), case_reopened())
    assert names(decide(state, WITHDRAW)) == ["HandoverWithdrawn"]
