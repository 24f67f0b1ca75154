"""Return codes: what a caller is given at stage one to be known again by; ten digits, speakable.

A code is derived from the command that issued it and from who sent it, so that his same command
answers the same code; its duress twin likewise. Both steps are keyed hashes, so there is one of
each under every pepper that is kept. Only intake may ask for the first step's
(`shared/policy.toml`), and no record has what goes into it: the log keeps a digest of the
command's id.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.commands.intake import IssueReturnCode
from shared.keyholder import Keys

DIGITS = 10
HASH_PURPOSE = "return-code"
MAKING_PURPOSE = "return-code-of"


class Codes(NamedTuple):
    """A code, and its twin to give instead when somebody forces him to call."""

    code: str
    duress: str


def codes_for(keys: Keys, command: IssueReturnCode, attempt: int = 0) -> list[Codes]:
    """Gives the codes that one IssueReturnCode command may hand out, those of today first.

    Each in speakable groups. The others are what it handed out under earlier peppers.
    """
    asked = f"{command.command_id}|{command.case_id}|{attempt}|{command.by}"
    of_code, of_twin = keys.hashes([(MAKING_PURPOSE, asked), (MAKING_PURPOSE, f"{asked}|duress")])
    return [Codes(_spoken(one), _spoken(two)) for one, two in zip(of_code, of_twin, strict=True)]


def code_hashes(keys: Keys, code: str) -> tuple[str, ...]:
    """Gives the keyed hashes by which a code is kept and found, that of today first."""
    (hashes,) = keys.hashes([to_hash(code)])
    return hashes


def to_hash(code: str) -> tuple[str, str]:
    """Gives purpose and value of a code's hash; spaces and dashes don't matter."""
    return HASH_PURPOSE, "".join(c for c in code if c.isdigit())


def _spoken(hashed: str) -> str:
    digits = f"{int(hashed.rpartition('-')[2], 16) % 10**DIGITS:0{DIGITS}d}"
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"
