"""How a verb ends: the exit codes, and the error by which a verb ends early with one of them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every verb; `passage --help` lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    INVALID = 4
    UNAVAILABLE = 5


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done, nothing found",
    Exit.FAILED: "failed, or a check found something",
    Exit.USAGE: "wrong usage of the command line",
    Exit.REFUSED: "refused by a guard; the answer says what would satisfy it",
    Exit.INVALID: "invalid input; the answer names the field",
    Exit.UNAVAILABLE: "the system is not running, or could not answer now",
}


class VerbEndedError(Exception):
    """Ends a verb with an exit code and one message for the person; never personal data."""

    def __init__(self, code: Exit, message: str) -> None:
        self.code = code
        super().__init__(message)
