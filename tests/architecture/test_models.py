"""No pydantic model of ours tells in an error what it was given; metrics have closed labels."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import passage
import services
import shared
from services.query.feed.metrics import Metrics

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
