"""The fence of a case: whose command is too late, in every service."""

import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from passage.integrity.verify.rules.trail import same_person, two_people
from services.intake.claim_state import Claim
from shared.commands.base import Command
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.commands.handover import RecordArrival
from shared.commands.intake import AddNote, ClaimCase, CloseCase, TakeOverCase
from shared.events.base import CaseEvent, Event
from shared.events.claims import CaseClaimed, CaseReleased, ClaimBasis, ReleaseReason
from shared.events.fields import Plain
from shared.events.intake import NoteAdded
from shared.log.case_log import Fold
from shared.log.fencing import Fencing
from shared.log.transact import Outcome, transact
from shared.refusals import RefusedError, Supervisors, is_another_person
from shared.skeleton.service import Context
from tests.contexts import NOW, OLENA, PETRO, ask, context_for, record
from tests.examples import CASE

PLACE: dict[str, Any] = {"place": {"description": "a mill"}}


def claimed(by: str, fence: int, basis: ClaimBasis = "free") -> CaseClaimed:
    lease_until = NOW + timedelta(minutes=5)
    return CaseClaimed(operator=by, lease_until=lease_until, fence=fence, basis=basis)


def released(by: str, fence: int, reason: ReleaseReason = "done") -> CaseReleased:
    return CaseReleased(operator=by, fence=fence, reason=reason)


def count(state: int, _event: CaseEvent[Any]) -> int:
    return state + 1


@dataclass
class Case:
    """A case that intake claims, and on which handover decides."""

    context: Context = field(default_factory=lambda: context_for("handover", Fold(0, count)))

    def given(self, *events: Event) -> None:
        record(self.context.writer, *events)

    def when(self, command: Command) -> Outcome:
        decided: list[Event] = [NoteAdded(text=Plain("whatever is decided"))]
        context = self.context
        return transact(context.writer, CASE, context.cause_of(command), lambda _: decided)

    def refuses(self, command: Command) -> None:
        with pytest.raises(RefusedError, match="lease_current"):
            self.when(command)


@pytest.fixture
def case() -> Case:
    return Case()


def test_who_claimed_it_and_who_never_did_may_both_write(case: Case) -> None:
    case.given(claimed(OLENA, 1))
    assert case.when(ask(AddNote, text="calm", fence=1)).result == "recorded"
    assert case.when(ask(AddNote, PETRO, command_id="cmd-2", text="x")).result == "recorded"


def test_an_older_fence_is_refused_in_every_service(case: Case) -> None:
    case.given(claimed(OLENA, 1), claimed(PETRO, 2))
    case.refuses(ask(RecordArrival, fence=1, **PLACE))
    assert case.when(ask(RecordArrival, fence=2, **PLACE)).result == "recorded"


def test_a_fence_that_no_claim_ever_had_is_refused(case: Case) -> None:
    case.refuses(ask(AddNote, text="calm", fence=99))
    case.given(claimed(OLENA, 1))
    case.refuses(ask(AddNote, text="calm", fence=99))
    case.refuses(ask(AddNote, text="calm", fence=2))


def test_from_whom_it_was_taken_over_is_refused_without_a_fence_until_he_claims(
    case: Case,
) -> None:
    case.given(claimed(OLENA, 1), claimed(PETRO, 2, "takeover"))
    case.refuses(ask(RecordArrival, "olena  example", **PLACE))
    case.refuses(ask(CloseCase, reason="other", seen_version=1))
    assert case.when(ask(ClaimCase, fence=1, seen_version=2)).result == "recorded"
    case.given(released(PETRO, 2), claimed(OLENA, 3))
    assert case.when(ask(RecordArrival, command_id="cmd-2", **PLACE)).result == "recorded"


def test_who_let_it_go_himself_lost_nothing_when_another_takes_over(case: Case) -> None:
    case.given(claimed(OLENA, 1), released(OLENA, 1), claimed(PETRO, 2, "takeover"))
    assert case.when(ask(RecordArrival, **PLACE)).result == "recorded"


def test_a_late_release_of_an_earlier_claim_frees_nobody(case: Case) -> None:
    case.given(claimed(OLENA, 1), claimed(PETRO, 2), released(OLENA, 1, "expired"))
    case.given(claimed("Iryna Example", 3, "takeover"))
    case.refuses(ask(RecordArrival, PETRO, **PLACE))


def test_whose_time_ran_out_is_refused_when_another_takes_over(case: Case) -> None:
    case.given(claimed(OLENA, 1), released(OLENA, 1, "expired"), claimed(PETRO, 2, "takeover"))
    case.refuses(ask(RecordArrival, **PLACE))


class Row(NamedTuple):
    """A line of the rule: what happened to the case, who asks, and whether he may."""

    given: tuple[Event, ...]
    by: str
    fence: int | None
    lets: bool


