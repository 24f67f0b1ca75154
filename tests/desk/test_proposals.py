"""A decision that waits for a second signature."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.commands import people as commands
from shared.commands.shifts import RecordExport
from shared.events.signatures import Signature
from shared.people.signatures import canonical_of
from shared.people.site import Site
from shared.refusals import RefusedError
from tests.desk.desks import Done, SmallDesk
from tests.examples import digest
from tests.signers import HERE, KeyFile

DECISION, EXPORT = "DECISION-1", "EXPORT-1"


@pytest.fixture
def desk() -> SmallDesk:
    desk = SmallDesk()
    for account in ("petro", "maria"):
        desk.add(account, "coordinator")
    for account in ("petro", "maria", "ivan"):
        desk.give_key(account)
    return desk


def exporting(by: str = "petro", **changes: Any) -> RecordExport:
    asked = {
        "command_id": "export-1",
        "case_id": EXPORT,
        "by": by,
        "first_day": "2026-03-01",
        "last_day": "2026-03-14",
        "digest": digest("the file"),
        "rows": 14,
        "suppressed": 2,
        "second_by": "maria",
    }
    return RecordExport.model_validate({**asked, **changes})


def signed(
    desk: SmallDesk,
    person: str,
    asked: RecordExport | None = None,
    *,
    key: KeyFile | None = None,
    site: Site = HERE,
) -> Signature:
    key = key or desk.key_files[person]
    return key.sign(canonical_of(asked or exporting(), (), person, uuid4().hex, site))


def propose(desk: SmallDesk, by: str = "petro", **said: Any) -> Done:
    asked = said.pop("asked", None) or exporting(by)
    what = {
        "act": "RecordExport",
        "about": EXPORT,
        "command": asked.model_dump_json(exclude_none=True),
        "signature": signed(desk, by, asked),
    }
    return desk.ask(commands.ProposeDecision, DECISION, by, **{**what, **said})


def agree(desk: SmallDesk, by: str = "maria", signature: Signature | None = None) -> Done:
    signature = signature or signed(desk, by)
    return desk.ask(commands.AgreeToDecision, DECISION, by, signature=signature)


def types(desk: SmallDesk) -> list[str]:
    return [one.type_name for one in desk.events(DECISION)]


def test_another_person_agrees_to_the_very_same(desk: SmallDesk) -> None:
    propose(desk)
    agree(desk)
    assert types(desk)[:2] == ["DecisionProposed", "DecisionAgreed"]
    with pytest.raises(RefusedError, match="decision_open"):
        agree(desk, "olena")


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 15},
        {"case_id": "EXPORT-2"},
        {"by": "maria"},
        {"command_id": "export-2"},
        {"digest": digest("another file")},
    ],
)
def test_nothing_else_completes_it(desk: SmallDesk, changes: dict[str, Any]) -> None:
    propose(desk)
    with pytest.raises(RefusedError, match="same_decision"):
        agree(desk, "maria", signed(desk, "maria", exporting(**changes)))
    assert types(desk) == ["DecisionProposed"]


def test_nobody_else_completes_it(desk: SmallDesk) -> None:
    propose(desk)
    with pytest.raises(RefusedError, match="signed_by_another"):
        agree(desk, "petro")
    with pytest.raises(RefusedError, match="role_held"):
        agree(desk, "ivan")
    with pytest.raises(RefusedError, match="signed_by_sender"):
        agree(desk, "maria", signed(desk, "olena"))
    assert types(desk) == ["DecisionProposed"]


def test_a_signature_that_proves_nothing_is_not_recorded(desk: SmallDesk) -> None:
    stolen = KeyFile("petro")
    with pytest.raises(RefusedError, match="signers_key"):
        propose(desk, signature=signed(desk, "petro", key=stolen))
    forged = signed(desk, "petro").model_copy(update={"signature": "Zm9yZ2Vk"})
    with pytest.raises(RefusedError, match="signature_proves"):
        propose(desk, signature=forged)
    elsewhere = Site("https://elsewhere.example", "elsewhere.example")
    with pytest.raises(RefusedError, match="command_signed"):
        propose(desk, signature=signed(desk, "petro", site=elsewhere))
    desk.ask(commands.RevokeKey, "petro", "petro", key_id=desk.key_files["petro"].key_id)
    with pytest.raises(RefusedError, match="signers_key"):
        propose(desk)
    assert types(desk) == []


@pytest.mark.parametrize(
    "said",
    [
        {"command": "{}"},
        {"command": "no JSON"},
        {"command": exporting(rows=99).model_dump_json(exclude_none=True)},
        {"act": "CancelRendezvous"},
        {"act": "NoCommand"},
    ],
)
def test_a_proposal_shows_what_its_proposer_signed(desk: SmallDesk, said: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="command_signed"):
        propose(desk, **said)
    with pytest.raises(RefusedError, match="signed_by_sender"):
        propose(desk, about="EXPORT-2")
    assert types(desk) == []


def test_who_may_not_give_the_command_proposes_it_to_nobody(desk: SmallDesk) -> None:
    with pytest.raises(RefusedError, match="role_held"):
        propose(desk, "ivan")


def test_a_proposal_ends_by_itself_and_nobody_agrees_in_its_last_moment(desk: SmallDesk) -> None:
    propose(desk)
    desk.desk.deadlines.keep(DECISION)
    desk.now += timedelta(minutes=10)
    with pytest.raises(RefusedError, match="decision_open"):
        agree(desk)
    (due,) = desk.timers.due("desk", desk.now)
    desk.desk.deadlines.receive(due)
    assert types(desk) == ["DecisionProposed", "DecisionExpired", "WordsErased"]


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
        desk.ask(commands.AgreeToDecision, "DECISION-2", "maria", signature=signed(desk, "maria"))
