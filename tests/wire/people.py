"""People of a test's installation: added by the keeper, with key files with which they sign."""

import json
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from passage.__main__ import command_line
from shared import subjects
from shared.commands import people as commands
from shared.commands.base import AnyAnswer, Command, Nonce
from shared.commands.catalogue import ANSWERED_BY
from shared.events.people import OF_DECISIONS, log_of
from shared.events.signatures import Signature
from shared.people.signatures import canonical_of
from shared.people.signed import SIGNED
from shared.people.site import site_of
from tests.signers import KeyFile
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site


def link_by_the_keeper(*words: str) -> str:
    """What follows the account in the link that `passage operator add` prints."""
    ran = CliRunner().invoke(command_line("operator"), ["operator", "add", *words, "--json"])
    assert ran.exit_code == 0, ran.output
    return str(json.loads(ran.stdout)["link"]).rpartition(".")[2]


async def enrol(site: Site, token: str, key: KeyFile) -> None:
    said = key.registered().model_dump(exclude={"token_hash"})
    await site.record(commands.Enrol, log_of(key.person), key.person, token=token, **said)


async def record_signed(
    site: Site, key: KeyFile, command_type: type[Command], about: str, **said: Any
) -> None:
    """A command to desk in the key's owner's name, with their signature."""
    who = {"command_id": uuid4().hex, "case_id": log_of(about), "by": key.person}
    command = command_type.model_validate({**who, **said})
    signatures = [(await signed(site, key, command)).model_dump(exclude_none=True)]
    await site.record(
        command_type,
        signatures=signatures,
        **command.model_dump(exclude_none=True, exclude={"signatures"}),
    )


async def signed(site: Site, key: KeyFile, command: Command) -> Signature:
    """A command's signature, with a nonce of the service that will decide it."""
    subject = subjects.nonces(ANSWERED_BY[type(command)])
    asked = await site.client.request(subject, b"", timeout=WITHIN_S)
    nonce = Nonce.model_validate_json(asked.data).nonce
    hidden = SIGNED[type(command)].hidden
    return key.sign(canonical_of(command, hidden, key.person, nonce, site_of(site.settings)))


async def proposed(site: Site, key: KeyFile, command: Command) -> str:
    """The number of a decision that the key's owner has proposed."""
    decision = f"{OF_DECISIONS}{uuid4().hex}"
    said = {
        "act": type(command).__name__,
        "about": command.case_id,
        "command": command.model_dump_json(exclude_none=True),
        "signature": (await signed(site, key, command)).model_dump(exclude_none=True),
    }
    await site.record(commands.ProposeDecision, decision, key.person, **said)
    return decision


async def agreed(site: Site, key: KeyFile, decision: str, command: Command) -> AnyAnswer:
    """What the service that decides answers, once the key's owner has signed too."""
    signature = (await signed(site, key, command)).model_dump(exclude_none=True)
    return await site.ask(commands.AgreeToDecision, decision, key.person, signature=signature)
