"""The fields of a command as typed for `passage do`: what each may hold, and which is mistyped."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple, get_type_hints

from pydantic import BaseModel, ValidationError

from passage.cli.field_words import example_of, unwrapped, words_with_default
from shared.commands.base import Command, Decision
from shared.commands.catalogue import COMMANDS

OPTIONS = frozenset({"command_id", "case_id", "by", "seen_version"})
"""Fields for which `passage do` has options."""
EXAMPLES_OF = {
    "deadline_at": "2030-01-02T10:00:00Z",
    "expires_at": "2030-01-02T10:00:00Z",
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
