"""The fields of events and commands in words: name, type, class of data keys, and meaning."""

from __future__ import annotations

import ast
import inspect
import json
import types
from collections.abc import Iterator
from textwrap import dedent
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.commands import base, case_numbers, intake
from shared.events import calls, fields
from shared.events.fields import personal_fields

WINDOW = '{"from_time": "18:00", "to_time": "20:30", "zone": "Europe/Kyiv"}'
NAMED: tuple[tuple[Any, str, str], ...] = (
    (fields.At, "moment (UTC)", "2030-01-01T10:00:00Z"),
    (case_numbers.CaseNumber, "case number", "7KQ2M9XW4TRD"),
    (fields.Id, "id", "3f9a61"),
    (base.CommandId, "id, chosen by who asks", ""),
    (fields.Digest, "SHA-256 in hex", "0" * 64),
    (fields.KeyedHash, "keyed hash", ""),
    (fields.DayTime, "time of day, HH:MM in UTC", ""),
    (fields.Language, "language tag (BCP 47)", "ru"),
    (fields.Word, "short phrase", "as agreed"),
    (fields.Person, "operator's name", "taras"),
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


class Field(NamedTuple):
    name: str
    words: str
    sealed: str
    """The class of data keys it is sealed under; empty if it isn't sealed."""
    meaning: str


def unwrapped(annotation: Any) -> Any:
    """The annotation without the None of an optional field."""
    if get_origin(annotation) in {Union, types.UnionType}:
        (held,) = [one for one in get_args(annotation) if one is not types.NoneType]
        return held
    return annotation


def described(model: type[BaseModel], left_out: frozenset[str] = frozenset()) -> list[Field]:
    hints = get_type_hints(model, include_extras=True)
    sealed, said = personal_fields(model), _said(model)
    return [
        Field(name, words_with_default(hints[name], info), sealed.get(name, ""), said.get(name, ""))
        for name, info in model.model_fields.items()
        if name not in left_out
    ]


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
    """A field's type, and its default."""
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


def _said(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings below fields, of the class and of its bases."""
    said: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not issubclass(one, BaseModel) or one is BaseModel:
            continue
        (body,) = ast.parse(dedent(inspect.getsource(one))).body
        if not isinstance(body, ast.ClassDef):
            continue
        for before, after in zip(body.body, body.body[1:], strict=False):
            match before, after:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    said[name] = " ".join(text.split()).rstrip(".")
                case _:
                    pass
    return said