TAKEN_OVER = (claimed(OLENA, 1), claimed(PETRO, 2, "takeover"))
RULE = {
    "nobody claimed it": Row((), OLENA, None, lets=True),
    "his own claim": Row((claimed(OLENA, 1),), OLENA, 1, lets=True),
    "another's claim, no fence": Row((claimed(OLENA, 1),), PETRO, None, lets=True),
    "another's claim, its fence": Row((claimed(OLENA, 1),), PETRO, 1, lets=True),
    "another's claim, an older fence": Row((claimed(OLENA, 1), claimed(PETRO, 2)), OLENA, 1, False),
    "a fence that never was": Row((claimed(OLENA, 1),), OLENA, 7, lets=False),
    "taken over from him": Row(TAKEN_OVER, OLENA, None, lets=False),
    "taken over from him, spelled otherwise": Row(TAKEN_OVER, "OLENA example", None, lets=False),
    "taken over from another": Row(TAKEN_OVER, "Iryna Example", None, lets=True),
    "he let it go": Row((claimed(OLENA, 1), released(OLENA, 1)), OLENA, None, lets=True),
}


@pytest.mark.parametrize("row", RULE.values(), ids=RULE.keys())
@pytest.mark.parametrize("command_type", COMMANDS.values())
def test_one_rule_about_anothers_claim_holds_for_every_command_of_every_service(
    command_type: type[Command], row: Row
) -> None:
    case = Case(context_for(ANSWERED_BY[command_type], Fold(0, count)))
    case.given(*row.given)
    fields: dict[str, Any] = {"by": row.by, "fence": row.fence, "seen_version": len(row.given)}
    command = command_type.model_construct(command_id="cmd-1", case_id=CASE, **fields)
    if row.lets or command_type.TAKES_CASE:
        assert case.when(command).result == "recorded"
    else:
        case.refuses(command)


def test_only_what_takes_a_case_is_free_of_the_rule() -> None:
    assert {one for one in COMMANDS.values() if one.TAKES_CASE} == {ClaimCase, TakeOverCase}


ANDRIY = "Андрій"

ONE = [
    ("olena", "оленa"),
    ("olena", "oленa"),
    ("Юрій", "yuriy"),
    ("Юлія", "Yulia"),
    ("Дмитро", "dmytro"),
    ("olena", "оlena"),  # Cyrillic о
    ("olena", "οlena"),  # Greek omicron
    ("olena", "ｏｌｅｎａ"),
    ("olena", "𝐨𝐥𝐞𝐧𝐚"),
    ("olena", "OLENA "),
    ("olena", "ole\u200bna"),
    ("olena", "ole\u00adna"),
    ("olena", "ole\u2066na"),
    ("olena", "0lena"),
    ("olena", "Olena\u0301"),
    ("olena", "Олена"),
    ("olena.k", "Olena\u00a0K"),
    ("Petro", "Рetro"),
    ("HATA", "НАТА"),
    ("IVAN", "ΙVΑΝ"),
    ("María", "Maria"),
    ("Ольга", "Olga"),
    ("Рetro", "Петро"),
    ("olena", "०lena"),
    ("Maria", "rnaria"),
    ("Olena Петренко", "Олена Petrenko"),
    ("olena_k", "Olena K."),
    ("Андрій2", "Andrii 2"),
    (unicodedata.normalize("NFC", ANDRIY), unicodedata.normalize("NFD", ANDRIY)),
]
TWO = [
    ("olena", "petro"),
    ("Vera", "Nera"),
    ("operator-1", "operator-2"),
    ("Андрій", "Андрей"),
    ("Olena K", "Olena M"),
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_a_name_spelled_otherwise_is_no_second_person(one: str, other: str) -> None:
    assert not is_another_person(one, other)
    assert not is_another_person(other, one)
    assert same_person(one, other)
    assert not two_people(one, other)


@pytest.mark.parametrize(("one", "other"), TWO)
def test_another_name_is_a_second_person(one: str, other: str) -> None:
    assert is_another_person(one, other)
    assert two_people(one, other)


def test_nobody_is_no_second_person() -> None:
    assert not is_another_person("olena", None)


def test_a_claim_and_what_was_taken_over_are_his_in_every_spelling() -> None:
    assert Claim(1, "olena").is_held_by("оlena")
    assert not Fencing(2, "petro", ("olena",)).lets("оlena", None)


def test_a_supervisor_is_one_in_every_spelling() -> None:
    named = Supervisors((ANDRIY,))
    assert named.include(unicodedata.normalize("NFD", ANDRIY))
    assert named.let(unicodedata.normalize("NFD", ANDRIY.upper()))
    assert not named.let("petro")


def test_with_no_supervisor_named_anybody_may_what_is_left_to_them_and_is_none() -> None:
    assert Supervisors().let("petro")
    assert not Supervisors().include("petro")
