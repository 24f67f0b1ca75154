"""The field types events are made of: times, ids, short words, free text, and personal values.

A personal value is `Plain` from the decider until `transact` seals it, and `Sealed` ever after;
only sealed ones can be written as JSON.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import core_schema
from typing_extensions import override

from shared.matching.dates import LATEST_BIRTH_YEAR, OLDEST_BIRTH_YEAR, read_date
from shared.written.models import Exact
from shared.written.values import Number
from shared.written.zones import ZoneName

TEXT_MAX_CHARACTERS = 10_000
NAME_MAX_CHARACTERS = 200
WORD_MAX_CHARACTERS = 100
HEAD_COUNT_MAX_PERSONS = 500
PERSON_MAX_CHARACTERS = 80
CONTACT_WINDOWS_MAX = 10
NO_OFFSET = timedelta(0)

HIDDEN_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters. Joiners stay allowed in what a caller writes: emoji need them."""
HIDDEN_IN_LINE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Also the formatting characters that hide or reverse what an operator reads in a name."""

PersonalClass = Literal["identity", "location", "narrative"]


def _in_utc(value: datetime) -> datetime:
    try:
        return value if value.utcoffset() == NO_OFFSET else value.astimezone(UTC)
    except OverflowError:  # The first and last hours of the calendar don't exist in UTC.
        raise ValueError("must lie within the years 1 to 9999 in UTC") from None


def _of_one_line(value: str) -> str:
    if HIDDEN_IN_LINE.search(value):
        raise ValueError("must not contain control or formatting characters")
    return value


def _of_text(value: str) -> str:
    if HIDDEN_IN_TEXT.search(value):
        raise ValueError("must not contain control characters other than line breaks")
    return value


def _birth_date(value: object) -> object:
    """Rejects numbers: 0 isn't 1970."""
    known = read_date(value) if isinstance(value, str) else None
    if known is None:
        raise ValueError(
            "must be a date, YYYY-MM-DD, or as much of it as is known: YYYY-MM or YYYY"
        )
    if not OLDEST_BIRTH_YEAR <= known.year <= LATEST_BIRTH_YEAR:
        raise ValueError(f"must lie within {OLDEST_BIRTH_YEAR} to {LATEST_BIRTH_YEAR}")
    return value


At = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An aware moment, kept in UTC."""


def _sorted_and_unique(classes: tuple[PersonalClass, ...]) -> tuple[PersonalClass, ...]:
    if classes != tuple(sorted(set(classes))):
        raise ValueError("must be sorted, each named once")
    return classes


PersonalClasses = Annotated[
    tuple[PersonalClass, ...], Field(min_length=1), AfterValidator(_sorted_and_unique)
]
"""Some of the classes of personal data, at least one, sorted, each named once."""

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""An id that is safe as a subject token: letters, digits, `_` and `-`, at most 64."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 or HMAC-SHA-256 in lower-case hex."""

KeyedHash = Annotated[str, StringConstraints(pattern=r"^([0-9]{1,3}-)?[0-9a-f]{64}$")]
"""An HMAC-SHA-256 under a pepper: `<pepper version>-<hex>`; the first pepper's has no prefix."""

DayTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day, HH:MM."""

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
"""A language tag of BCP 47: `ru`, `uk`, `en`."""

Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""A country of ISO 3166, alpha-2: `UA`."""

Word = Annotated[
    str,
    StringConstraints(min_length=1, max_length=WORD_MAX_CHARACTERS, strip_whitespace=True),
    AfterValidator(_of_one_line),
]
"""A short printable word or phrase: a team, an operator, a receipt number."""

Person = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PERSON_MAX_CHARACTERS, strip_whitespace=True),
    AfterValidator(_of_one_line),
]
"""An operator, by account; in older events by the name they go by at the hotline."""

Account = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,38}$")]
"""Somebody who logs in, or a machine that does."""

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_MAX_CHARACTERS, strip_whitespace=True),
    AfterValidator(_of_one_line),
]
"""A person's name in any script."""

