"""Whether a signature under a proposed decision proves what it says, before it is recorded.

The service that carries the decision out checks both again, with their nonces.
"""

import json
from collections.abc import Callable

from pydantic import ValidationError

from shared.commands.base import Command
from shared.commands.catalogue import COMMANDS
from shared.commands.people import AgreeToDecision, ProposeDecision
from shared.events.signatures import Signature
from shared.people.signatures import canonical_of, require_proof
from shared.people.signed import SIGNED
from shared.people.site import Site
from shared.people.state import PersonState
from shared.refusals import Guard, RefusedError, require

SIGNERS_KEY = Guard("signers_key", "a key of the signer's own, registered and not revoked")
COMMAND_SIGNED = Guard("command_signed", "a command that needs signatures, exactly as it is signed")


def require_proven(command: Command, person: Callable[[str], PersonState], site: Site) -> None:
    """Raises RefusedError. Only of commands that bring a signature."""
    if isinstance(command, ProposeDecision):
        require(_is_what_is_signed(command, site), COMMAND_SIGNED)
    if isinstance(command, ProposeDecision | AgreeToDecision):
        _require_proof(command.signature, person(command.signature.person), site)


def _require_proof(signature: Signature, signer: PersonState, site: Site) -> None:
    key = signer.key_held(signature.key_id)
    if key is None:
        raise RefusedError(SIGNERS_KEY)
    require_proof(signature, key, site)


def _is_what_is_signed(command: ProposeDecision, site: Site) -> bool:
    """Whoever signs second is shown the command, and must see what the first signed."""
    kind = COMMANDS.get(command.act)
    if kind is None or kind not in SIGNED:
        return False
    try:
        asked = kind.model_validate_json(command.command)
        nonce = json.loads(command.signature.canonical)["nonce"]
    except (ValidationError, ValueError, KeyError, TypeError):
        return False
    who, hidden = command.signature.person, SIGNED[kind].hidden
    said = canonical_of(asked, hidden, who, str(nonce), site)
    return asked.by == who and said == command.signature.canonical
