"""Opens who the men of some cases said they are, and the addresses they called from.

Erased values aren't requested. A prisoner's statement is kept apart: nobody is found by it.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from services.query.reads.candidate_reads import Said
from services.query.reads.name_index import Place, stated_by
from services.query.reads.name_search import identity_in
from services.query.reads.opening import opened
from shared.events.fields import Channel
from shared.events.intake import CallLinked, CaseOpened, PersonalDataProvided
from shared.keys.client import Keys
from shared.keys.messages import SealedValue
from shared.matching import Stated

STATEMENTS_MAX = 3
"""How many of the last statements of identity are compared."""
ADDRESSES_MAX = 5
"""How many of a case's callers are used to look for others."""


class SealedStatement(NamedTuple):
    place: Place
    identity: SealedValue
    unit: SealedValue | None


class Statement(NamedTuple):
    place: Place
    stated: Stated
    values: tuple[SealedValue, ...]


def statements_of(
    keys: Keys,
    said: Mapping[str, Said],
    places: Collection[Place],
    by: str,
    purpose: str,
) -> dict[str, list[Statement]]:
    """Each case's last statements, and those at `places`, as far as they open."""
    statements = {case_id: _sealed_statements(one, places) for case_id, one in said.items()}
    values = [value for some in statements.values() for one in some for value in one[1:] if value]
    answers = opened(keys, values, by, purpose, "compared")
    texts = {one: answer.text for one, answer in zip(values, answers, strict=True)}
    return {
        case_id: [statement for one in some if (statement := _opened(one, texts)) is not None]
        for case_id, some in statements.items()
    }


def addresses_of(keys: Keys, said: Said, by: str, purpose: str) -> list[tuple[Channel, str]]:
    """The last addresses that the man of a case called from, as far as they open."""
    callers = _callers(said)
    answers = opened(keys, [address for _, address in callers], by, purpose, "compared")
    return [
        (channel, answer.text)
        for (channel, _), answer in zip(callers, answers, strict=True)
        if answer.text is not None
    ]


def _sealed_statements(said: Said, places: Collection[Place]) -> list[SealedStatement]:
    statements = []
    erased_at = said.erased.get("identity", 0)
    for event in said.events:
        data = event.data
        if not isinstance(data, PersonalDataProvided) or data.provenance == "after_capture":
            continue
        if event.caseversion > erased_at:
            unit = SealedValue.of(event, "unit") if data.unit is not None else None
            place = (event.subject, event.caseversion)
            statements.append(SealedStatement(place, SealedValue.of(event, "identity"), unit))
    last = statements[-STATEMENTS_MAX:]
    return [one for one in statements if one in last or one.place in places]


def _callers(said: Said) -> list[tuple[Channel, SealedValue]]:
    """The last callers, each once, with their sealed addresses."""
    callers: dict[str | None, tuple[Channel, SealedValue]] = {}
    erased_at = said.erased.get("identity", 0)
    for event in said.events:
        data = event.data
        if not isinstance(data, CaseOpened | CallLinked) or data.caller_address is None:
            continue
        if event.caseversion > erased_at:
            address = SealedValue.of(event, "caller_address")
            callers.pop(data.caller_key, None)
            callers[data.caller_key] = (data.channel, address)
    return list(callers.values())[-ADDRESSES_MAX:]


def _opened(sealed: SealedStatement, texts: Mapping[SealedValue, str | None]) -> Statement | None:
    identity = identity_in(texts[sealed.identity])
    if identity is None:
        return None
    unit = texts[sealed.unit] if sealed.unit is not None else None
    values = tuple(value for value in sealed[1:] if value is not None)
    return Statement(sealed.place, stated_by(identity, unit), values)
