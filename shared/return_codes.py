"""Return codes: what a caller is given at stage one to be known again by; ten digits, speakable.

A code is derived from the command that issued it, so that the same command answers the same code.
"""

from __future__ import annotations

from shared.keyfiles import KeyFiles

DIGITS = 10


def code_for(keys: KeyFiles, command_id: str, attempt: int = 0) -> str:
    """Gives the code that one IssueReturnCode command hands out, in speakable groups."""
    number = int(keys.keyed_hash("return-code-of", f"{command_id}|{attempt}"), 16) % 10**DIGITS
    digits = f"{number:0{DIGITS}d}"
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"


def code_hash(keys: KeyFiles, code: str) -> str:
    """Gives the keyed hash by which a code is kept and found; spaces and dashes don't matter."""
    return keys.keyed_hash("return-code", "".join(c for c in code if c.isdigit()))
