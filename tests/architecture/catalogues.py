"""docs/events.md and docs/commands.md: when each event is recorded, what each command takes."""

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from textwrap import dedent
from typing import get_args, get_type_hints

from pydantic import BaseModel

import services
from passage.cli.command_fields import words_with_default
from shared import subjects
from shared.commands.base import Command, Decision
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.events.base import Event
from shared.events.calls import UpstreamEvent
from shared.events.catalogue import OWNER
from shared.events.fields import personal_fields
from shared.subjects import Durable


def table(model: type[BaseModel], left_out: frozenset[str] = frozenset()) -> list[str]:
    """The lines of a table of a model's fields; none where it has none."""
    hints = get_type_hints(model, include_extras=True)
    sealed, said = personal_fields(model), _said(model)
    lines = []
    for name, info in model.model_fields.items():
        if name not in left_out:
            words = filter(None, (words_with_default(hints[name], info), said.get(name)))
            lines.append([f"`{name}`", "; ".join(words), sealed.get(name, "")])
    if not lines:
        return []
    head = ["field", "what it holds", *(["sealed"] if any(one[-1] for one in lines) else [])]
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(map(_cell, line[: len(head)]))} |" for line in lines),
        "",
    ]


def paragraphs(of: object) -> str:
    """A docstring with each paragraph on one line."""
    text = inspect.getdoc(of) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


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


EVENTS = """# Events

Written by `make docs` from `shared/events`; change it there.

Every event stands in a case's log under `cases.<case>.<version>.<Event>`, in the envelope of
CloudEvents; query and the witness follow the whole log, so they aren't named below. *Sealed* names
the class of data keys under which a field's value is kept; every other value is open. A field
called optional may be missing. What can be asked for is in [commands.md](commands.md), what may
refuse it in [guards.md](guards.md), and what events change in [states.md](states.md).
"""


def written_events(_: str = "") -> str:
    return "\n".join(_event_lines())


def consumers(stream: str, subject: str) -> list[str]:
    """The services with a durable consumer that gets a subject of a stream."""
    return [
        name
        for name in service_names()
        for durable in _consumes(name)
        if durable.stream == stream
        and any(_takes(pattern, subject) for pattern in durable.filter_subjects)
    ]


def service_names() -> list[str]:
    return sorted(one.name for one in iter_modules(services.__path__) if one.ispkg)


def modules_of(service: str) -> list[str]:
    """The names of a service's own modules, not those that start it."""
    package = import_module(f"services.{service}")
    names = sorted(path.stem for path in Path(package.__path__[0]).glob("*.py"))
    return [f"services.{service}.{name}" for name in names if not name.startswith("__")]


def _consumes(service: str) -> tuple[Durable, ...]:
    found: tuple[Durable, ...] = import_module(f"services.{service}").CONSUMES
    return found


def _takes(pattern: str, subject: str) -> bool:
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, given = wanted[:-1], given[: len(wanted) - 1]
    pairs = zip(wanted, given, strict=False)
    return len(wanted) == len(given) and all(one in {"*", other} for one, other in pairs)


def _event_lines() -> Iterator[str]:
    yield EVENTS
    yield "## From the channels, on CALLS_*\n"
    for event in get_args(UpstreamEvent):
        taken_by = consumers(subjects.calls_stream("phone"), subjects.calls("phone"))
        yield from _event(event, taken_by, subjects.calls("<channel>"))
    for owner in dict.fromkeys(OWNER.values()):
        yield f"## {owner}\n"
        for event in (one for one, its_owner in OWNER.items() if its_owner == owner):
            name = event.__name__
            subject = f"cases.<case>.<version>.{name}"
            yield from _event(event, consumers(subjects.CASES, subject), subject)


def _event(event: type[Event], taken_by: list[str], subject: str) -> Iterator[str]:
    yield f"### {event.__name__}\n"
    yield f"{paragraphs(event)}\n"
    acted_on = f"; consumed by {', '.join(taken_by)}" if taken_by else ""
    yield f"Version {event.VERSION}, `{subject}`{acted_on}.\n"
    yield from table(event)


COMMANDS_BEGIN = """# Commands

Written by `make docs` from `shared/commands`; change it there.

A command is asked with `POST /api/commands/<Command>`, with `passage do <Command>`, or as a request
to `commands.<service>.<Command>`. A *fact* is recorded whatever became of the case meanwhile; a
*decision* names the version of the case that the person saw, and is refused where the case has
moved on; it is made now, so a `happened_at` more than five minutes ago is refused (`decided_now`).
[guards.md](guards.md) says what else may refuse it.

## What all have

"""
COMMON = frozenset(Command.model_fields)
OF_A_DECISION = COMMON | frozenset(Decision.model_fields)


def written_commands(_: str = "") -> str:
    return "\n".join(_command_lines())


def _command_lines() -> Iterator[str]:
    yield COMMANDS_BEGIN.rstrip() + "\n"
    yield from table(Command)
    yield "A decision also has:\n"
    yield from table(Decision, COMMON)
    by_service: dict[str, dict[str, type[Command]]] = defaultdict(dict)
    for name, command in COMMANDS.items():
        by_service[ANSWERED_BY[command]][name] = command
    for service, commands in sorted(by_service.items()):
        yield f"## {service}\n"
        for name, command in commands.items():
            kind = "Decision" if issubclass(command, Decision) else "Fact"
            yield f"### {name}\n"
            yield f"{paragraphs(command)}\n"
            yield f"{kind}, `{subjects.command(service, name)}`.\n"
            yield from table(command, OF_A_DECISION)
