"""How the pages are made: their templates, and how times and words are written in them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.query.context import Context
from services.query.models.people import DecisionRow
from services.query.models.signatures import SignatureRow
from services.query.reads.boards import Boards
from services.query.reads.served import ReadModelUnavailableError
from services.query.requests.caller import Caller
from shared.commands.purposes import PURPOSES
from shared.events.catalogue import CASE_EVENTS
from shared.people.roles import may, may_by

DECISIONS_SHOWN_MAX = 100
SIGNATURES_SHOWN_MAX = 100

NAVIGATION = (
    ("/", "Queue"),
    ("/parked", "Parked"),
    ("/audit", "Accesses"),
    ("/supervise/people", "People"),
    ("/me", "Me"),
)
"""Pages by path, named in every page's head to whoever may see them."""


def _minute(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment is not None else ""


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).replace("_", " ")


def _closed_words(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
        return
    for one in get_args(annotation):
        yield from _closed_words(one)


CLOSED_WORDS = frozenset(
    word
    for event in CASE_EVENTS.values()
    for field in event.model_fields.values()
    for word in _closed_words(field.annotation)
)
"""The words of events. Anything else is shown as it is: a channel's ids are copied into commands,
and must not read like what Passage says."""


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(name)} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return value if isinstance(value, str) and value not in CLOSED_WORDS else _words(value)


def _sentence(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (_words(name), _value(value))
        for name, value in details.items()
        if value not in (None, [], "")
    ]


PAGES = Environment(
    loader=PackageLoader("services.query", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters.update(minute=_minute, words=_words, sentence=_sentence)


def waiting_decisions(context: Context) -> list[DecisionRow]:
    """Those that wait for a second signature."""
    return Boards(context.generations).decisions(DECISIONS_SHOWN_MAX).found


def signatures_seen(context: Context, account: str) -> int:
    return Boards(context.generations).signatures_seen(account).found


def signed_by(context: Context, account: str) -> list[SignatureRow]:
    """What a person signed, last first."""
    return Boards(context.generations).signed_by(account, SIGNATURES_SHOWN_MAX).found


def render(name: str, context: Context, caller: Caller | None, **values: object) -> str:
    """`caller`: whose session the page is shown in, if in any."""
    return PAGES.get_template(name).render(
        missing=context.not_ready_because() + context.behind(),
        version=context.version,
        purposes=PURPOSES,
        caller=caller,
        navigation=[one for one in NAVIGATION if may_see(caller, f"GET {one[0]}")],
        unseen=_unseen(context, caller),
        may_search=may_see(caller, "POST /search"),
        **values,
    )


def _unseen(context: Context, caller: Caller | None) -> int:
    """How much was signed in their name since they looked; 0 while the read model can't say."""
    if caller is None:
        return 0
    try:
        return Boards(context.generations).unseen(caller.account).found
    except ReadModelUnavailableError:
        return 0


def may_see(caller: Caller | None, view: str) -> bool:
    return caller is not None and may(caller.roles, view) and may_by(caller.kind, view)
