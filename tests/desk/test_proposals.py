"""A decision that waits for a second signature."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.commands import people as commands
from shared.events.signatures import Signature
from shared.log.transact import Outcome
from shared.refusals import RefusedError
from tests.desk.desks import SmallDesk
from tests.examples import CASE, OTHER_CASE

DECISION = "DECISION-1"


@pytest.fixture
def desk() -> SmallDesk:
    desk = SmallDesk()
    desk.add("petro", "coordinator")
    desk.add("maria", "coordinator")
    return desk


def signed(person: str, **changes: Any) -> dict[str, Any]:
    fields = {"act": "DiscloseRendezvous", "case_id": CASE, "seen_version": 7, "fields": {}}
    canonical = {**fields, "nonce": f"nonce of {person}", "person": person, **changes}
    return Signature(
        person=person,
        key_id="a2V5",
        kind="key_file",
        canonical=json.dumps(canonical, sort_keys=True, separators=(",", ":")),
        signature="c2lnbmVk",
    ).model_dump()


def propose(desk: SmallDesk, by: str = "petro", **said: Any) -> Outcome:
    what = {"act": "DiscloseRendezvous", "about": CASE, "command": "{}", "signature": signed(by)}
    return desk.ask(commands.ProposeDecision, DECISION, by, **{**what, **said})


def agree(desk: SmallDesk, by: str = "maria", **changes: Any) -> Outcome:
    return desk.ask(commands.AgreeToDecision, DECISION, by, signature=signed(by, **changes))


def types(desk: SmallDesk) -> list[str]:
    return [one.type_name for one in desk.events(DECISION)]


def test_another_person_agrees_to_the_very_same(desk: SmallDesk) -> None:
    propose(desk)
    agree(desk)
    assert types(desk) == ["DecisionProposed", "DecisionAgreed"]
    with pytest.raises(RefusedError, match="decision_open"):
        agree(desk, "olena")


@pytest.mark.parametrize(
    ("by", "changes", "guard"),
    [
        ("petro", {}, "signed_by_another"),
        ("ivan", {}, "role_held"),
        ("stranger", {}, "role_held"),
        ("maria", {"seen_version": 8}, "same_decision"),
        ("maria", {"case_id": OTHER_CASE}, "same_decision"),
        ("maria", {"act": "CancelRendezvous"}, "same_decision"),
        ("maria", {"fields": {"rendezvous_id": "other"}}, "same_decision"),
        ("maria", {"site": "elsewhere"}, "same_decision"),
    ],
)
def test_nobody_else_and_nothing_else_completes_it(
    desk: SmallDesk, by: str, changes: dict[str, Any], guard: str
) -> None:
    propose(desk)
    with pytest.raises(RefusedError, match=guard):
        agree(desk, by, **changes)
    assert types(desk) == ["DecisionProposed"]


@pytest.mark.parametrize(
    "said",
    [
        {"signature": signed("maria")},
        {"about": OTHER_CASE},
        {"act": "CancelRendezvous"},
        {"act": "NoCommand", "signature": signed("petro", act="NoCommand")},
    ],
)
def test_a_proposal_is_of_what_its_proposer_signed(desk: SmallDesk, said: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="signed_by_sender"):
        propose(desk, **said)
    assert types(desk) == []


def test_who_may_not_give_the_command_proposes_it_to_nobody(desk: SmallDesk) -> None:
    with pytest.raises(RefusedError, match="role_held"):
        propose(desk, "ivan", signature=signed("ivan"))


def test_a_proposal_ends_by_itself_and_nobody_agrees_in_its_last_moment(desk: SmallDesk) -> None:
    propose(desk)
    desk.desk.deadlines.keep(DECISION)
    desk.now += timedelta(minutes=10)
    with pytest.raises(RefusedError, match="decision_open"):
        agree(desk)
    (due,) = desk.timers.due("desk", desk.now)
    desk.desk.deadlines.receive(due)
    assert types(desk) == ["DecisionProposed", "DecisionExpired"]


def test_its_proposer_or_a_supervisor_withdraws_it(desk: SmallDesk) -> None:
    propose(desk)
    with pytest.raises(RefusedError, match="proposed_by_sender"):
        desk.ask(commands.WithdrawDecision, DECISION, "maria")
    desk.ask(commands.WithdrawDecision, DECISION, "petro")
    assert desk.ask(commands.WithdrawDecision, DECISION, "olena").result == "ignored"
    with pytest.raises(RefusedError, match="decision_open"):
        agree(desk)


def test_a_number_is_one_decision(desk: SmallDesk) -> None:
    propose(desk)
    with pytest.raises(RefusedError, match="decision_new"):
        propose(desk)
    with pytest.raises(RefusedError, match="decision_known"):
        desk.ask(commands.AgreeToDecision, "DECISION-2", "maria", signature=signed("maria"))
