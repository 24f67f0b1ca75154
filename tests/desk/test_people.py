"""Who works here: what supervisors decide, and what nobody may decide about themself."""

from typing import Any

import pytest

from services.desk.people import RESERVED
from shared.commands import people as commands
from shared.commands.base import Command
from shared.events.people import SignaturesSeen
from shared.keys.client import KeysUnavailableError
from shared.refusals import RefusedError
from tests.desk.desks import SmallDesk
from tests.examples import digest


@pytest.fixture
def desk() -> SmallDesk:
    return SmallDesk()


def refused(
    desk: SmallDesk, guard: str, command: type[Command], about: str, by: str = "olena", **said: Any
) -> None:
    before = len(desk.events(f"PERSON-{about}"))
    with pytest.raises(RefusedError) as refusal:
        desk.ask(command, about, by, **said)
    assert refusal.value.guard.name == guard
    assert len(desk.events(f"PERSON-{about}")) == before


def test_a_supervisor_adds_somebody_and_grants_and_takes_roles(desk: SmallDesk) -> None:
    desk.ask(commands.AddPerson, "maria", name="Maria Example")
    desk.ask(commands.GrantRole, "maria", role="operator")
    desk.ask(commands.GrantRole, "maria", role="verifier")
    assert desk.ask(commands.GrantRole, "maria", role="verifier").result == "ignored"
    desk.ask(commands.TakeRole, "maria", role="operator")
    assert desk.ask(commands.TakeRole, "maria", role="operator").result == "ignored"
    maria = desk.person("maria")
    assert (maria.account, maria.name, maria.roles) == (
        "maria",
        "Maria Example",
        frozenset({"verifier"}),
    )


@pytest.mark.parametrize("account", sorted(RESERVED))
def test_an_account_that_is_taken_for_something_else_is_nobodys(
    desk: SmallDesk, account: str
) -> None:
    refused(desk, "account_new", commands.AddPerson, account, name="Somebody")


OF_SUPERVISORS: list[tuple[type[Command], dict[str, Any]]] = [
    (commands.AddPerson, {"name": "Maria Example"}),
    (commands.GrantRole, {"role": "supervisor"}),
    (commands.TakeRole, {"role": "operator"}),
    (commands.OfferEnrolment, {"token_hash": digest("link")}),
    (commands.SuspendPerson, {"reason": "left"}),
    (commands.ResumePerson, {}),
    (
        commands.IssueToken,
        {"token_hash": digest("t"), "label": "x", "expires_at": "2026-04-01T00:00Z"},
    ),
    (commands.RevokeToken, {"token_hash": digest("t")}),
]


@pytest.mark.parametrize(("command", "said"), OF_SUPERVISORS)
def test_nobody_but_a_supervisor_decides_about_people(
    desk: SmallDesk, command: type[Command], said: dict[str, Any]
) -> None:
    about = "maria" if command is commands.AddPerson else "figures"
    for by in ("ivan", "figures", "nobody", "keeper"):
        refused(desk, "role_held", command, about, by, **said)
    desk.add("second", "supervisor")
    refused(desk, "role_held", command, about, "second", **said)
    desk.give_key("second")
    desk.ask(commands.SuspendPerson, "second", reason="left")
    refused(desk, "role_held", command, about, "second", **said)


@pytest.mark.parametrize(("command", "said"), OF_SUPERVISORS[1:6])
def test_a_supervisor_decides_none_of_it_about_themself(
    desk: SmallDesk, command: type[Command], said: dict[str, Any]
) -> None:
    refused(desk, "another_decides", command, "olena", **said)


@pytest.mark.parametrize(("command", "said"), OF_SUPERVISORS[1:])
def test_nothing_is_decided_about_somebody_who_was_never_added(
    desk: SmallDesk, command: type[Command], said: dict[str, Any]
) -> None:
    refused(desk, "person_known", command, "stranger", **said)


def test_integration_is_for_machines_and_for_nobody_else(desk: SmallDesk) -> None:
    refused(desk, "role_fits", commands.GrantRole, "ivan", role="integration")
    refused(desk, "role_fits", commands.GrantRole, "figures", role="operator")


def test_suspending_ends_every_session_and_resuming_begins_none(desk: SmallDesk) -> None:
    desk.ask(commands.SuspendPerson, "ivan", reason="lost his key")
    assert desk.person("ivan").suspended
    assert desk.person("ivan").sessions_ended_at == desk.now
    assert desk.ask(commands.SuspendPerson, "ivan", reason="again").result == "ignored"
    desk.ask(commands.ResumePerson, "ivan")
    assert (desk.person("ivan").suspended, desk.person("ivan").sessions_ended_at) == (
        False,
        desk.now,
    )


def test_everybody_ends_their_own_sessions_and_a_supervisor_anybodys(desk: SmallDesk) -> None:
    desk.ask(commands.EndSessions, "ivan", "ivan")
    desk.ask(commands.EndSessions, "ivan", "olena")
    refused(desk, "role_held", commands.EndSessions, "olena", "ivan")


def test_what_a_person_says_of_the_time_dates_nothing(desk: SmallDesk) -> None:
    desk.ask(commands.GrantRole, "ivan", role="verifier", happened_at="2020-01-01T00:00Z")
    assert desk.events("PERSON-ivan")[-1].time == desk.now


def test_somebody_is_suspended_even_while_nothing_can_be_sealed(
    desk: SmallDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sealed(*_: object) -> None:
        raise KeysUnavailableError

    monkeypatch.setattr(type(desk.context.writer.keys), "for_sealing", sealed)
    desk.ask(commands.SuspendPerson, "ivan")
    assert desk.person("ivan").suspended


def test_everybody_looks_at_what_was_signed_in_their_own_name_and_in_nobody_elses(
    desk: SmallDesk,
) -> None:
    desk.ask(commands.SeeSignatures, "ivan", "ivan", through=7)
    [*_, event] = desk.events("PERSON-ivan")
    assert isinstance(event.data, SignaturesSeen)
    assert (event.data.through, event.data.by) == (7, "ivan")
    refused(desk, "own_account", commands.SeeSignatures, "ivan", "olena", through=9)
