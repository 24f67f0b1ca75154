"""Which field of an input is wrong, without repeating its value."""

from __future__ import annotations

from pydantic import ValidationError

from passage.exits import Exit, VerbEndedError
from shared.wrong_fields import wrong_fields


def ended_by(error: ValidationError) -> VerbEndedError:
    """The end of a verb whose input didn't fit (exit code 4)."""
    problems = "; ".join(": ".join(one) for one in wrong_fields(error, "input"))
    return VerbEndedError(Exit.INVALID, problems)
