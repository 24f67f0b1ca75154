"""The town: a genuine caller goes the whole way in it, whatever befalls the services' messages."""

import random
import re
from typing import Any

import pytest

from services.query.models import case_list
from services.query.models.case_row import CaseRow
from services.verification.registry_answers import RegistryAnswer
from shared.commands import handover as h
from shared.commands import intake as i
from shared.commands import verification as v
from shared.commands.base import Command, Recorded
from shared.events.base import CaseEvent
from shared.log.transact import Outcome
from tests.casework.callers import REGISTRY, town_of_infiltrators
from tests.casework.rights import wrong_in
from tests.casework.town import OLENA, PETRO, PLACE, Desk, Town
from tests.casework.wiring import FOLDS, SERVICES

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


HASH = re.compile(r"[0-9a-f]{32,64}")
SEEDS = range(24)
POLICIES = 6


def played(seed: int, begun: Town) -> Town:
    """Plays a town, with everything in it that infiltrators, operators and a genuine man do."""
    return town_of_infiltrators(
        seed, POLICIES, may_override=seed % 2 == 1, stolen=seed % 3 > 0, begun=begun
    )


def rows_of(log: list[CaseEvent[Any]]) -> dict[str, CaseRow]:
    rows: dict[str, CaseRow] = {}
    for sequence, event in enumerate(log, start=1):
        rows[event.subject] = case_list.evolve(rows.get(event.subject), event, sequence)
    return rows


def comparable(town: Town, thing: object) -> str:
    """A thing without what chance names: cases by their order, events by their place."""
    names = {case_id: f"case-{number}" for number, case_id in enumerate(town.store.cases)}
    names |= {event.id: f"{event.type_name}-{event.caseversion}" for event in town.log}
    text = str(thing)
    for chance_name, name in names.items():
        if chance_name in text:
            text = text.replace(chance_name, name)
    return HASH.sub("#", text)


def known_in(town: Town) -> list[str]:
    """What an operator sees of every case; where in the log it stands is left out."""
    rows = rows_of(town.log)
    return [
        comparable(town, rows[case_id]._replace(sequence=0, version=0, claim_event_id=None))
        for case_id in town.store.cases
    ]


def written_in(town: Town) -> list[list[str]]:
    return [
        [comparable(town, (link.event.data, link.event.actor, link.event.time)) for link in links]
        for links in town.store.cases.values()
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_deliveries_leads_to_the_same_read_model(seed: int) -> None:
    in_order = played(seed, Town(REGISTRY))
    overtaking = Town(REGISTRY)
    overtaking.order = random.Random(seed)
    played(seed, overtaking)
    assert known_in(overtaking) == known_in(in_order)
    assert overtaking.broken() == []
    assert wrong_in(overtaking) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_between_any_two_steps_leaves_the_same_log(seed: int) -> None:
    quiet = played(seed, Town(REGISTRY))
    crashing = Town(REGISTRY)
    crashing.crashing = random.Random(seed)
    played(seed, crashing)
    assert written_in(crashing) == written_in(quiet)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_folded_anew_is_what_was_folded_as_it_came(seed: int) -> None:
    town = played(seed, Town(REGISTRY))
    for service in SERVICES:
        live = {case_id: town.state(service, case_id) for case_id in town.store.cases}
        town.forget()
        assert {case_id: town.state(service, case_id) for case_id in live} == live
        fold = FOLDS[service]
        for case_id, state in live.items():
            anew = fold.initial
            for link in town.store.cases[case_id]:
                anew = fold.evolve(anew, link.event)
            assert anew == state


@pytest.mark.parametrize("seed", SEEDS)
def test_cases_dont_know_of_one_another_in_the_read_model(seed: int) -> None:
    town = played(seed, Town(REGISTRY))
    one_by_one = [link.event for links in town.store.cases.values() for link in links]
    live, rebuilt = rows_of(town.log), rows_of(one_by_one)
    assert {row._replace(sequence=0) for row in live.values()} == {
        row._replace(sequence=0) for row in rebuilt.values()
    }