BirthDate = Annotated[str, BeforeValidator(_birth_date)]
"""A date of birth as far as it is known: `1990-05-17`, `1990-05` or `1990`."""

Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TEXT_MAX_CHARACTERS),
    AfterValidator(_of_text),
]
"""What somebody said or wrote."""

HeadCount = Annotated[int, Field(ge=0, le=HEAD_COUNT_MAX_PERSONS)]
"""How many persons."""


class ContactWindow(Exact):
    """A time of day by the clocks of a zone; over midnight if it ends earlier.

    Without a zone it is UTC: windows had none at first.
    """

    from_time: DayTime
    to_time: DayTime
    zone: ZoneName | None = None


ContactWindows = Annotated[tuple[ContactWindow, ...], Field(max_length=CONTACT_WINDOWS_MAX)]

Channel = Literal["phone", "telegram", "whatsapp", "signal", "web", "walk_in"]


@dataclass(frozen=True, slots=True)
class Plain:
    """A personal value in memory, before it is sealed. Neither `repr` nor JSON shows it."""

    value: str = field(repr=False)

    @override
    def __str__(self) -> str:
        return "Plain(hidden)"

    @classmethod
    def of(cls, model: BaseModel) -> Self:
        """A structured personal value (an `Identity`, a `Place`) as one sealable text."""
        return cls(model.model_dump_json(exclude_none=True))


class Sealed(str):
    """A personal value as it is stored: the envelope of `shared.keys.sealing` in base64url."""

    __slots__ = ()
    PATTERN = re.compile(r"^1\.[A-Za-z0-9_-]{40,}$")


class _PersonalField:
    """Lets pydantic accept `Plain` and `Sealed` for a personal field, and write only `Sealed`."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        text = core_schema.no_info_after_validator_function(
            Sealed, core_schema.str_schema(pattern=Sealed.PATTERN.pattern)
        )
        in_memory = core_schema.union_schema([core_schema.is_instance_schema(Plain), text])
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=in_memory,
            serialization=core_schema.plain_serializer_function_ser_schema(_only_sealed),
        )


def _only_sealed(value: Plain | Sealed) -> str:
    if isinstance(value, Plain):
        raise TypeError("a personal value must be sealed before it is written")
    return str(value)


@dataclass(frozen=True, slots=True)
class SealedUnder:
    """Marks a field of an event as personal, of one class of data keys."""

    personal_class: PersonalClass


PersonalIdentity = Annotated[Plain | Sealed, _PersonalField, SealedUnder("identity")]
"""Who somebody is, or how he is reached."""
PersonalLocation = Annotated[Plain | Sealed, _PersonalField, SealedUnder("location")]
"""Where somebody is or goes."""
PersonalNarrative = Annotated[Plain | Sealed, _PersonalField, SealedUnder("narrative")]
"""What somebody told."""


class _PersonalModel(Exact):
    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    @override
    def __str__(self) -> str:
        return repr(self)


class Identity(_PersonalModel):
    """Who a man says he is; the fields of the Third Geneva Convention, article 17.

    All optional: a number and a date are "equivalent information", and none may gate anything.
    """

    surname: Name | None = None
    first_names: Name | None = None
    patronymic: Name | None = None
    rank: Name | None = None
    date_of_birth: BirthDate | None = None
    service_number: Name | None = None


class Place(_PersonalModel):
    """A place as an operator describes it; coordinates in degrees, WGS 84."""

    description: Text
    latitude: Annotated[Number, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[Number, Field(ge=-180, le=180)] | None = None


def personal_fields(model: type[BaseModel]) -> dict[str, PersonalClass]:
    """The personal fields of an event type: name -> class."""
    found: dict[str, PersonalClass] = {}
    for name, info in model.model_fields.items():
        mark = _mark_of(info.annotation, info.metadata)
        if mark is not None:
            found[name] = mark.personal_class
    return found


def _mark_of(annotation: Any, metadata: list[Any]) -> SealedUnder | None:
    for item in metadata:
        if isinstance(item, SealedUnder):
            return item
    # `Personal | None` keeps the mark inside the union's member.
    for member in getattr(annotation, "__args__", ()):
        mark = _mark_of(member, list(getattr(member, "__metadata__", ())))
        if mark is not None:
            return mark
    return None
