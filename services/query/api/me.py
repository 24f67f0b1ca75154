"""What people see and do of their own: who they are here, their keys and their sessions."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path

from services.query.api.shapes import Shape, shows
from services.query.api.shifts import Limit
from services.query.context import AppContext, Context
from services.query.logins.sessions import Held
from services.query.models.signatures import SignatureRow
from services.query.reads.boards import Boards
from services.query.requests.caller import Called, Caller
from services.query.requests.logins import answered
from services.query.requests.problems import ProblemError, problems
from shared.events.fields import Digest
from shared.events.people import Role
from shared.events.signatures import KeyKind
from shared.people.sessions import SessionKind
from shared.people.state import PersonState


class OwnKey(Shape):
    key_id: str
    kind: KeyKind
    label: str
    is_synced: bool
    registered_at: datetime
    revoked_at: datetime | None


class OwnSession(Shape):
    """`session` is the hash of its token."""

    session: str
    kind: SessionKind
    created_at: datetime
    seen_at: datetime
    is_locked: bool
    is_this: bool


class Me(Shape):
    """Who asks, as their log has them now."""

    account: str
    name: str
    roles: list[Role]
    kind: SessionKind
    is_machine: bool
    break_glass_set: bool
    keys: list[OwnKey]
    sessions: list[OwnSession]
    unseen_signatures: int
    """How much was signed in their name since they looked last."""


@shows(SignatureRow)
class OwnSignature(Shape):
    """A decision recorded with one's own signature."""


class OwnSignatures(Shape):
    """What the log has signed by oneself, last first: whether or not one remembers signing it."""

    items: list[OwnSignature]
    seen: int
    """Those after this sequence are new; `SeeSignatures` says that one has seen them."""
    sequence: int


SessionId = Annotated[Digest, Path(description="the session, as /api/me names it")]

router = APIRouter(tags=["logins"])


@router.get("/api/me", responses=problems(503))
async def me(context: AppContext, caller: Called) -> Me:
    """Who asks, with their keys and sessions."""
    return await answered(context, partial(_me, context, caller))


@router.post("/api/me/sessions/{session}/end", status_code=204, responses=problems(404, 503))
async def end_session(context: AppContext, caller: Called, session: SessionId) -> None:
    """Ends one of one's own sessions, on whatever machine it is."""
    sessions = context.ways.sessions
    own = await answered(context, partial(sessions.of, caller.account))
    if session not in {one.session for one in own}:
        raise ProblemError(404, "no-such-session", "None of your sessions has that id.")
    await answered(context, partial(sessions.end, session))


@router.get("/api/me/signatures")
def own_signatures(context: AppContext, caller: Called, limit: Limit = 50) -> OwnSignatures:
    """What one signed. Tell a supervisor at once of anything one doesn't know of."""
    boards = Boards(context.generations)
    # What is signed between the two looks is new.
    seen, answer = boards.signatures_seen(caller.account), boards.signed_by(caller.account, limit)
    items = [OwnSignature.showing(one) for one in answer.found]
    return OwnSignatures(items=items, seen=seen.found, sequence=answer.sequence)


@router.post("/api/session/lock", status_code=204)
async def lock(context: AppContext, caller: Called) -> None:
    """Locks the session until its person proves themselves anew."""
    await answered(context, partial(context.ways.sessions.lock, caller.session))


def _me(context: Context, caller: Caller) -> Me:
    person = context.ways.people.person(caller.account)
    return Me(
        account=caller.account,
        name=person.name,
        roles=sorted(caller.roles),
        kind=caller.kind,
        is_machine=person.is_machine,
        break_glass_set=person.break_glass is not None,
        keys=keys_of(person),
        sessions=[
            _session(one, caller.session) for one in context.ways.sessions.of(caller.account)
        ],
        unseen_signatures=Boards(context.generations).unseen(caller.account).found,
    )


def keys_of(person: PersonState) -> list[OwnKey]:
    return [
        OwnKey(
            key_id=one.key_id,
            kind=one.kind,
            label=one.label,
            is_synced=one.is_synced,
            registered_at=one.registered.at,
            revoked_at=one.revoked.at if one.revoked is not None else None,
        )
        for one in person.keys.values()
    ]


def _session(one: Held, this: str) -> OwnSession:
    kept = one.kept
    return OwnSession(
        session=one.session,
        kind=kept.kind,
        created_at=kept.created_at,
        seen_at=kept.seen_at,
        is_locked=kept.is_locked,
        is_this=one.session == this,
    )
