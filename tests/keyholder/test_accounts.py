"""Once people have keys, the key holder knows them by their own logs: nobody else may ask."""

from pathlib import Path
from typing import Any, cast

import pytest

from services.keyholder import handlers
from services.keyholder.access import Records
from services.keyholder.holder import Holder
from services.keyholder.lock import Lock
from services.keyholder.main import budgets_of
from services.keyholder.people import Keeping, answer_person
from shared.events.people import Role
from shared.keys.client import KeysDeniedError
from shared.keys.messages import TOO_MANY, Denied, Hashes, Noted, Release, Search, ToHash
from shared.people.state import PersonState
from shared.policy import policy
from shared.settings import Settings
from tests.contexts import NOW, MemoryBucket, context_for
from tests.keyholder.conftest import ring

SEARCHES = 4


def person(account: str, role: Role, *, suspended: bool = False) -> PersonState:
    return PersonState(account=account, roles=frozenset({role}), suspended=suspended)


PEOPLE = {
    one.account: one
    for one in (
        person("olena", "operator"),
        person("elm", "supervisor"),
        person("gone", "supervisor", suspended=True),
        person("vira", "verifier"),
        person("kost", "coordinator"),
        person("ivan", "auditor"),
        person("sums", "integration"),
        PersonState(account="idle"),
    )
}


class Noting:
    """Notes what is recorded, instead of the audit log."""

    def __init__(self) -> None:
        self.noted: list[Any] = []

    def search(self, _service: str, asked: object) -> None:
        self.noted.append(asked)

    def released(self, _service: str, asked: object) -> None:
        self.noted.append(asked)


@pytest.fixture
def noting() -> Noting:
    return Noting()


@pytest.fixture
def keeping(bucket: MemoryBucket, folder: Path, noting: Noting) -> Keeping:
    settings = Settings(person_searches_an_hour=2 * SEARCHES)  # Half of it, at the start.
    return Keeping(
        budgets=budgets_of(settings),
        holder=Holder(ring(bucket, folder)),
        records=cast("Records", noting),
        policy=policy(),
        lock=Lock(),
        log=context_for("keyholder", handlers.ERASURES_OF_CASE).writer.log,
        folder=folder,
        now=lambda: NOW,
        person=lambda account: PEOPLE.get(account, PersonState()),
    )


def search(keeping: Keeping, by: str) -> object:
    values = (ToHash(purpose="caller-phone", value="+380440000001"),)
    asked = Search(by=by, purpose="verifying", asked=("caller",), values=values)
    return answer_person(keeping, "query", asked)


def searches(keeping: Keeping, by: str) -> int:
    """How many are granted until the budget is spent."""
    for count in range(100):
        answer = search(keeping, by)
        if isinstance(answer, Denied):
            assert answer.denied == TOO_MANY
            return count
    return 100


def test_each_role_has_its_budget(keeping: Keeping) -> None:
    assert isinstance(search(keeping, "olena"), Hashes)
    assert searches(keeping, "olena") == SEARCHES - 1
    assert searches(keeping, "elm") == searches(keeping, "vira") == 2 * SEARCHES
    assert searches(keeping, "kost") == SEARCHES / 2


@pytest.mark.parametrize("by", ["taras", "Olena", "gone", "service:intake", "ivan", "sums", "idle"])
def test_made_up_names_the_suspended_and_roles_without_values_are_granted_nothing(
    keeping: Keeping, noting: Noting, by: str
) -> None:
    with pytest.raises(KeysDeniedError, match="account"):
        search(keeping, by)
    assert noting.noted == []


def test_a_supervisor_releases_more_to_somebody_else_and_it_is_recorded_first(
    keeping: Keeping, noting: Noting
) -> None:
    searches(keeping, "olena")
    asked = Release(by="elm", purpose="oversight: many calls", account="olena")
    assert answer_person(keeping, "query", asked) == Noted()
    assert noting.noted[-1] == asked
    assert searches(keeping, "olena") == 2 * SEARCHES


@pytest.mark.parametrize(
    ("by", "account"),
    [("olena", "elm"), ("olena", "olena"), ("elm", "elm"), ("elm", "taras"), ("gone", "olena")],
)
def test_nobody_else_releases_and_nobody_to_themself(
    keeping: Keeping, noting: Noting, by: str, account: str
) -> None:
    with pytest.raises(KeysDeniedError):
        answer_person(keeping, "query", Release(by=by, purpose="oversight", account=account))
    assert noting.noted == []
