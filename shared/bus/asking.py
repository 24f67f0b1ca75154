"""How a service sends a command to another, as query does for people."""

from pydantic import ValidationError

from shared import subjects
from shared.commands.base import ANSWER, AnyAnswer, Command, Unavailable
from shared.commands.catalogue import ANSWERED_BY
from shared.diagnostics.logger import logger
from shared.jetstream.calls import Outgoing, RequestLostError, RequestRefusedError
from shared.jetstream.connection import Connection

NO_RESPONDER = 503


class UnansweredError(TimeoutError):
    """The service that decides can't now; sending the command again is safe."""


def asked(connection: Connection, command: Command, timeout_s: float) -> AnyAnswer:
    """The answer of the service that decides on the command; Unavailable if there is none."""
    name = type(command).__name__
    service = ANSWERED_BY[type(command)]
    body = command.model_dump_json(exclude_none=True).encode()
    try:
        (reply,) = connection.request(Outgoing(subjects.command(service, name), body), timeout_s)
        if reply.status == NO_RESPONDER:
            return Unavailable(reason=f"{service} is not running")
        return ANSWER.validate_json(reply.body)
    except (RequestLostError, RequestRefusedError):
        return Unavailable(reason=f"{service} does not answer")
    except ValidationError:
        logger.error("answer_unreadable", handler=name, service=service)
        return Unavailable(reason=f"the answer of {service} can't be understood")
