"""The town itself: a genuine caller goes the whole way in it, and every rule holds."""

from __future__ import annotations

from typing import Any

from services.verification.registry_answers import RegistryAnswer
from shared.commands import handover as h
from shared.commands import intake as i
from shared.commands import verification as v
from shared.commands.base import Command, Recorded
from shared.log.transact import Outcome
from tests.casework.asking import OLENA, PETRO, PLACE, Desk
from tests.casework.town import Town

KNOWN = {"Beispiel": RegistryAnswer("match", 100, ("service_number", "surname"))}


def test_a_genuine_caller_goes_the_whole_way() -> None:
    town = Town(KNOWN)
    desk = Desk(town)
    case = town.call("+380440000001").case_id
    town.settle()

    def does(kind: type[Command], by: str = OLENA, **fields: Any) -> Outcome | Recorded:
        answer = desk.tries(kind, case, by, **fields)
        assert not isinstance(answer, str), (kind, answer)
        town.settle()
        return answer

    does(i.ClaimCase)
    does(i.ProvidePersonalData, identity={"surname": "Beispiel", "service_number": "AB-1"})
    code = does(i.IssueReturnCode)
    assert isinstance(code, Recorded)
    does(v.VerifyIdentity, by=PETRO, basis="registry_and_operator")
    second = town.call("+380440000002", code.return_code)
    assert second.case_id == case
    does(h.RecordArrival, place=PLACE, call_id="call-2")
    does(h.PlanRendezvous, place=PLACE, team="Heron", **desk.window())
    meeting = f"cmd-{desk.asked}"
    does(h.ApproveRendezvous, by=PETRO, rendezvous_id=meeting)
    does(h.DiscloseRendezvous, rendezvous_id=meeting, to_whom="him", call_id="call-2")
    does(h.OfferHandover, team="Heron", deadline_at=desk.window()["window_to"])
    offer = f"cmd-{desk.asked}"
    does(h.AcceptHandover, offer_id=offer, team="Heron")
    does(h.RecordHandover, team="Heron", receipt_number="R", received_at=town.now, head_count=1)
    assert "HandedOver" in town.types(case)
    assert town.broken() == []
