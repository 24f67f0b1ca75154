"""How a verb ends when its input is invalid: with the field, never with its value."""

from __future__ import annotations

from pydantic import ValidationError

from passage.exits import Exit, VerbEndedError
from shared.written.wrong_fields import wrong_fields


def ended_by(error: ValidationError) -> VerbEndedError:
    """Exit code 4."""
    problems = "; ".join(": ".join(one) for one in wrong_fields(error, "input"))
    return VerbEndedError(Exit.INVALID, problems)
