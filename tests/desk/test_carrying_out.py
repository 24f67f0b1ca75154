"""What two people signed is carried out once, whoever is there to ask for it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.desk.carrying_out import receive
from services.desk.deadlines import LEFT_TO_ANSWER
from shared.bus.asking import UnansweredError
from shared.commands import people as commands
from shared.commands.base import (
    AnyAnswer,
    Command,
    Ignored,
    Invalid,
    Recorded,
    Refused,
    Unavailable,
)
from shared.commands.intake import CloseCase
from shared.events.intake import CaseClosed
from shared.events.signatures import Signature
from shared.keys.messages import SealedValue
from shared.people.signatures import canonical_of
from shared.refusals import RefusedError
from tests.contexts import record
from tests.desk.desks import Done, SmallDesk
from tests.examples import CASE, case_opened
from tests.signers import HERE

DECISION, INTAKE = "DECISION-1", "/services/intake"
CLOSE = CloseCase(
    command_id="close-1", case_id=CASE, by="petro", seen_version=1, reason="hoax", second_by="maria"
)
RECORDED = Recorded(result="recorded", case_id=CASE, version=2, sequence=7, events=("CaseClosed",))
REFUSED = Refused(case_id=CASE, version=3, guard="seen_version", satisfied_by="look again")


@pytest.fixture
def desk() -> SmallDesk:
    desk = SmallDesk()
    record(desk.context.writer, case_opened())
    for account in ("petro", "maria"):
        desk.add(account, "coordinator")
        desk.give_key(account)
    propose(desk)
    return desk


def signature(desk: SmallDesk, person: str, command: Command = CLOSE) -> Any:
    return desk.key_files[person].sign(canonical_of(command, (), person, uuid4().hex, HERE))


def propose(desk: SmallDesk, decision: str = DECISION) -> None:
    said = {
        "act": "CloseCase",
        "about": CASE,
        "command": CLOSE.model_dump_json(exclude_none=True),
        "signature": signature(desk, "petro"),
    }
    desk.ask(commands.ProposeDecision, decision, "petro", **said)


def agree(desk: SmallDesk, command_id: str = "agreed-1") -> Done:
    said = {"command_id": command_id, "signature": signature(desk, "maria")}
    return desk.ask(commands.AgreeToDecision, DECISION, "maria", **said)


def types(desk: SmallDesk) -> list[str]:
    return [one.type_name for one in desk.events(DECISION)]


def pass_time(desk: SmallDesk, by: timedelta = LEFT_TO_ANSWER) -> None:
    """As long; what falls due meanwhile is delivered."""
    desk.desk.deadlines.keep(DECISION)
    desk.now += by
    for due in desk.timers.due("desk", desk.now):
        receive(desk.desk, due)


def words(desk: SmallDesk) -> str:
    value = SealedValue.of(desk.events(DECISION)[0], "command")
    return desk.context.keys.open([value], "a test", "a test")[0].state


def test_whoever_signs_second_is_told_what_the_service_that_decides_recorded(
    desk: SmallDesk,
) -> None:
    desk.answers = lambda _: RECORDED
    assert agree(desk) == RECORDED
    (handed_on,) = desk.handed_on
    assert handed_on.model_copy(update={"signatures": ()}) == CLOSE
    assert [one.person for one in handed_on.signatures] == ["petro", "maria"]
    pass_time(desk, timedelta(hours=1))
    assert len(desk.handed_on) == 1
    agreed = ["DecisionProposed", "DecisionAgreed", "DecisionCarriedOut", "WordsErased"]
    assert types(desk) == agreed


@pytest.mark.parametrize("answer", [Unavailable(reason="it starts"), None])
def test_nobody_needs_to_ask_again_when_the_service_that_decides_was_away(
    desk: SmallDesk, answer: AnyAnswer | None
) -> None:
    def dies(_command: Command) -> AnyAnswer:
        if answer is None:
            raise SystemExit  # As if desk's own process ended here.
        return answer

    desk.answers = dies
    with pytest.raises((UnansweredError, SystemExit)):
        agree(desk)
    assert types(desk) == ["DecisionProposed", "DecisionAgreed"]
    desk.answers = lambda _: RECORDED
    pass_time(desk)
    assert types(desk)[2:] == ["DecisionCarriedOut", "WordsErased"]
    pass_time(desk, timedelta(hours=1))
    assert len(desk.handed_on) == 2


def test_what_the_log_has_already_is_not_handed_on_again(desk: SmallDesk) -> None:
    with pytest.raises(UnansweredError):
        agree(desk)
    signed = tuple(one.data.signature for one in desk.events(DECISION))
    closed(desk, signed)
    desk.handed_on.clear()
    pass_time(desk)
    assert (desk.handed_on, types(desk)[2:]) == ([], ["DecisionCarriedOut", "WordsErased"])
    again = agree(desk)
    assert (again.result, again.case_id, again.events) == ("repeated", CASE, ("CaseClosed",))


@pytest.mark.parametrize("seen_version", [0, 1])
def test_what_two_people_signed_in_an_earlier_proposal_of_it_is_carried_out(
    desk: SmallDesk, seen_version: int
) -> None:
    """Whoever got no answer proposes the same command again, with what they see now."""
    before = CLOSE.model_copy(update={"seen_version": seen_version})
    closed(desk, tuple(signature(desk, one, before) for one in ("petro", "maria")))
    again = agree(desk)
    assert (again.result, again.events) == ("repeated", ("CaseClosed",))
    assert (desk.handed_on, types(desk)[2:]) == ([], ["DecisionCarriedOut", "WordsErased"])


def test_what_two_people_signed_of_another_command_by_the_same_id_is_not_carried_out(
    desk: SmallDesk,
) -> None:
    other = CLOSE.model_copy(update={"reason": "infiltration"})
    closed(desk, tuple(signature(desk, one, other) for one in ("petro", "maria")))
    with pytest.raises(RefusedError, match="same_command"):
        agree(desk)


@pytest.mark.parametrize("signers", [0, 1])
def test_what_somebody_recorded_under_the_same_id_is_not_what_two_people_signed(
    desk: SmallDesk, signers: int
) -> None:
    """Whoever may open a proposal knows its command's id, and may send another command by it."""
    (proposed,) = desk.events(DECISION)
    closed(desk, (proposed.data.signature,)[:signers])
    desk.answers = lambda _: RECORDED
    with pytest.raises(RefusedError, match="same_command"):
        agree(desk)
    assert (desk.handed_on, types(desk)[2:]) == ([], ["DecisionNotCarriedOut", "WordsErased"])


