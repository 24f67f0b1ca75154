"""`passage verify` finds a proposal, or an agreement to one, that nobody signed so."""

from datetime import timedelta
from random import Random

import pytest

from shared.events.people import DecisionAgreed, DecisionProposed, DecisionWithdrawn
from shared.events.signatures import Signature
from tests import forging
from tests.contexts import NOW
from tests.examples import CASE, sealed
from tests.forging import Attack
from tests.passage.signed_log import SignedLog
from tests.passage.test_signers import FORGED, rightly
from tests.signing_place import ASKED, MARIA, OLENA, PETRO

DECISION = "DECISION-1"


def proposed(
    log: SignedLog,
    signature: Signature,
    act: str = "DiscloseRendezvous",
    decision: str = DECISION,
) -> None:
    event = DecisionProposed(
        act=act,
        about=CASE,
        command=sealed(),
        signature=signature,
        expires_at=NOW + timedelta(hours=1),
    )
    log.add(decision, event, actor=f"operator:{signature.person}")


def agreed(log: SignedLog, signature: Signature, by: str = PETRO) -> None:
    log.add(DECISION, DecisionAgreed(signature=signature), actor=f"operator:{by}")


def test_a_decision_that_two_people_rightly_proposed_and_agreed_to_is_believed() -> None:
    log = SignedLog()
    first, second = rightly(log).signatures
    proposed(log, first)
    agreed(log, second)
    assert log.found() == []


@pytest.mark.parametrize("attack", FORGED, ids=lambda one: one.__name__)
def test_a_forged_proposal_is_found(attack: Attack) -> None:
    log = SignedLog()
    command = attack(log.place, ASKED["approve"]("first"), Random(1))  # noqa: S311
    first, *_ = command.signatures
    if attack in {forging.one_too_many, forging.one_person_twice, forging.of_another_command}:
        return  # Right, as far as one signature goes.
    proposed(log, first, "ApproveRendezvous")
    assert log.found()


def test_agreeing_to_something_else_or_in_anothers_name_is_found() -> None:
    log = SignedLog()
    first, second = rightly(log).signatures
    _, other = rightly(log, "disclose", "second").signatures
    proposed(log, first)
    agreed(log, other)
    assert log.found() == ["DecisionAgreed: its signature is of something else"]
    log = SignedLog()
    proposed(log, first.model_copy(update={"signature": "c2lnbmVk"}))
    agreed(log, second, MARIA)
    assert len(log.found()) > 1


def test_a_signature_that_proposes_twice_is_found() -> None:
    log = SignedLog()
    first, _ = rightly(log).signatures
    proposed(log, first)
    log.add(DECISION, DecisionWithdrawn(by=OLENA), actor=f"operator:{OLENA}")
    proposed(log, first, decision="DECISION-2")
    assert log.found() == ["DecisionProposed: its signature was used before"]
