"""Canary persons, whose values nothing else can hold by chance, and faults that hold them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from eventsourcing.persistence import IntegrityError, OperationalError
from nats.errors import Error as NatsError
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

SEED = 4711
CYRILLIC = "ва зо ри ку ме ло ни пе са ту фи ха це шо гу"
LATIN = "va zo ri ku me lo ni pe sa tu fi kha tse sho gu"


@dataclass(frozen=True)
class Canary:
    surname: str
    first_names: str
    phone: str
    service_number: str
    place: str

    def values(self) -> Iterator[str]:
        """Each value as it would be written, and the telephone number in bare digits."""
        yield from (self.surname, self.first_names, self.service_number, self.place)
        yield self.phone.lstrip("+@")


def canaries(count: int, seed: int = SEED) -> list[Canary]:
    """Half of them in Cyrillic and half in Latin letters."""
    chance = random.Random(seed)  # noqa: S311 - invented people, not secrets
    numbers = chance.sample(range(10**8, 10**9), count)
    return [_canary(chance, number, cyrillic=i % 2 == 0) for i, number in enumerate(numbers)]


def _canary(chance: random.Random, number: int, *, cyrillic: bool) -> Canary:
    syllables = (CYRILLIC if cyrillic else LATIN).split()

    def word(length: int) -> str:
        return "".join(chance.choice(syllables) for _ in range(length)).capitalize()

    end, village, letters = ("енко", "Хутор", "ЖЯ") if cyrillic else ("enko", "Farm", "QX")
    return Canary(
        surname=word(6) + end,
        first_names=f"{word(5)} {word(4)}",
        phone=f"+38{chance.randrange(10)}{number}",
        service_number=f"{letters}-{number}",
        place=f"{village} {word(7)}, {word(4)} {number % 997}",
    )


Fault = Callable[[str], BaseException]


class _Echoing(BaseModel):
    """A model that doesn't hide its input, as a library's may be."""

    number: int


def _validation(text: str) -> ValidationError:
    try:
        _Echoing.model_validate({"number": text, text: text})
    except ValidationError as error:
        return error
    raise AssertionError


def _noted(text: str) -> RuntimeError:
    error = RuntimeError(text)
    error.add_note(text)
    error.__cause__ = KeyError(text)
    error.__context__ = ValueError(text)
    return error


FAULTS: dict[str, Fault] = {
    "runtime": RuntimeError,
    "key": KeyError,
    "system": lambda text: OSError(2, text, text),
    "decoding": lambda text: UnicodeDecodeError("utf-8", text.encode(), 0, 1, text),
    "validation": _validation,
    "database": lambda text: DBAPIError(text, {"surname": text}, Exception(text)),
    "log": OperationalError,
    "conflict": IntegrityError,
    "messaging": NatsError,
    "timeout": TimeoutError,
    "web": lambda text: HTTPException(400, text, {"x-name": "x"}),
    "group": lambda text: ExceptionGroup(text, [RuntimeError(text)]),
    "noted": _noted,
}
"""Each makes an exception out of a text."""


def text_of(canary: Canary) -> str:
    return " / ".join((*canary.values(), canary.phone))


def raising(canary: Canary) -> Callable[..., Any]:
    """A function that raises the faults in turn, whatever it is called with."""
    turns = cycle(FAULTS.values())

    def fail(*_: object, **__: object) -> Any:
        surname = text_of(canary)  # It stands in the frame too, where a traceback shows locals.
        raise next(turns)(surname)

    return fail


OF_NO_PERSON = {
    "^[0-9a-f]{64}$": "0" * 64,
    "^[A-Za-z0-9_-]{43}$": "x" * 43,
    "^[A-Z2-7]{32}$": "A" * 32,
    "^[0-9]{6}$": "123456",
    "^[a-z][a-z_]{1,39}$": "wrong_origin",
    "^[a-z][a-z0-9_]{1,38}$": "olena",
    "^[A-Za-z0-9_-]{22,64}$": "x" * 22,
    "^\\{[\\x20-\\x7e]*\\}$": "{}",
    "^[A-Z]{2}$": "UA",
    "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$": "uk",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "12:30",
    "^[0-9a-f]{32}$": "0" * 32,
    "^[0-9]{1,15}$": "1",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "2026-03-14",
    "^SHIFT-[A-Za-z0-9_-]{1,50}$": "SHIFT-1",
    "^EXPORT-[A-Za-z0-9_-]{1,50}$": "EXPORT-1",
    "^DECISION-[A-Za-z0-9_-]{1,50}$": "DECISION-1",
    "^PERSON-[a-z][a-z0-9_]{1,38}$": "PERSON-olena",
}
"""What fits the forms of ids, digests, tokens, codes, times and the like."""

NAMED = {"date_of_birth": "1990-05-17", "zone": "Europe/Kyiv"}
"""What only its name tells."""


def filled(schema: dict[str, Any], canary: Canary, shared: dict[str, Any]) -> Any:
    """What fits a JSON schema, with the person's values wherever a text goes."""
    return _filled(schema, shared, cycle(canary.values()))


def _filled(part: dict[str, Any], shared: dict[str, Any], values: Iterator[str]) -> Any:
    if "$ref" in part:
        return _filled(shared[part["$ref"].rpartition("/")[2]], shared, values)
    if "anyOf" in part:
        return _filled(part["anyOf"][0], shared, values)
    if "enum" in part or "const" in part:
        return part.get("const", part.get("enum", [None])[0])
    match part.get("type"):
        case "object":
            fields = part.get("properties", {})
            return {
                name: NAMED.get(name) or _filled(one, shared, values)
                for name, one in fields.items()
            }
        case "array":
            return [_filled(part.get("items", {}), shared, values)]
        case "integer" | "number" | "boolean":
            return max(int(part.get("minimum", 1)), 1) if part["type"] != "boolean" else True
        case _:
            return _text(part, values)


def _text(part: dict[str, Any], values: Iterator[str]) -> str:
    if "format" in part:
        return "2026-03-14" if part["format"] == "date" else "2026-03-14T12:00:00Z"
    if part.get("pattern") in OF_NO_PERSON:
        return OF_NO_PERSON[part["pattern"]]
    value = next(values)
    if "pattern" in part:  # An id: what fits one of a name or number, as somebody might type it.
        kept = "".join(one for one in value if one.isascii() and (one.isalnum() or one in "_-"))
        return kept or _text(part, values)
    return value[: part.get("maxLength", len(value))]


def nonsense(names: list[str], canary: Canary) -> Iterator[Any]:
    """Bodies of wrong shapes, with the values as values, keys, in lists and alone."""
    text = text_of(canary)
    yield dict.fromkeys(names, text)
    yield {name: {text: text} for name in names}
    yield {name: [text, canary.surname] for name in names}
    yield {**dict.fromkeys(names, 10**40), text: text}
    yield from (text, [text], None, {}, {canary.surname: canary.phone})


def malformed(canary: Canary) -> Iterator[bytes]:
    """Bodies that are no JSON, or none of ours, with the values in them."""
    text = text_of(canary)
    yield from (text.encode(), f'{{"{text}'.encode(), f'{{"by": "{text}", }}'.encode())
    yield from (text.encode("utf-16"), b"\xff" + text.encode(), f'"{text}"'.encode())