def closed(desk: SmallDesk, signatures: tuple[Signature, ...]) -> None:
    event, cause_id = CaseClosed(reason="hoax", second_by="maria"), CLOSE.cause_id
    writer = desk.context.writer
    record(writer, event, source=INTAKE, causation_id=cause_id, signatures=signatures)


def test_what_was_refused_though_both_signed_stays_listed_until_somebody_withdraws_it(
    desk: SmallDesk,
) -> None:
    desk.answers = lambda _: REFUSED
    with pytest.raises(RefusedError, match="seen_version: look again"):
        agree(desk)
    (why,) = (one.data.why for one in desk.events(DECISION) if hasattr(one.data, "why"))
    assert why == "seen_version"
    pass_time(desk, timedelta(hours=1))
    assert len(desk.handed_on) == 1
    with pytest.raises(RefusedError, match="seen_version"):
        agree(desk)
    desk.ask(commands.WithdrawDecision, DECISION, "petro")
    assert types(desk)[2:] == ["DecisionNotCarriedOut", "WordsErased", "DecisionWithdrawn"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Ignored(case_id=CASE, version=1, sequence=1), "DecisionCarriedOut"),
        (Invalid(errors=()), "DecisionNotCarriedOut"),
    ],
)
def test_every_other_answer_ends_it_too(desk: SmallDesk, answer: AnyAnswer, expected: str) -> None:
    desk.answers = lambda _: answer
    if isinstance(answer, Ignored):
        assert agree(desk).result == "ignored"
        assert agree(desk).result == "ignored"
    else:
        with pytest.raises(RefusedError, match="invalid"):
            agree(desk)
    assert types(desk)[2:] == [expected, "WordsErased"]


def test_what_nobody_can_read_any_more_is_not_carried_out(desk: SmallDesk) -> None:
    with pytest.raises(UnansweredError):
        agree(desk)
    desk.destroy_keys(DECISION, "an-erasure")
    desk.handed_on.clear()
    pass_time(desk)
    assert words(desk) == "erased"
    assert (desk.handed_on, types(desk)[2:]) == ([], ["DecisionNotCarriedOut", "WordsErased"])
    with pytest.raises(RefusedError, match="words_erased"):
        agree(desk)


def test_timers_of_agreed_decisions_are_rebuilt_from_the_log(desk: SmallDesk) -> None:
    with pytest.raises(UnansweredError):
        agree(desk)
    desk.timers.set_now.clear()
    desk.desk.deadlines.set_anew()
    assert {one.about for one in desk.timers.set_now.values()} == {DECISION, None}
