"""Asks the service that will decide for the nonce of one signature."""

from pydantic import ValidationError

from services.query.context import Context
from services.query.nats_connection import NobodyAnswersError
from services.query.requests.problems import ProblemError
from shared import subjects
from shared.commands.base import Nonce


async def nonce_of(context: Context, service: str) -> str:
    """Raises ProblemError 503."""
    try:
        timeout_s = context.settings.command_timeout_s
        reply = await context.nats.request(subjects.nonces(service), b"", timeout_s)
        return Nonce.model_validate_json(reply).nonce
    except (NobodyAnswersError, ValidationError):
        detail = f"{service} can't be asked for what is to be signed; try again."
        raise ProblemError(503, "unavailable", detail, service=service) from None
