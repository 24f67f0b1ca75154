"""The fields of a command as typed for `passage do`: what each may hold, and which is mistyped."""

import difflib
import json
import shlex
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from shared.commands import base, case_numbers, intake, people
from shared.commands.base import Command, Decision
from shared.commands.catalogue import COMMANDS
from shared.events import calls, fields, signatures
from shared.events import people as people_events

OPTIONS = frozenset({"command_id", "case_id", "by", "seen_version", "salt", "signatures"})
"""Fields for which `passage do` has options, or which it makes itself."""
EXAMPLES_OF = {
    "deadline_at": "2030-01-02T10:00:00Z",
    "expires_at": "2030-01-02T10:00:00Z",
    "code": "123456",
    "first_day": "2030-01-01",
    "last_day": "2030-01-31",
    "place.description": "mill",
    "receipt_number": "R-17",
    "reference": "file 17",
    "team": "Heron",
    "to_whom": "the caller",
    "unit": "training unit 0001",
    "window_to": "2030-01-01T12:00:00Z",
}
"""Examples by path; other fields have their type's."""
JSON_LIST = "["
WINDOW = '{"from_time": "18:00", "to_time": "20:30", "zone": "Europe/Kyiv"}'
NAMED: tuple[tuple[Any, str, str], ...] = (
    (fields.At, "moment (UTC)", "2030-01-01T10:00:00Z"),
    (case_numbers.CaseNumber, "case number", "7KQ2M9XW4TRD"),
    (fields.Id, "id", "3f9a61"),
    (base.CommandId, "id, chosen by the sender", ""),
    (fields.Digest, "SHA-256 in hex", "0" * 64),
    (fields.Account, "account", "taras"),
    (signatures.Base64Url, "in base64url", "AAAA"),
    (people.Token, "32 random bytes in base64url", "A" * 43),
    (people.Password, "password", "an invented password"),
    (people.TotpSecret, "160 bits in base32", "A" * 32),
    (people_events.Why, "reason, in small letters and _", "wrong_code"),
    (fields.KeyedHash, "keyed hash", ""),
    (fields.DayTime, "time of day, HH:MM in UTC", ""),
    (fields.Language, "language tag (BCP 47)", "ru"),
    (fields.Word, "short phrase", "as agreed"),
    (fields.Person, "somebody's account", "taras"),
    (fields.Name, "name", "Beispiel"),
    (fields.Text, "text", "calm, alone"),
    (fields.BirthDate, "", "1990-05"),
    (fields.HeadCount, "number of persons", "2"),
    (fields.Identity, "identity", ""),
    (fields.Place, "place", ""),
    (fields.ContactWindow, "window", ""),
    (intake.SaidWindow, "window", WINDOW),
    (fields.PersonalIdentity, "text", ""),
    (fields.PersonalLocation, "text", ""),
    (fields.PersonalNarrative, "text", ""),
    (calls.Boxed, "text, in a box that only the key holder opens", ""),
    (bool, "yes or no", "true"),
    (int, "whole number", "1"),
    (float, "number", "48.5"),
    (str, "text", ""),
)
"""Types with words or an example of their own; empty where their parts say it."""


class Typed(NamedTuple):
    """A field: its dotted path, an example, its type in words, and whether it must be given."""

    path: str
    example: str
    words: str
    required: bool

    @property
    def option(self) -> str:
        """As typed in a shell."""
        name = "--set-json" if self.example.startswith(JSON_LIST) else "--set"
        return f"{name} {shlex.quote(f'{self.path}={self.example}')}"


def typed_fields(command: type[Command]) -> list[Typed]:
    """The fields for `--set` and `--set-json`: required ones, optional ones, then common ones."""
    common = {*Command.model_fields, *Decision.model_fields}
    found = [one for one in _typed(command) if one.path not in OPTIONS]
    return sorted(found, key=lambda one: (one.path in common, not one.required))


