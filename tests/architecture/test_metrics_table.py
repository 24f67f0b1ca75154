"""docs/operating.md says of every metric what it is, at which value to look, and what to do."""

from __future__ import annotations

import re

from services.query.feed.metrics import Metrics
from tests.architecture.sources import ROOT

METRICS = "| metric | what it is | look when | then |\n|---|---|---|---|\n"
SUFFIX = {"counter": "_total", "info": "_info"}


def metric_rows() -> list[list[str]]:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    return [
        line.strip("| ").split(" | ")
        for line in text.partition(METRICS)[2].partition("\n\n")[0].splitlines()
    ]


def measured() -> dict[str, set[str]]:
    """The name of each metric as it is scraped, with its labels."""
    registry = Metrics("test").registry
    labels = {
        family: set(collector._labelnames)  # type: ignore[attr-defined]  # No other way to them.
        for collector, names in registry._collector_to_names.items()
        for family in names
    }
    labels["passage_build_info"] = {"version"}
    found = [f"{one.name}{SUFFIX.get(one.type, '')}" for one in registry.collect()]
    return {name: labels[name] for name in found}


def test_each_metric_has_one_row_with_its_labels() -> None:
    shown = [re.fullmatch(r"`(\w+)(?:\{([\w,]+)\})?`", name) for name, *_ in metric_rows()]
    named = [
        (one.group(1), set(filter(None, (one.group(2) or "").split(",")))) for one in shown if one
    ]
    assert len(named) == len(metric_rows()) == len(dict(named))
    assert dict(named) == measured()


def test_each_row_says_when_to_look_and_what_to_do() -> None:
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in metric_rows())
