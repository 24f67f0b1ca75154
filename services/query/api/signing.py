"""What a person is to sign before a command is sent: its canonical form, with a nonce of the
service that decides. That service makes the form anew, and believes nothing of this one."""

from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import Field, ValidationError

from services.query.api.commands import REQUESTS
from services.query.api.shapes import Shape
from services.query.context import AppContext
from services.query.requests.authorised import require_may, require_own
from services.query.requests.body import Body
from services.query.requests.caller import Called, Caller
from services.query.requests.logins import answered
from services.query.requests.nonces import nonce_of
from services.query.requests.problems import ProblemError, errors_of, invalid, problems
from shared.commands.base import Command
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.people.signatures import canonical_of, challenge_of
from shared.people.signed import SIGNED


class ToBeSigned(Body):
    command: str = Field(description="the command's name")
    body: dict[str, Any] = Field(description="as it would be sent to /api/commands/NAME")


class Signing(Shape):
    """Sign `canonical`, then send the same command, with this command_id and `signatures`."""

    command_id: str
    person: str
    people: int
    """How many people must sign it; with two, the first proposes it (ProposeDecision)."""
    canonical: str
    """In ASCII. A key file signs it after `passage.decision.v1` and a line break."""
    options: dict[str, Any]
    """For a browser's `parseRequestOptionsFromJSON`: a passkey signs its SHA-256."""


router = APIRouter(tags=["commands"])


@router.post("/api/signing", responses=problems(403, 422, 503))
async def to_be_signed(context: AppContext, caller: Called, body: ToBeSigned) -> Signing:
    """What the caller is to sign for a command, within two minutes."""
    command_type = COMMANDS.get(body.command)
    if command_type is None or command_type not in SIGNED:
        raise invalid("must be a command that needs a signature", "command")
    require_may(caller, body.command)
    command = _read(body, caller)
    require_own(caller, body.command, command.case_id)
    nonce = await nonce_of(context, ANSWERED_BY[command_type])
    ways, row = context.ways, SIGNED[command_type]
    canonical = canonical_of(command, row.hidden, caller.account, nonce, ways.site)
    asked = await answered(context, partial(row.asked, command, ways.people))
    options = partial(ways.signature_asked, caller.account, challenge_of(canonical))
    return Signing(
        command_id=command.command_id,
        person=caller.account,
        people=asked.people,
        canonical=canonical,
        options=await answered(context, options),
    )


def _read(body: ToBeSigned, caller: Caller) -> Command:
    """Raises ProblemError 422."""
    try:
        read = REQUESTS[body.command].model_validate(body.body)
    except ValidationError as error:
        wrong = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        detail = "The command can't be understood; `errors` says which field breaks which rule."
        raise ProblemError(422, "invalid", detail, errors=errors_of(wrong)) from None
    return read.model_copy(update={"by": caller.account})
