"""The sources: budgets, names, models that hide their input, plain tests that start nothing."""

import ast
import pkgutil
import re
import socket
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import passage
import services
import shared
from passage.runner.nats_server import NatsServer
from services.query.feed.metrics import Metrics
from tests.architecture.sources import ROOT, all_files, name_of, python_files

FILE_MAX_LINES = 300
FUNCTION_MAX_LINES = 50
OPENING_MAX_LINES = 6
FORBIDDEN_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "common",
    "misc",
    "data",
    "info",
}
FORBIDDEN_IN_CLASS_NAMES = re.compile(r"(Manager|Helper|Util|Impl|Info)s?$")
FORBIDDEN_FUNCTION_PREFIXES = ("handle_", "process_")
REGISTRY_NAMES = (
    "pypi",
    "python.?hosted",
    "npmjs",
    "registry",
    "artifact",
    "nexus",
    "mirror",
    "index-url",
)
REGISTRY_ADDRESS = re.compile(r"https?:/{2}[^\s\"'`)]*(" + "|".join(REGISTRY_NAMES) + ")")
MACHINE_PATH = re.compile(r"(?<![\w.])/(root|home/\w+|Users/\w+|work/main|work/shared)/")

FILES = python_files()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(parsed(path)) if isinstance(node, kinds)]


def named_here(path: Path) -> list[str]:
    """The functions whose names are ours to choose, not those of a library's class."""
    return [
        one.name.lstrip("_")
        for one in functions(path)
        if not any(isinstance(d, ast.Name) and d.id == "override" for d in one.decorator_list)
    ]


def test_a_file_is_shorter_than_three_hundred_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert [name_of(path) for path in FILES if lengths[path] >= FILE_MAX_LINES] == []


def test_a_file_opens_with_what_is_in_it() -> None:
    openings = {path: ast.get_docstring(parsed(path)) or "" for path in FILES}
    paragraphs = {path: text.partition("\n\n")[0].splitlines() for path, text in openings.items()}
    wrong = [path for path, one in paragraphs.items() if not 0 < len(one) <= OPENING_MAX_LINES]
    assert [name_of(path) for path in wrong] == []


def test_functions_are_shorter_than_fifty_lines() -> None:
    too_long = [
        f"{name_of(path)}: {one.name}"
        for path in FILES
        for one in functions(path)
        if one.end_lineno is not None and one.end_lineno - one.lineno + 1 >= FUNCTION_MAX_LINES
    ]
    assert too_long == []


def test_names_say_what_a_thing_is() -> None:
    for path in FILES:
        classes = [node.name for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
        wrong = [name for name in classes if FORBIDDEN_IN_CLASS_NAMES.search(name)]
        wrong += [one for one in named_here(path) if one.startswith(FORBIDDEN_FUNCTION_PREFIXES)]
        wrong += [path.stem] if path.stem in FORBIDDEN_NAMES else []
        assert (name_of(path), wrong) == (name_of(path), [])


@pytest.mark.process  # It asks git.
def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in all_files():
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [
            f"{name_of(path)}: {match.group(0)}"
            for pattern in (REGISTRY_ADDRESS, MACHINE_PATH)
            for match in pattern.finditer(text)
        ]
    assert found == []


def test_no_unfinished_work_is_committed() -> None:
    mark = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b")
    assert [name_of(p) for p in FILES if mark.search(p.read_text(encoding="utf-8"))] == []


def test_requirements_are_pinned_with_hashes_and_no_index() -> None:
    for name in ("run.txt", "dev.txt"):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert pinned
        assert [line for line in pinned if "==" not in line or not line.endswith("\\")] == []
        assert not any("index-url" in line or "://" in line for line in lines)


LABELS = {"method", "route", "status", "type", "le", "version"}
"""Route templates, event types, HTTP's own words, and the release; never an id."""
CANARY = "Kanarienvogel"


def models() -> Iterator[type[BaseModel]]:
    """Every model that shared, services and the command line define."""
    for package in (shared, services, passage):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.partition(".")[0] in {"shared", "services", "passage"}:
            yield one


MODELS = sorted(set(models()), key=lambda model: (model.__module__, model.__qualname__))


@pytest.mark.parametrize("model", MODELS, ids=[f"{m.__module__}.{m.__qualname__}" for m in MODELS])
def test_a_model_hides_its_input_in_errors(model: type[BaseModel]) -> None:
    assert model.model_config.get("hide_input_in_errors") is True
    for value in (CANARY, [CANARY], (CANARY, {"x": CANARY}), object()):
        given: dict[str, Any] = dict.fromkeys(model.model_fields, value)
        try:
            model.model_validate(given)
        except ValidationError as error:
            assert CANARY not in str(error)
            assert CANARY not in repr(error)


def test_metrics_have_closed_labels() -> None:
    metrics = Metrics("test")
    metrics.requests.labels("GET", "/x", "200").inc()
    metrics.request_seconds.labels("GET", "/x").observe(1)
    metrics.events.labels("CaseOpened").inc()
    found = {
        label
        for family in metrics.registry.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert found == LABELS


def test_a_plain_test_starts_no_server(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="mark it `process` or `wire`"):
        NatsServer(tmp_path).launch()


def test_a_plain_test_reaches_no_other_machine() -> None:
    with socket.socket() as other, pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        other.connect(("192.0.2.1", 4222))
