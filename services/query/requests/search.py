"""A search for cases by number, return code, caller, service number or name.

Keyed hashes find codes, callers and service numbers; names are compared in memory.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from services.query.context import Context
from services.query.models.case_row import CaseRow
from services.query.models.lookups import Kind
from services.query.reads.served import Answer
from services.query.requests.body import Body, ForPurpose
from services.query.requests.caller import Caller
from services.query.requests.problems import invalid
from shared.callers.addresses import callers_to_hash
from shared.callers.return_codes import to_hash
from shared.commands.case_numbers import typed_case_number
from shared.commands.purposes import Purpose, Remark
from shared.events.fields import Channel, Region
from shared.keys.client import Searcher
from shared.keys.hash_purposes import SERVICE_NUMBER
from shared.matching.numbers import folded_number

SearchedKind = Literal["caller", "return_code", "service_number"]
Typed = Annotated[str, Field(min_length=1, max_length=80)]
NAME_MAX_CHARACTERS = 200
FOUND_MAX = 100
"""Any account may show any name: thousands that show one would fill query's memory, and hide the
right one."""
Named = Annotated[str, Field(min_length=1, max_length=NAME_MAX_CHARACTERS)]


class WhoCalls(Body):
    channel: Channel
    address: Named
    """However it is written; a search also accepts the name that his account shows."""
    region: Region | None = None
    """Where a number without a country code is dialled."""

    @property
    def to_hash(self) -> list[tuple[str, str]]:
        """Purpose and value of each keyed hash that may identify the caller."""
        return callers_to_hash(self.channel, self.address, self.region)


class Search(Body):
    """One thing to search for. In a body, because it must not be in a URL.

    Except for a case number, a search needs a purpose: who searches and why is recorded before the
    answer, and it counts against that person's budget.
    """

    case_number: Typed | None = None
    return_code: Typed | None = None
    caller: WhoCalls | None = None
    service_number: Named | None = None
    name: Named | None = None
    purpose: Purpose | None = None
    remark: Remark | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        things = (self.case_number, self.return_code, self.caller, self.service_number, self.name)
        if sum(one is not None for one in things) != 1:
            raise ValueError("give one of case_number, return_code, caller, service_number, name")
        return self


class Certain(NamedTuple):
    rows: Sequence[CaseRow]
    more: bool = False


def find(context: Context, caller: Caller, wanted: Search) -> Answer[Certain]:
    """The cases that a search finds for certain, by anything but a name."""
    if wanted.return_code is not None:
        return _by_keys(context, caller, wanted, "return_code", [to_hash(wanted.return_code)])
    if wanted.caller is not None:
        return _by_keys(context, caller, wanted, "caller", wanted.caller.to_hash)
    if wanted.service_number is not None:
        key = (SERVICE_NUMBER, folded_number(wanted.service_number))
        return _by_keys(context, caller, wanted, "service_number", [key])
    number = typed_case_number(wanted.case_number or "")
    found, sequence = context.reads.cases_by_ids([number])
    return Answer(Certain(list(found.values())), sequence)


def _by_keys(
    context: Context,
    caller: Caller,
    wanted: Search,
    asked: SearchedKind,
    values: Sequence[tuple[str, str]],
) -> Answer[Certain]:
    who = Searcher(caller.account, why(wanted), (asked,))
    # A value that folds to nothing must not find others that fold to nothing.
    made = context.keys.search(who, [one for one in values if one[1]])
    # An account is found by the name that it shows, too.
    kinds: list[Kind] = [asked, "shown_name"] if asked == "caller" else [asked]
    keys = [key for some in made for key in some]
    rows, sequence = context.reads.cases_by_key(kinds, keys, FOUND_MAX + 1)
    found = Certain(rows[:FOUND_MAX], len(rows) > FOUND_MAX)
    context.keys.found(who, [row.case_id for row in found.rows])
    return Answer(found, sequence)


def why(wanted: Search) -> str:
    """What the search is for, as it is recorded. Raises ProblemError if that is missing."""
    if wanted.purpose is None:
        rule = "is required except in a search by case_number: it is recorded"
        raise invalid(rule, "purpose")
    return ForPurpose(purpose=wanted.purpose, remark=wanted.remark).why
