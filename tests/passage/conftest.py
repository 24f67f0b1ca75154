"""`passage` as a person runs it, in this process."""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from passage.__main__ import main
from tests.backups import new_identity


class Ended(NamedTuple):
    code: int
    out: str
    err: str


RunPassage = Callable[..., Ended]


@pytest.fixture(scope="session")
def identity() -> Any:
    """The key that opens backups."""
    return new_identity()


@pytest.fixture
def run_passage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunPassage:
    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["passage", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run
