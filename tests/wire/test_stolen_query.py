"""Whoever has all that query has sends any command in anybody's name, and decides nothing grave."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from passage.__main__ import command_line
from shared.commands.base import Command, Recorded, Refused
from shared.commands.people import ProposeDecision, WithdrawDecision
from shared.people.signatures import canonical_of
from shared.people.signed import SIGNED
from shared.people.site import site_of
from tests.signers import KeyFile
from tests.signing_place import ASKED, OLENA, PETRO, with_signatures
from tests.wire.conftest import Site
from tests.wire.people import enrol, link_by_the_keeper, signed

ABOUT_SIGNATURES = {"signed", "signature_proves", "signed_this", "key_held", "nonce_unused"}


@pytest.fixture
async def keys(all_services: Site, place: Path) -> dict[str, KeyFile]:
    """Of two people who may do everything, registered."""
    del place  # Where the verb finds the installation.
    found = {one: KeyFile(one) for one in (OLENA, PETRO)}
    roles = [word for one in ("supervisor", "coordinator", "verifier") for word in ("--role", one)]
    links = {one: link_by_the_keeper(one, *roles) for one in found}
    for account, token in links.items():
        await enrol(all_services, token, found[account])
    return found


async def answer(site: Site, command: Command) -> Recorded | Refused:
    said = command.model_dump(mode="json", exclude_none=True)
    answered = await site.ask(type(command), **{**said, "case_id": command.case_id})
    assert isinstance(answered, Recorded | Refused), answered
    return answered


async def believed(site: Site, command: Command) -> bool:
    """Whether a service got as far as to decide."""
    answered = await answer(site, command)
    return isinstance(answered, Recorded) or answered.guard not in ABOUT_SIGNATURES


async def right(site: Site, keys: dict[str, KeyFile], command: Command) -> Command:
    """Both signed, if it takes two."""
    needed = 2 if command_takes_two(command) else 1
    given = [await signed(site, keys[one], command) for one in (OLENA, PETRO)[:needed]]
    return with_signatures(command, *given)


def command_takes_two(command: Command) -> bool:
    return type(command).__name__ not in {
        "ApproveRendezvous",
        "ClearDuress",
        "AddPerson",
        "ResumePerson",
    }


@pytest.mark.parametrize("asked", sorted(ASKED))
async def test_nothing_grave_is_decided_without_the_gestures_of_those_it_names(
    all_services: Site, keys: dict[str, KeyFile], asked: str
) -> None:
    site, command = all_services, ASKED[asked]("first")
    mine: list[KeyFile] = [KeyFile(OLENA), KeyFile(PETRO)]
    other = command.model_copy(update={"command_id": "other"})
    rightly = await right(site, keys, command)
    forged = [
        one.model_copy(update={"key_id": keys[one.person].key_id})
        for one in [await signed(site, key, command) for key in mine]
    ][: len(rightly.signatures)]
    own = [await signed(site, key, command) for key in mine][: len(rightly.signatures)]
    half = [*rightly.signatures[:-1], forged[-1]]
    for attempt in (
        command,
        with_signatures(command, *own),
        with_signatures(command, *forged),
        with_signatures(command, *half),
        with_signatures(command, *rightly.signatures[1:]),
        with_signatures(other, *rightly.signatures),
    ):
        assert not await believed(site, attempt)
    assert await believed(site, rightly)


async def test_of_commands_at_once_one_has_the_nonce(
    all_services: Site, keys: dict[str, KeyFile]
) -> None:
    commands = [ASKED["approve"](f"cmd-{number}") for number in range(8)]
    first = await signed(all_services, keys[OLENA], commands[0])
    said = json.loads(first.canonical)
    given = [
        with_signatures(
            command,
            keys[OLENA].sign(
                canonical_of(command, (), OLENA, said["nonce"], site_of(all_services.settings))
            ),
        )
        for command in commands
    ]
    answers = await asyncio.gather(*(believed(all_services, one) for one in given))
    assert sum(answers) == 1


async def test_the_log_lists_what_somebody_signed_without_query(
    all_services: Site, keys: dict[str, KeyFile]
) -> None:
    command = ASKED["add"]("first")
    rightly = await right(all_services, keys, command)
    assert isinstance(await answer(all_services, rightly), Recorded)
    ran = await asyncio.to_thread(
        CliRunner().invoke, command_line("log"), ["log", "signed", OLENA, "--json"]
    )
    assert ran.exit_code == 0, ran.output
    (listed,) = json.loads(ran.stdout)
    assert listed["about"] == command.case_id
    assert listed["signed"] == rightly.signatures[0].canonical


async def test_no_signature_counts_twice(all_services: Site, keys: dict[str, KeyFile]) -> None:
    first = ASKED["approve"]("first")
    signature = await signed(all_services, keys[OLENA], first)
    assert await believed(all_services, with_signatures(first, signature))
    for other in (
        first.model_copy(update={"command_id": "other"}),
        first.model_copy(update={"rendezvous_id": "meet-2"}),
        first.model_copy(update={"by": PETRO}),
        ASKED["disclose"]("first"),
    ):
        assert not await believed(all_services, with_signatures(other, signature))


async def test_what_somebody_withdrew_is_not_proposed_again_in_their_name(
    all_services: Site, keys: dict[str, KeyFile]
) -> None:
    site, command = all_services, ASKED["disclose"]("first")
    said = {
        "act": type(command).__name__,
        "about": command.case_id,
        "command": command.model_dump_json(exclude_none=True),
        "signature": (await signed(site, keys[OLENA], command)).model_dump(exclude_none=True),
    }
    proposing = {**said, "command_id": "proposing"}
    for result in ("recorded", "repeated"):
        answered = await site.ask(ProposeDecision, "DECISION-1", OLENA, **proposing)
        assert answered.result == result
    await site.record(WithdrawDecision, "DECISION-1", OLENA)
    again = await site.ask(ProposeDecision, "DECISION-2", OLENA, **said)
    assert isinstance(again, Refused)
    assert again.guard == "nonce_unused"
    other = keys[OLENA].sign(
        canonical_of(command, SIGNED[type(command)].hidden, OLENA, "n" * 22, site_of(site.settings))
    )
    made_up = {**said, "signature": other.model_dump(exclude_none=True)}
    never = await site.ask(ProposeDecision, "DECISION-3", OLENA, **made_up)
    assert isinstance(never, Refused)
    assert never.guard == "nonce_fresh"
