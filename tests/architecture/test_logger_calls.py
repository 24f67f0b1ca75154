"""Every call of the logger names a diagnostic of the catalogue and keys that it has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shared.diagnostics.catalogue import DIAGNOSTICS
from tests.architecture.sources import name_of, python_files

METHODS = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "exception", "msg", "log", "bind"}
)
BELOW_DIAGNOSTICS = "shared/jetstream/"
"""It uses the standard library's logging, whose texts are left out."""

FILES = [
    path
    for path in python_files()
    if name_of(path).startswith(("shared/", "services/", "passage/"))
]


def names_of_the_logger(module: ast.Module) -> set[str]:
    """What a module calls `shared.diagnostics.logger.logger`."""
    return {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "shared.diagnostics.logger"
        for alias in node.names
        if alias.name == "logger"
    }


def wrong_calls(source: str, name: str = "x.py") -> list[str]:
    """The calls of a source that the catalogue doesn't have."""
    module = ast.parse(source)
    loggers = names_of_the_logger(module)
    found = []
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=logger), attr=method)) if (
                logger in loggers and method in METHODS
            ):
                problem = _problem(node)
                if problem:
                    found.append(f"{name}:{node.lineno} {problem}")
            case _:
                pass
    return found


def _problem(call: ast.Call) -> str:
    event = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if not isinstance(event, str) or event not in DIAGNOSTICS:
        return f"{event!r} is not in shared.diagnostics.catalogue.DIAGNOSTICS"
    if len(call.args) > 1:
        return "takes keys only"
    keys = {one.arg for one in call.keywords}
    unlisted = {str(key) for key in keys if key not in DIAGNOSTICS[event].keys}
    return f"{event} has no key {', '.join(sorted(unlisted))}" if unlisted else ""


@pytest.mark.parametrize("path", FILES, ids=[name_of(path) for path in FILES])
def test_every_log_call_is_in_the_catalogue(path: Path) -> None:
    assert wrong_calls(path.read_text(encoding="utf-8"), name_of(path)) == []


@pytest.mark.parametrize(
    "call",
    [
        'logger.info("met")',
        'logger.info("caught_up", surname=1)',
        'logger.info("caught_up", **keys)',
        'logger.info(f"caught_up {name}")',
        'logger.info("caught_up", name)',
        "logger.info()",
    ],
)
def test_a_call_that_is_not_in_it_is_found(call: str) -> None:
    assert len(wrong_calls(f"from shared.diagnostics.logger import logger\n{call}")) == 1


def test_nothing_else_logs_or_prints_tracebacks() -> None:
    others = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        own = name_of(path).startswith(
            ("shared/diagnostics/logger.py", "shared/diagnostics/own_process.py", BELOW_DIAGNOSTICS)
        )
        found = [word for word in ("getLogger", "print_exc", "format_exc") if word in text]
        others += [] if own or not found else [f"{name_of(path)}: {', '.join(found)}"]
    assert others == []


def test_every_event_is_logged_somewhere() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    assert [
        name for name in DIAGNOSTICS if f'"{name}"' not in text.replace(f'"{name}": Diagnostic', "")
    ] == []
