"""The exit codes of verbs, and the error that ends a verb early with one of them."""

import errno
from enum import IntEnum

from pydantic import ValidationError

from shared.written.wrong_fields import wrong_fields


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    INVALID = 4
    UNAVAILABLE = 5


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done, and every check passed",
    Exit.FAILED: "failed, or a check found something",
    Exit.USAGE: "wrong usage of the command line",
    Exit.REFUSED: "refused by a guard; the answer says what would satisfy it",
    Exit.INVALID: "invalid input; the answer names the field",
    Exit.UNAVAILABLE: "the system is not running, or could not answer now",
}


class VerbEndedError(Exception):
    """Ends a verb with an exit code and a message, which never holds personal data."""

    def __init__(self, code: Exit, message: str) -> None:
        self.code = code
        super().__init__(message)


def refused_by_the_machine(error: OSError) -> str | None:
    """An error that a person can do something about, in words; else None."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        at = "" if error.filename is None else f" at {error.filename}"
        return f"no space is left on the disk{at}; make room, then try again"
    if error.filename is None:
        return None
    return f"{error.filename}: {error.strerror}; name another place, or repair this one"


def ended_by(error: ValidationError) -> VerbEndedError:
    """Exit code 4."""
    problems = "; ".join(": ".join(one) for one in wrong_fields(error, "input"))
    return VerbEndedError(Exit.INVALID, problems)
