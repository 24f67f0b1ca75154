"""Whoever knows one of the deciding services knows all four: the same files, names and shapes."""

import ast
import inspect
from dataclasses import is_dataclass
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import pytest

from shared import subjects
from shared.events.base import Event
from shared.events.catalogue import CASE_EVENTS
from shared.log.case_log import Fold
from shared.policy import policy
from shared.settings import Settings
from shared.skeleton.due import Due, settings_of

DECIDING = ("intake", "verification", "handover", "desk")
FILES = {"__init__", "__main__", "main", "handlers", "reactions", "deadlines", "guards", "state"}
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.parametrize("service", DECIDING)


def part(service: str, name: str) -> ModuleType:
    return import_module(f"services.{service}.{name}")


def state_of(service: str) -> type:
    found: type = vars(part(service, "state"))[f"{service.capitalize()}State"]
    return found


def test_it_has_the_files_of_the_skeleton(service: str) -> None:
    assert {path.stem for path in (ROOT / "services" / service).glob("*.py")} >= FILES


def test_its_consumer_of_the_log_follows_from_its_reactions(service: str) -> None:
    package, reactions = import_module(f"services.{service}"), part(service, "reactions")
    wanted = [subjects.case_events(event.__name__) for event in reactions.REACTIONS]
    assert list(package.CASES.filter_subjects) == wanted
    assert {event.__name__ for event in reactions.REACTIONS} <= set(CASE_EVENTS)
    assert {package.CASES, package.DUE} <= set(package.CONSUMES)
    assert package.SERVICE in policy().services


def test_its_deadlines_have_one_shape(service: str) -> None:
    deadlines, state = part(service, "deadlines"), state_of(service)
    spans = settings_of(deadlines.Spans)
    assert is_dataclass(deadlines.Spans)
    assert set(get_type_hints(deadlines.Spans).values()) == {timedelta}
    assert set(spans.values()) <= set(Settings.model_fields)
    assert set(spans) == {one.span for one in deadlines.KINDS.values()} - {None}
    assert get_type_hints(deadlines.due_in) == {
        "state": state,
        "spans": deadlines.Spans,
        "return": dict[str, datetime],
    }
    hints = list(get_type_hints(deadlines.decide_due).values())
    assert hints == [state, Due, list[Event]]


def test_its_main_wires_it_by_the_same_names(service: str) -> None:
    main = part(service, "main")
    assert list(inspect.signature(main.deadlines_of).parameters) == ["context", "timers", "spans"]
    assert callable(main.wire)
    assert callable(main.main)
    Fold(state_of(service)(), part(service, "state").evolve)


def test_its_decisions_stand_beside_its_handlers_and_not_in_them(service: str) -> None:
    for name in ("handlers", "reactions", "main"):
        source = (ROOT / "services" / service / f"{name}.py").read_text(encoding="utf-8")
        defined = [one.name for one in ast.parse(source).body if isinstance(one, ast.FunctionDef)]
        assert not [one for one in defined if one.startswith("decide_")]


def test_its_fold_names_only_the_events_that_change_something(service: str) -> None:
    tree = ast.parse(inspect.getsource(part(service, "state")))
    for case in (one for one in ast.walk(tree) if isinstance(one, ast.match_case)):
        (first, *_) = case.body
        unchanged = isinstance(first, ast.Return) and isinstance(first.value, ast.Name)
        assert not unchanged or isinstance(case.pattern, ast.MatchAs), ast.unparse(case.pattern)
