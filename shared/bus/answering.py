"""Parses a command and answers it, turning any failure into a typed answer."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from shared.bus.asking import UnansweredError
from shared.commands.base import (
    AnyAnswer,
    Command,
    FieldError,
    Ignored,
    Invalid,
    Recorded,
    Refused,
    Unavailable,
)
from shared.diagnostics.logger import logger, place_of
from shared.keys.client import KeysUnavailableError
from shared.log.case_log import ChainBrokenError, LogError
from shared.log.transact import ContendedError, Outcome
from shared.people.signatures import OF_SIGNATURES
from shared.refusals import RefusedError
from shared.written.wrong_fields import wrong_fields

FAULT = "a bug in the service; its log says where"
CommandHandler = Callable[[Any], Outcome | Recorded]


def answer(command_type: type[Command], body: bytes, handler: CommandHandler) -> AnyAnswer:
    """Never raises."""
    try:
        command = command_type.model_validate_json(body)
    except ValidationError as error:
        found = wrong_fields(error)
        return Invalid(errors=tuple(FieldError(field=f, problem=p) for f, p in found))
    try:
        done = handler(command)
    except RefusedError as refusal:
        if refusal.guard.name in OF_SIGNATURES:
            logger.warning("signature_refused", command=command_type.__name__)
        return Refused(
            case_id=command.case_id,
            version=refusal.version,
            guard=refusal.guard.name,
            satisfied_by=refusal.guard.satisfied_by,
            changed_since=refusal.changed_since,
        )
    except Exception as error:  # A bug in Passage must not leave the operator without an answer.
        return Unavailable(reason=why_not_now(error))
    return done if isinstance(done, Recorded) else _answer_of(done)


def _answer_of(outcome: Outcome) -> AnyAnswer:
    if outcome.result == "ignored":
        return Ignored(case_id=outcome.case_id, version=outcome.version, sequence=outcome.sequence)
    return Recorded(**asdict(outcome))


def why_not_now(error: Exception) -> str:
    match error:
        case ContendedError():
            return "the case keeps changing; send the same command again"
        case ChainBrokenError():
            return "the case's log is damaged; run `passage verify`"
        case KeysUnavailableError():
            return f"{error}; then send the same command again"
        case UnansweredError():
            return f"{error}; send the same command again"
        case LogError() | TimeoutError():
            logger.warning("log_unavailable", error=type(error).__name__)
            return "the log does not answer; send the same command again"
        case _:
            pass
    logger.error("fault", error=type(error).__name__, place=place_of(error))
    return FAULT
