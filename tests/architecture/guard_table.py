"""docs/guards.md: for every decider the guards that it asks, in the order of the code."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, get_args, get_type_hints

from shared.commands.base import Command
from shared.commands.catalogue import ANSWERED_BY
from shared.log import case_log, transact
from shared.refusals import Guard
from shared.skeleton import service, signing
from tests.architecture.catalogues import modules_of, paragraphs, service_names
from tests.architecture.guards_of import functions_in, reading

OPENING = """# What may refuse a command

Written by `make docs` from the deciders in `services/*`; change it there.

Guards stand in the order in which the code names them; the first that doesn't hold is named in the
answer (`refused`, with `guard` and `satisfied_by`). A guard may be asked under a condition: the
decider says which. What has no command is decided on an event, a call or a timer.
"""
DECISION = "decide_"
ON_EVERY_COMMAND = "Every command"


class Row(NamedTuple):
    service: str
    function: FunctionType
    commands: tuple[str, ...]
    guards: tuple[Guard, ...]


def written(_: str = "") -> str:
    return "\n".join(_lines())


def rows() -> list[Row]:
    return [row for name in service_names() for row in _rows_of(name)]


@cache
def guards_of_every_command() -> tuple[Guard, ...]:
    """The guards that the write path asks, whatever the command."""
    found = reading("", [service, signing, transact, case_log])
    found.follow(service.Context.cause_of)  # type: ignore[arg-type]
    found.follow(signing.Signing.signatures_of)  # type: ignore[arg-type]
    found.follow(transact.transact)  # type: ignore[arg-type]
    return tuple(found.guards)


def defined() -> dict[str, Guard]:
    return {
        f"{module.__name__}.{name}": one
        for service_name in service_names()
        for module in _modules(service_name)
        for name, one in vars(module).items()
        if isinstance(one, Guard) and name not in _imported(module)
    }


def _imported(module: ModuleType) -> set[str]:
    source = module.__loader__.get_source(module.__name__) or ""  # type: ignore[union-attr]
    return {name for name in vars(module) if f"\n{name} = Guard(" not in source}


@cache
def _modules(service_name: str) -> list[ModuleType]:
    return [import_module(name) for name in modules_of(service_name)]


def _rows_of(service_name: str) -> Iterator[Row]:
    asked = _asked_with(service_name)
    for module in _modules(service_name):
        for function in functions_in(module):
            name = function.__name__
            if name.startswith(DECISION):
                guards = _guards_of(service_name, function)
                yield Row(service_name, function, tuple(sorted(asked[function])), guards)
            elif _commands_of(function) and not name.startswith("_"):
                of_all = guards_of_every_command()
                own = [one for one in _guards_of(service_name, function) if one not in of_all]
                if own:
                    commands = tuple(sorted(_commands_of(function)))
                    yield Row(service_name, function, commands, tuple(own))


def _guards_of(service_name: str, function: FunctionType) -> tuple[Guard, ...]:
    """The guards of a decider, or those that a handler asks beside its decider's."""
    is_decision = function.__name__.startswith(DECISION)
    found = reading(service_name, _modules(service_name))
    if not is_decision:
        found.stop_at = DECISION
    found.follow(function)
    return tuple(found.guards)


def _asked_with(service_name: str) -> dict[FunctionType, set[str]]:
    """The commands each function is for: its own, of a table, or of its handler."""
    found: dict[FunctionType, set[str]] = defaultdict(set)
    for module in _modules(service_name):
        for command, decision in _tables(module):
            found[decision].add(command.__name__)
        for function in functions_in(module):
            found[function].update(_commands_of(function))
            for decision in _decisions_of_handler(service_name, function):
                found[decision].update(_commands_of(function))
    return found


def _decisions_of_handler(service_name: str, function: FunctionType) -> list[FunctionType]:
    """The deciders that take no command themselves, but that a command's handler names."""
    if function.__name__.startswith(DECISION) or not _commands_of(function):
        return []
    one = reading(service_name, _modules(service_name), stop_at=DECISION)
    one.follow(function)
    decisions = [met for met in one.met if met.__name__.startswith(DECISION)]
    return [met for met in decisions if not _commands_of(met)]


def _tables(module: ModuleType) -> Iterator[tuple[type[Command], FunctionType]]:
    for table in vars(module).values():
        if isinstance(table, dict):
            for command, decision in table.items():
                if _is_command(command) and isinstance(decision, FunctionType):
                    yield command, decision


def _commands_of(function: FunctionType) -> set[str]:
    """The commands that a function takes by the types of its parameters."""
    hints = get_type_hints(function)
    hints.pop("return", None)
    types = [one for hint in hints.values() for one in (get_args(hint) or (hint,))]
    return {one.__name__ for one in types if _is_command(one)}


def _is_command(one: Any) -> bool:
    return isinstance(one, type) and one in ANSWERED_BY


def _lines() -> Iterator[str]:
    yield OPENING
    yield f"## {ON_EVERY_COMMAND}\n"
    yield from _numbered(guards_of_every_command())
    all_rows = rows()
    for service_name in dict.fromkeys(row.service for row in all_rows):
        yield f"## {service_name}\n"
        for row in (one for one in all_rows if one.service == service_name):
            yield f"### {', '.join(row.commands) or row.function.__name__}\n"
            module = row.function.__module__.rpartition(".")[2]
            yield f"`{module}.{row.function.__name__}`: {paragraphs(row.function)}\n"
            yield from _numbered(row.guards)
    yield from _index(all_rows)


def _numbered(guards: tuple[Guard, ...]) -> Iterator[str]:
    if not guards:
        yield "Nothing refuses it.\n"
        return
    for number, guard in enumerate(guards, start=1):
        yield f"{number}. `{guard.name}`: {guard.satisfied_by}"
    yield ""


def _index(all_rows: list[Row]) -> Iterator[str]:
    asked_by: dict[str, list[str]] = {one.name: ["all"] for one in guards_of_every_command()}
    for row in all_rows:
        for guard in row.guards:
            asked_by.setdefault(guard.name, []).extend(row.commands or [row.function.__name__])
    yield "## By guard\n"
    yield "| guard | asked by |"
    yield "|---|---|"
    for name in sorted(asked_by):
        yield f"| `{name}` | {', '.join(dict.fromkeys(asked_by[name]))} |"
    yield ""
