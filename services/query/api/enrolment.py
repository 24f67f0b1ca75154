"""Registering a key, by a link that a supervisor offered: it holds once."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from services.query.api.commands import Shown, new_command_id, pass_on
from services.query.context import AppContext
from services.query.requests.body import Body
from services.query.requests.logins import NOT_PROVEN, NOT_TOO_OFTEN, answered
from services.query.requests.problems import problems
from shared.commands.people import Enrol, Token
from shared.events.fields import Account, Word
from shared.events.people import log_of
from shared.events.signatures import Base64Url
from shared.people.key_files import key_file_id

REFUSED = {**NOT_PROVEN, **problems((409, "Refused: `satisfied_by` says what would do"))}


class Link(Body):
    """What is in a link: whose it is, and its secret."""

    account: Account
    token: Annotated[Token, Field(repr=False)]


class NewPasskey(Link):
    label: Word
    """What its person calls it."""
    credential: dict[str, Any]


class NewKeyFile(Link):
    label: Word
    public_key: Base64Url
    """32 bytes of Ed25519."""
    signature: Base64Url
    """Of `passage.login.v1`, a line break, and the canonical JSON of act, nonce, person, site; the
    nonce is the token's SHA-256 in hex."""


router = APIRouter(tags=["logins"], dependencies=[NOT_TOO_OFTEN])


@router.post("/api/enrol/options", responses=NOT_PROVEN)
async def enrolment_options(context: AppContext, body: Link) -> dict[str, Any]:
    """For `parseCreationOptionsFromJSON`."""
    asked = partial(context.ways.registration_asked, body.account, body.token)
    return await answered(context, asked)


@router.post("/api/enrol/passkey", responses=REFUSED, response_model_exclude_none=True)
async def enrol_passkey(context: AppContext, body: NewPasskey) -> Shown:
    """Registers a passkey that the browser made; the link is used up."""
    ways = context.ways
    made = await answered(
        context, partial(ways.new_passkey, body.account, body.token, body.credential)
    )
    command = Enrol(
        command_id=new_command_id(),
        case_id=log_of(body.account),
        by=body.account,
        token=body.token,
        kind="passkey",
        label=body.label,
        rp_id=ways.site.rp_id,
        **made._asdict(),
    )
    return await pass_on(context, "desk", command)


@router.post("/api/enrol/key", responses=REFUSED, response_model_exclude_none=True)
async def enrol_key_file(context: AppContext, body: NewKeyFile) -> Shown:
    """Registers the command line's key file; the link is used up."""
    proven = partial(
        context.ways.new_key_file, body.account, body.token, body.public_key, body.signature
    )
    await answered(context, proven)
    command = Enrol(
        command_id=new_command_id(),
        case_id=log_of(body.account),
        by=body.account,
        token=body.token,
        kind="key_file",
        key_id=key_file_id(body.public_key),
        public_key=body.public_key,
        label=body.label,
    )
    return await pass_on(context, "desk", command)
