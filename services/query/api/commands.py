"""POST for every command in the catalogue: sent to the service that owns it by NATS request, and
answered once the read model shows the effect."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BeforeValidator, Field, ValidationError, create_model
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from services.query.api.shapes import Shape
from services.query.context import AppContext, Context
from services.query.masking import type_shown
from services.query.nats_connection import NobodyAnswersError
from services.query.requests.authorised import require_own
from services.query.requests.caller import Called
from services.query.requests.problems import ProblemError, problems
from shared import subjects
from shared.commands.base import ANSWER, Command, Ignored, Invalid, Recorded, Refused, Unavailable
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.diagnostics.logger import logger
from shared.events.fields import Id
from shared.people.roles import BY_OTHER_ROUTES
from shared.people.signatures import OF_SIGNATURES
from shared.refusals import is_another_person

VISIBLE_WITHIN_S = 2.0
"""How long an answer waits for the read model to show the effect."""

PROBLEMS = problems(
    (409, "Refused: `guard` doesn't hold, `satisfied_by` says what makes it hold"),
    (422, "Invalid: `errors` names fields and rules"),
    (503, "Not decided now: sending the same command_id again is safe"),
)


class Shown(Shape):
    """A command's answer, and whether the read model already shows its effect."""

    result: Literal["recorded", "repeated", "ignored"]
    command_id: str
    case_id: str
    version: int
    sequence: int
    events: list[str] = Field(default=[])
    return_code: str | None = None
    duress_code: str | None = None
    message_id: str | None = None
    visible: bool
    held_by: str | None = None
    """Who else works on the case, if anyone: a claim locks nobody out."""


def _never(_: object) -> None:
    """Who acts is the session's person, whatever the body says."""
    raise PydanticCustomError("session_says_who", "is not given: it is whoever is logged in")


FromSession = Annotated[SkipJsonSchema[Any], BeforeValidator(_never)]


def _request_type(command_type: type[Command]) -> type[Command]:
    return create_model(
        command_type.__name__,
        __base__=command_type,
        __doc__=command_type.__doc__,
        command_id=(Id, Field(default_factory=new_command_id, description="made if missing")),
        by=(FromSession, None),
    )


def _endpoint(command_type: type[Command]) -> Callable[..., Awaitable[Shown]]:
    async def endpoint(context: AppContext, caller: Called, body: Any) -> Shown:
        require_own(caller, command_type.__name__, body.case_id)
        command = body.model_copy(update={"by": caller.account})
        return await pass_on(context, ANSWERED_BY[command_type], command)

    # The body's type differs by route, so it can't be written in the function.
    endpoint.__annotations__["body"] = REQUESTS[command_type.__name__]
    endpoint.__doc__ = command_type.__doc__
    return endpoint


def new_command_id() -> str:
    """For commands sent without an id."""
    return uuid4().hex


async def pass_on(context: Context, service: str, command: Command) -> Shown:
    """A service's answer, once the read model shows it. Raises ProblemError."""
    began = time.perf_counter()
    name = type(command).__name__
    answer = await _ask(context, service, command)
    logger.info(
        "command",
        handler=name,
        # A version means that the log has this case; otherwise its number is just typed text.
        case_id=command.case_id if getattr(answer, "version", 0) else None,
        version=getattr(answer, "version", None),
        result=answer.result,
        ms=round((time.perf_counter() - began) * 1_000, 1),
    )
    match answer:
        case Recorded() | Ignored():
            visible = await context.progress.reached(answer.sequence, VISIBLE_WITHIN_S)
            holder = await run_in_threadpool(_other_holder, context, command) if visible else None
            return Shown(
                **answer.model_dump(),
                command_id=command.command_id,
                visible=visible,
                held_by=holder,
            )
        case Refused():
            # If the log doesn't have the case, its number is just typed text.
            unknown = set() if answer.version else {"case_id"}
            if answer.guard in OF_SIGNATURES:
                context.refused.note("signature", command.by, answer.guard)
            more = answer.model_dump(mode="json", exclude={"result", *unknown})
            more["changed_since"] = [type_shown(one) for one in answer.changed_since]
            raise ProblemError(409, "refused", f"Not now: {answer.satisfied_by}.", **more)
        case Invalid():
            errors = [error.model_dump() for error in answer.errors]
            raise ProblemError(422, "invalid", "The service can't understand it.", errors=errors)
        case Unavailable():
            known = command.command_id
            detail = (
                f"{service}: {answer.reason}. Sending it again with command_id {known} is safe."
            )
            raise ProblemError(503, "unavailable", detail, service=service, command_id=known)


async def _ask(
    context: Context, service: str, command: Command
) -> Recorded | Ignored | Refused | Invalid | Unavailable:
    subject = subjects.command(service, type(command).__name__)
    body = command.model_dump_json(exclude_none=True).encode()
    try:
        reply = await context.nats.request(subject, body, context.settings.command_timeout_s)
        return ANSWER.validate_json(reply)
    except NobodyAnswersError as silence:
        return Unavailable(reason=str(silence))
    except ValidationError:
        logger.error("answer_unreadable", handler=type(command).__name__, service=service)
        return Unavailable(reason="its answer can't be understood")


def _other_holder(context: Context, command: Command) -> str | None:
    """Who else works on the case, by the read model."""
    row = context.reads.cases_by_ids([command.case_id]).found.get(command.case_id)
    if row is None or row.claimed_by is None:
        return None
    return row.claimed_by if is_another_person(row.claimed_by, command.by) else None


REQUESTS = {
    name: _request_type(command_type)
    for name, command_type in COMMANDS.items()
    if name not in BY_OTHER_ROUTES
}
"""What a request sends, by the command's name."""
router = APIRouter(prefix="/api/commands", tags=["commands"])
for _name in REQUESTS:
    _command_type = COMMANDS[_name]
    router.add_api_route(
        f"/{_name}",
        _endpoint(_command_type),
        methods=["POST"],
        name=_name,
        summary=(_command_type.__doc__ or _name).strip().splitlines()[0],
        response_model=Shown,
        response_model_exclude_none=True,
        responses=PROBLEMS,
    )
