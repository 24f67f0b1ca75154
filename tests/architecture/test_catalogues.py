"""The guard table finds every guard, the policy who records what, and log calls are catalogued."""

import ast
from pathlib import Path

import pytest

from shared.commands.catalogue import COMMANDS
from shared.diagnostics.catalogue import DIAGNOSTICS
from shared.events.catalogue import OWNER
from shared.events.people import DecisionNotCarriedOut
from shared.policy import policy
from tests.architecture.guard_table import defined, guards_of_every_command, rows
from tests.architecture.sources import name_of, python_files


def guards_of(command: str) -> list[str]:
    return [guard.name for row in rows() if command in row.commands for guard in row.guards]


def test_guards_stand_in_the_order_in_which_they_are_asked() -> None:
    found = guards_of("ApproveRendezvous")
    assert found.index("case_known") < found.index("rendezvous_current")
    assert found.index("rendezvous_current") < found.index("another_person")


def test_a_guard_of_a_handler_is_found_through_what_it_calls() -> None:
    assert "identity_claimed" in guards_of("CheckRegistry")


def test_the_write_path_asks_every_command() -> None:
    found = {guard.name for guard in guards_of_every_command()}
    assert {"happened_by_now", "own_command", "seen_version"} <= found


def test_every_guard_that_is_defined_is_asked() -> None:
    asked = {guard for row in rows() for guard in row.guards}
    assert [where for where, guard in defined().items() if guard not in asked] == []


def test_a_guard_has_one_definition_and_the_same_words_in_every_service() -> None:
    names = [guard.name for guard in defined().values()]
    assert [name for name in names if names.count(name) > 1] == []


def test_a_decision_that_was_refused_can_be_recorded_with_any_guards_name() -> None:
    for guard in defined().values():
        assert DecisionNotCarriedOut(why=guard.name).why == guard.name


def test_every_command_in_the_table_is_in_the_catalogue() -> None:
    assert {name for row in rows() for name in row.commands} <= set(COMMANDS)


@pytest.mark.parametrize("service", policy().services)
def test_a_service_may_record_its_own_events_and_no_others(service: str) -> None:
    own = {event.__name__ for event, owner in OWNER.items() if owner == service}
    assert {*policy().services[service].records} == own


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
