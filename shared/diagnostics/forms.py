"""The forms of values in diagnostics; anything else is not printed.

An id chosen outside (a call id, a command id) may spell a name or a number, so only ids made here
pass. So may any text: a word passes only if it is one of a closed set.
"""

import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from shared.commands.catalogue import COMMANDS
from shared.events.base import CallEnvelope, CaseEvent
from shared.events.calls import CallReceived
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import Channel, Identity, Place
from shared.policy import policy
from shared.settings import Settings
from shared.subjects import calls_stream

NUMBER_MAX = 2**53
LIST_MAX = 20
PLACES_MAX = 6

CASE_ID = re.compile(r"(?=.*[A-Z])[0-9A-HJKMNP-TV-Z]{12}")
"""Crockford's base32 with a letter: twelve digits alone would be somebody's telephone number."""
MADE_ID = re.compile(r"[0-9a-f]{32}")
"""A random UUID in hex, as Passage makes them; callers and commands choose other ids."""
PLACE = re.compile(
    r"(?:<frozen [a-z_.]{1,40}>|[A-Za-z0-9_.<>-]{1,80}):[0-9]{1,6} [A-Za-z0-9_<>.]{1,80}"
)
LOGGER = re.compile(r"[A-Za-z0-9_.]{1,80}")
LOGGERS = frozenset({"root", "py.warnings"})
RELEASE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}([a-z]{1,4}[0-9]{1,4})?){0,3}")

SERVICES = (
    "intake",
    "verification",
    "desk",
    "handover",
    "query",
    "keyholder",
    "witness",
    "keeper",
)
KEY_FILE_NAME = re.compile(
    r"((kek|pepper)-[0-9]{1,5}|intake|witness|backup|ca)\.(key|pub)"
    r"|(ca|routes|server|query|postgres)\.(key|pem)|database\.password|holder"
    rf"|(channel-)?({'|'.join(get_args(Channel))})\.(key|pub|nk)"
    rf"|({'|'.join(SERVICES)})\.(nk|pub)|folder"
)
STREAMS = (
    "CASES",
    *map(calls_stream, policy().channels.names),
    "PARKED",
    "AUDIT",
    "TIMERS_intake",
    "TIMERS_verification",
    "TIMERS_handover",
    "TIMERS_desk",
    "TIMERS_keyholder",
)


@dataclass(frozen=True)
class Form:
    """`shown` names it in docs/operating.md; `read` returns what to print, or None to drop it."""

    shown: str
    read: Callable[[Any], object | None]


def _matching(shown: str, pattern: re.Pattern[str]) -> Form:
    def read(value: Any) -> object | None:
        fits = isinstance(value, str) and pattern.fullmatch(value) is not None
        return str(value) if fits else None

    return Form(shown, read)


def words(*allowed: str) -> Form:
    known = frozenset(allowed)
    return Form(
        ", ".join(f"`{word}`" for word in allowed),
        lambda value: str(value) if isinstance(value, str) and value in known else None,
    )


def _each(value: Any, one: Form, at_most: int) -> list[object] | None:
    if not isinstance(value, list | tuple) or len(value) > at_most:
        return None
    read = [one.read(part) for part in value]
    return None if None in read else list(read)


def _number(value: Any) -> object | None:
    if type(value) is int:
        return value if abs(value) <= NUMBER_MAX else None
    return value if type(value) is float and math.isfinite(value) else None


def _error(value: Any) -> object | None:
    """The name of an exception's type; a text is accepted if a type of that name is loaded."""
    if isinstance(value, BaseException):
        value = type(value)
    if isinstance(value, type):
        return value.__name__ if issubclass(value, BaseException) else None
    return value if isinstance(value, str) and _is_loaded(value) else None


_known_errors: set[str] = set()


def _is_loaded(name: str) -> bool:
    waiting = [] if name in _known_errors else [BaseException]
    while waiting:
        one = waiting.pop()
        _known_errors.add(one.__name__)
        waiting += one.__subclasses__()
    return name in _known_errors


_MODELS: tuple[type[BaseModel], ...] = (
    *(*COMMANDS.values(), *CASE_EVENTS.values()),
    *(CaseEvent, CallEnvelope, CallReceived, Identity, Place),
)
FIELDS = frozenset({"(unknown field)", "(body)", "(command)"}).union(
    *(model.model_fields for model in _MODELS)
)


def _field(value: Any) -> object | None:
    """A dotted path of fields of our own messages, and positions in their lists."""
    if not isinstance(value, str):
        return None
    parts = value.split(".")
    known = all(part in FIELDS or (part.isascii() and part.isdigit()) for part in parts)
    return value if known and not parts[0].isdigit() else None


def _logger(value: Any) -> object | None:
    if not isinstance(value, str) or LOGGER.fullmatch(value) is None:
        return None
    return value if value in LOGGERS or value.partition(".")[0] in sys.modules else None


CASE = _matching("a case number", CASE_ID)
ID = _matching("an id that Passage made: a UUID in hex", MADE_ID)
COUNT = Form("a number", _number)
ERROR = Form("the name of an exception's type", _error)
PLACES = Form(
    "lines of code, `file.py:12 function`",
    lambda value: _each(value, _matching("", PLACE), PLACES_MAX),
)
FIELD = Form("the path of a field, never its value", _field)
SERVICE = words(*SERVICES)
STREAM = words(*STREAMS)
CHANNEL = words(*get_args(Channel))
COMMAND = Form("a command of the catalogue", words(*COMMANDS).read)
SETTING = Form("the name of a setting", words(*Settings.model_fields).read)
SETTINGS = Form("names of settings", lambda value: _each(value, SETTING, LIST_MAX))
LOGGER_NAME = Form("the name of a library's logger", _logger)
KEY_FILE = _matching("a key file, or `folder`", KEY_FILE_NAME)
VERSION_TEXT = _matching("a release, `0.1.0`", RELEASE)
