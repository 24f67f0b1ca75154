"""Canary persons through the whole flow: nobody is found in what the system leaves on the disk."""

from pathlib import Path

import pytest

from tests.canaries.thousand import run

PERSONS = 12
"""`python -m tests.canaries.thousand` plays a thousand."""

pytestmark = pytest.mark.journey


def test_nobody_is_found_in_what_the_system_leaves(tmp_path: Path) -> None:
    result = run(tmp_path, PERSONS)
    assert result.played == PERSONS
    assert result.running.hits == []
    assert result.ended.hits == []
    assert {hit.person for hit in result.control.hits} == set(range(PERSONS))
    assert result.knowing_keys == {"registry.db"}
    names = {path.name for path in (tmp_path / "site").rglob("*")}
    assert {"query.db", "nats.log", "query.log", "intake.log", "log.jsonl"} <= names
