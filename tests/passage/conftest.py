"""`passage` as a person runs it, in this process."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from passage.__main__ import main


class Ended(NamedTuple):
    """How a verb ended, and what it said."""

    code: int
    out: str
    err: str


RunPassage = Callable[..., Ended]


@pytest.fixture
def run_passage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunPassage:
    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["passage", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run
