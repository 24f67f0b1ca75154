"""Says which field of an input is wrong, without repeating its value."""

from __future__ import annotations

from pydantic import ValidationError

from passage.exits import Exit, VerbEndedError


def ended_by(error: ValidationError) -> VerbEndedError:
    """Gives the end of a verb whose input didn't fit (exit code 4)."""
    problems = [
        f"{'.'.join(str(part) for part in one['loc']) or 'input'}: {one['msg']}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return VerbEndedError(Exit.INVALID, "; ".join(problems))
