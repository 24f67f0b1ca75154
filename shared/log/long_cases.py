"""Long cases that aren't in memory: folding one takes as long as a hundred calls, so a message
that needs one waits its turn among the long ones of its stream (`shared.bus.lanes`)."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

IN_PASSING_EVENTS_MAX = 100
"""Up to so many events of a case are folded at once for any message."""

ResultT = TypeVar("ResultT")

_is_in_passing: ContextVar[bool] = ContextVar("is_in_passing", default=False)


class LongCaseError(Exception):
    """A long case isn't in memory, and this work may not wait until it is."""

    def __init__(self, case_id: str) -> None:
        self.case_id = case_id
        super().__init__(f"case {case_id} is long and not in memory")


def in_passing(work: Callable[[], ResultT]) -> ResultT:
    """Does work that may not fold a long case. Raises LongCaseError if it would have to."""
    token = _is_in_passing.set(True)
    try:
        return work()
    finally:
        _is_in_passing.reset(token)


def require_not_in_passing(case_id: str) -> None:
    """Raises LongCaseError if the work under way may not fold a long case."""
    if _is_in_passing.get():
        raise LongCaseError(case_id)
