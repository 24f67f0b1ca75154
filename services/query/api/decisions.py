"""Decisions that wait for a second signature: what is proposed, and what to sign.

desk keeps both signatures and has the command carried out; the service that owns it checks them
again, and decides.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from services.query.api.commands import PROBLEMS, Shown, pass_on
from services.query.api.shapes import Shape, shows
from services.query.api.shifts import Limit
from services.query.context import AppContext, Context
from services.query.models.people import DecisionRow
from services.query.reads.boards import Boards
from services.query.reads.opening import opened
from services.query.requests.authorised import require_may
from services.query.requests.body import Body
from services.query.requests.caller import Called, Caller, not_your_role
from services.query.requests.cases import WAITS
from services.query.requests.logins import answered
from services.query.requests.nonces import nonce_of
from services.query.requests.problems import ProblemError, answering, problems
from shared.commands.base import Command
from shared.commands.case_numbers import DecisionNumber
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.commands.people import AgreeToDecision
from shared.events.base import CaseEvent
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.people import DecisionProposed
from shared.events.signatures import Signature
from shared.keys.messages import SealedValue
from shared.people.signatures import as_base64url, canonical_of, challenge_of
from shared.people.signed import SIGNED, may_sign

PURPOSE = "second signature"

DecisionPath = Annotated[DecisionNumber, Path(description="the decision's number")]


@shows(DecisionRow)
class Decision(Shape):
    """A decision that one person signed, and another may, or did: `not_carried_out` says why it
    was refused."""


class Decisions(Shape):
    """Those that wait or were refused, the longest first."""

    items: list[Decision]
    sequence: int


class Proposed(Shape):
    """What a second person is to sign: `canonical` is made of `command`, which is shown whole."""

    decision_id: str
    act: str
    about: str
    proposed_by: str
    expires_at: datetime
    command: dict[str, Any]
    canonical: str
    challenge: str
    """What a passkey is asked to sign, in base64url: the SHA-256 of `canonical`."""
    key_ids: list[str]
    """The caller's own keys."""


class Agreement(Body):
    signature: Signature


class _Proposed(NamedTuple):
    proposed: CaseEvent[DecisionProposed]
    kind: type[Command]


router = APIRouter(prefix="/api/decisions", tags=["desk"])


@router.get("", dependencies=[WAITS])
def decisions(context: AppContext, limit: Limit = 50) -> Decisions:
    """Decisions that wait for a second signature, or to be carried out."""
    answer = Boards(context.generations).decisions(limit)
    return Decisions(
        items=[Decision.showing(one) for one in answer.found], sequence=answer.sequence
    )


@router.post("/{decision_id}/open", responses=problems(403, 404, 410, 429, 503))
async def open_decision(context: AppContext, caller: Called, decision_id: DecisionPath) -> Proposed:
    """Shows the command that somebody signed, and what the caller is to sign; it is recorded."""
    of = await _kind(context, caller, decision_id)
    command = await _command(context, caller, of)
    data, kind = of.proposed.data, of.kind
    nonce = await nonce_of(context, ANSWERED_BY[kind])
    canonical = canonical_of(command, SIGNED[kind].hidden, caller.account, nonce, context.ways.site)
    person = await answered(context, partial(context.ways.people.person, caller.account))
    return Proposed(
        decision_id=decision_id,
        act=data.act,
        about=data.about,
        proposed_by=data.signature.person,
        expires_at=data.expires_at,
        command=command.model_dump(mode="json", exclude_none=True, exclude={"signatures"}),
        canonical=canonical,
        challenge=as_base64url(challenge_of(canonical)),
        key_ids=[one.key_id for one in person.keys_held],
    )


@router.post("/{decision_id}/agree", responses=PROBLEMS)
async def agree(
    context: AppContext, caller: Called, decision_id: DecisionPath, body: Agreement
) -> Shown:
    """Records the second signature; desk has the command carried out, and the answer is about
    that. Repeating it is safe."""
    require_may(caller, AgreeToDecision.__name__)
    await _kind(context, caller, decision_id)
    agreeing = AgreeToDecision(
        command_id=uuid5(NAMESPACE_URL, f"{decision_id}|{caller.account}").hex,
        case_id=decision_id,
        by=caller.account,
        signature=body.signature,
    )
    return await pass_on(context, ANSWERED_BY[AgreeToDecision], agreeing)


async def _kind(context: Context, caller: Caller, decision_id: str) -> _Proposed:
    """What is proposed. Raises ProblemError 403 for whoever can't be the second to sign."""
    proposed = await run_in_threadpool(_proposed_in, context, decision_id)
    kind = COMMANDS.get(proposed.data.act)
    if kind is None or kind not in SIGNED:
        raise _no_such()
    if not may_sign(caller.roles, kind, is_first=False):
        raise not_your_role(())
    return _Proposed(proposed, kind)


async def _command(context: Context, caller: Caller, of: _Proposed) -> Command:
    """Raises ProblemError 410 if its words are erased."""
    value = SealedValue.of(of.proposed, "command")
    found = await run_in_threadpool(opened, context.keys, [value], caller.account, PURPOSE, "shown")
    if found[0].state == "erased":
        detail = "Nothing is left of it to look at: it is over, or the case it is about was erased."
        raise ProblemError(410, "words-erased", detail)
    try:
        return of.kind.model_validate_json(found[0].text or "")
    except ValidationError:
        raise _no_such() from None


def _proposed_in(context: Context, decision_id: str) -> CaseEvent[DecisionProposed]:
    """Raises ProblemError."""
    with answering("The log"):
        stored = context.log.select_events(decision_id)
    try:
        events = [read_case_event(one.state, one.topic) for one in stored]
    except UnreadableEventError:
        raise _no_such() from None
    proposed = next((one for one in events if isinstance(one.data, DecisionProposed)), None)
    if proposed is None:
        raise _no_such()
    return proposed


def _no_such() -> ProblemError:
    return ProblemError(404, "no-such-decision", "There is no such decision.")
