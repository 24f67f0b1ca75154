"""Who is a supervisor says their own log; nobody is named while nobody has a key."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from services.intake.main import supervisors_among
from shared.people.directory import Directory
from shared.people.state import PersonState


@dataclass
class People:
    signing: bool = True
    known: dict[str, PersonState] = field(default_factory=dict)

    def anybody_signs(self) -> bool:
        return self.signing

    def person(self, account: str) -> PersonState:
        return self.known.get(account, PersonState())


def among(people: People, account: str) -> tuple[bool, bool]:
    """Whether they may do what is left to supervisors, and whether they are one."""
    found = supervisors_among(cast("Directory", people), account)
    return found.let(account), found.include(account)


ELM = PersonState(account="elm", roles=frozenset({"supervisor"}))


@pytest.mark.parametrize(
    ("account", "state", "is_one"),
    [
        ("elm", ELM, True),
        ("elm", PersonState(account="elm", roles=ELM.roles, suspended=True), False),
        ("olena", PersonState(account="olena", roles=frozenset({"operator", "verifier"})), False),
        ("taras", PersonState(), False),
    ],
)
def test_whoever_has_the_role_is_one(account: str, state: PersonState, is_one: bool) -> None:
    assert among(People(known={account: state}), account) == (is_one, is_one)


def test_before_anybody_has_a_key_anybody_may_and_nobody_is_one() -> None:
    assert among(People(signing=False, known={"elm": ELM}), "elm") == (True, False)
