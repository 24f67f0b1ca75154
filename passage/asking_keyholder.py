"""Requests to the key holder that only the keeper may make."""

from typing import TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from pydantic import BaseModel, ValidationError

from passage.exits import Exit, VerbEndedError
from shared import subjects
from shared.keys.client import KEEPER, SEALED
from shared.keys.messages import Denied

AnswerT = TypeVar("AnswerT", bound=BaseModel)
ROTATION_TIMEOUT_S = 600.0


class SealedError(VerbEndedError):
    """The key holder doesn't answer: it is sealed, or not running."""

    def __init__(self, message: str) -> None:
        super().__init__(Exit.UNAVAILABLE, message)


async def asked(
    client: Client,
    operation: str,
    body: bytes,
    answer: type[AnswerT],
    timeout_s: float | None = None,
) -> AnswerT:
    """Waits as long as a rotation may take, unless told otherwise.

    Raises SealedError, and VerbEndedError (1) if the key holder denies it.
    """
    subject = subjects.keyholder(operation, KEEPER)
    try:
        reply = await client.request(subject, body, timeout=timeout_s or ROTATION_TIMEOUT_S)
    except NoRespondersError:
        raise SealedError(SEALED) from None
    except NatsError as error:
        raise SealedError(
            f"the key holder doesn't answer ({type(error).__name__}); it may still carry out the "
            "request, and can be asked again"
        ) from None
    try:
        return answer.model_validate_json(reply.data)
    except ValidationError:
        denied = Denied.model_validate_json(reply.data)
    if denied.denied == "sealed":
        raise SealedError(SEALED)
    raise VerbEndedError(Exit.FAILED, f"{denied.denied}: {denied.expected}")