def mistyped_fields(command: type[Command], body: dict[str, Any]) -> list[str]:
    """Problems with names in a body that aren't fields of the command, with what may be meant."""
    try:
        command.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        said = [_said(command, one["type"], ".".join(map(str, one["loc"]))) for one in found]
        return [one for one in said if one]
    return []


def named_command(name: str) -> str:
    """The name's case doesn't matter. Raises ValueError, which names the most similar command."""
    known = {one.lower(): one for one in COMMANDS}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), known, n=1)
    meant = f"did you mean {known[near[0]]}?" if near else f"one of {', '.join(COMMANDS)}"
    raise ValueError(f"there is no command {name!r}; {meant}")


def _typed(model: type[BaseModel], prefix: str = "", required: bool = True) -> Iterator[Typed]:
    hints = get_type_hints(model, include_extras=True)
    for name, info in model.model_fields.items():
        path, held = f"{prefix}{name}", unwrapped(hints[name])
        needed = required and info.is_required()
        if isinstance(held, type) and issubclass(held, BaseModel):
            yield from _typed(held, f"{path}.", needed)
        else:
            example = EXAMPLES_OF.get(path) or example_of(held)
            yield Typed(path, example, words_with_default(hints[name], info), needed)


def _said(command: type[Command], error: str, typed: str) -> str:
    known = [one.path for one in _typed(command)]
    if error == "model_type":
        parts = [f"{one}=..." for one in known if one.startswith(f"{typed}.")]
        return f"{typed}: has fields of its own: {', '.join(parts)}" if parts else ""
    if error != "extra_forbidden":
        return ""
    near = difflib.get_close_matches(typed, known, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    name = command.__name__
    return f"{typed}: {name} has no such field; {meant}`passage do {name} --help` lists them"


def unwrapped(annotation: Any) -> Any:
    """The annotation without the None of an optional field."""
    if get_origin(annotation) in {Union, types.UnionType}:
        (held,) = [one for one in get_args(annotation) if one is not types.NoneType]
        return held
    return annotation


def words_of(annotation: Any) -> str:
    if words := _named(annotation)[0]:
        return words
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ", ".join([words_of(args[0]), *_limits(args[1:])])
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in args)
    if origin in {Union, types.UnionType}:
        return " or ".join(words_of(one) for one in args if one is not type(None))
    if origin is tuple:
        return f"list of: {words_of(args[0])}"
    return str(getattr(annotation, "__name__", annotation))


def example_of(annotation: Any) -> str:
    """How a value may be typed; `...` if nothing is known of the type."""
    if example := _named(annotation)[1]:
        return example
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return str(args[0])
    if origin is tuple:
        one = example_of(args[0])
        return f"[{one}]" if one.startswith("{") else json.dumps([one])
    return example_of(args[0]) if origin is Annotated else "..."


def _named(annotation: Any) -> tuple[str, str]:
    found = ((words, example) for known, words, example in NAMED if annotation == known)
    return next(found, ("", ""))


def words_with_default(annotation: Any, info: FieldInfo) -> str:
    words = words_of(annotation)
    if info.is_required():
        return words
    if info.default is None or info.default == ():
        return f"{words}; optional"
    values = info.default if isinstance(info.default, tuple) else (info.default,)
    shown = ", ".join("no" if one is False else f"`{one}`" for one in values)
    return f"{words}; {shown} if not given"


def _limits(metadata: tuple[Any, ...]) -> Iterator[str]:
    for mark in metadata:
        inner = mark.metadata if isinstance(mark, FieldInfo) else [mark]
        for one in inner:
            for name, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most")):
                if getattr(one, name, None) is not None:
                    yield f"{words} {getattr(one, name)}"
            if getattr(one, "max_length", None) is not None:
                yield f"at most {one.max_length} long"
            if getattr(one, "pattern", None) is not None:
                yield f"of the form `{one.pattern}`"
