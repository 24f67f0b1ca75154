"""The purposes of keyed hashes; a value's hash for one purpose finds nothing for another.

`shared/policy.toml` says which service may ask for which.
"""

import re
from collections.abc import Iterable
from typing import Annotated, get_args

from pydantic import StringConstraints

from shared.events.fields import Channel

CALL = "call"
"""For an id that isn't a safe token, and for a call's words."""
RETURN_CODE = "return-code"
MADE_CODE = "return-code-of"
"""For the command from which a return code is derived."""
SERVICE_NUMBER = "service-number"
"""For a folded number (`shared.matching.numbers`)."""
CALLERS = "caller-*"
"""In the policy: the callers of every channel."""
_OF_NO_CHANNEL = (CALL, RETURN_CODE, MADE_CODE, SERVICE_NUMBER)


def callers_of(channel: str) -> str:
    return CALLERS.replace("*", channel)


def in_the_policy(purpose: str) -> str:
    return purpose if purpose in _OF_NO_CHANNEL else CALLERS


def _one_of(words: Iterable[str]) -> StringConstraints:
    return StringConstraints(pattern=f"^({'|'.join(map(re.escape, words))})$")


HashPurpose = Annotated[str, _one_of((*_OF_NO_CHANNEL, *map(callers_of, get_args(Channel))))]
PolicyPurpose = Annotated[str, _one_of((*_OF_NO_CHANNEL, CALLERS))]
