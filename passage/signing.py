"""Commands given in a person's name, signed with their key file where the table says so.

What is signed is made here, from the command itself: query only lends the nonce.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from passage.api import Api, Json, Reply, commanded
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, KeyFile, text_of
from shared.commands.base import Command
from shared.commands.catalogue import COMMANDS
from shared.events.people import OF_DECISIONS
from shared.events.signatures import Signature
from shared.people.signatures import by_key_file, canonical_of
from shared.people.signed import SIGNED
from shared.people.site import Site

SALT_BYTES = 16
SALT_PREFIX = b"passage.salt.v1\n"
"""Neither logins nor decisions begin so."""
ALTERED = "the API asks for a signature of something else than this command: nothing was signed"


@dataclass(frozen=True)
class Signer:
    """Somebody whose key file is here, and the API asked in their name."""

    api: Api
    key: KeyFile

    @classmethod
    def of(cls, api: Api, who: AsPerson) -> "Signer":
        return cls(api.by(who), who.key)


async def give(
    signer: Signer, name: str, body: Mapping[str, Any], again: str, second: Signer | None = None
) -> Reply:
    """The answer to a command. If it takes two people and `second` isn't here, to its proposal.

    Raises VerbEndedError as `commanded` does, and httpx.HTTPError.
    """
    if COMMANDS[name] not in SIGNED:
        return await commanded(signer.api, name, body, again)
    salted = {"salt": _salt(signer.key, body["command_id"]), **body}
    asked = await signer.api.post("signing", {"command": name, "body": salted})
    if not asked.ok:
        return asked
    people = int(asked.body["people"])
    if not people:
        return await commanded(signer.api, name, salted, again)
    command = COMMANDS[name].model_validate({**salted, "by": signer.key.account})
    signature = _signed(signer.key, command, str(asked.body["canonical"]))
    if people == 1:
        signed = {**salted, "signatures": [_json(signature)]}
        return await commanded(signer.api, name, signed, again)
    # Each attempt proposes anew: what was proposed before may be of another version, and expires.
    decision_id = f"{OF_DECISIONS}{uuid4().hex}"
    proposed = await _propose(signer, command, signature, decision_id)
    if second is None or not proposed.ok:
        return proposed
    return await agree(second, decision_id, command)


async def agree(signer: Signer, decision_id: str, expected: Command | None = None) -> Reply:
    """Signs what another person proposed, as it is shown; then it is carried out."""
    shown = await signer.api.post(f"decisions/{decision_id}/open", {})
    if not shown.ok:
        return shown
    command = expected or proposed_command(shown.body)
    signature = _signed(signer.key, command, str(shown.body["canonical"]))
    return await signer.api.post(f"decisions/{decision_id}/agree", {"signature": _json(signature)})


def proposed_command(shown: Json) -> Command:
    """The command that a proposed decision shows."""
    return COMMANDS[shown["act"]].model_validate(shown["command"])


async def _propose(
    signer: Signer, command: Command, signature: Signature, decision_id: str
) -> Reply:
    body = {
        "command_id": uuid4().hex,
        "case_id": decision_id,
        "act": type(command).__name__,
        "about": command.case_id,
        "command": command.model_dump_json(exclude_none=True, exclude={"signatures"}),
        "signature": _json(signature),
    }
    return await commanded(signer.api, "ProposeDecision", body, "proposing it again is safe")


def _signed(key: KeyFile, command: Command, asked: str) -> Signature:
    """Raises VerbEndedError if something else was to be signed than this command."""
    try:
        nonce = str(json.loads(asked)["nonce"])
    except (ValueError, KeyError, TypeError):
        raise VerbEndedError(Exit.FAILED, ALTERED) from None
    site = Site(key.site, urlsplit(key.site).hostname or "")
    own = canonical_of(command, SIGNED[type(command)].hidden, key.account, nonce, site)
    if own != asked:
        raise VerbEndedError(Exit.FAILED, ALTERED)
    return by_key_file(key.private, key.key_id, key.account, own)


def _salt(key: KeyFile, command_id: str) -> str:
    """The same whenever the command is given again: else it would be signed as another one."""
    made = sha256(key.private.sign(SALT_PREFIX + command_id.encode())).digest()
    return text_of(made[:SALT_BYTES])


def _json(signature: Signature) -> Json:
    return signature.model_dump(mode="json", exclude_none=True)
