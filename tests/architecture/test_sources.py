"""Budgets and names of the sources: small files and functions, an opening line, telling names."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

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
