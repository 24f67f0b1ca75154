"""Deadlines of cases: what is due, and when, follows from a case's state alone; timers only tell.

A deadline that was dealt with is gone from the state, so timers are idempotent, and all of them can
be rebuilt from the log.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from shared.bus.timers import Timer, Timers, read_timer
from shared.diagnostics.logger import logger
from shared.events.base import Event
from shared.events.parsing import UnreadableEventError
from shared.log.case_log import ChainBrokenError
from shared.log.transact import Outcome, transact
from shared.parked.parking import Delivery, UnprocessableError
from shared.skeleton.due import Due
from shared.skeleton.service import Context

StateT = TypeVar("StateT")

ALL_SET = Timer(kind="all_set", due_at=datetime(2200, 1, 1, tzinfo=UTC))
"""Set after all others, so it tells whether the service's timers are complete."""

LOG_PAGE_EVENTS = 1_000


@dataclass(frozen=True)
class Deadlines(Generic[StateT]):
    context: Context
    timers: Timers
    kinds: Collection[str]
    due_in: Callable[[StateT], Mapping[str, datetime]]
    """When each kind is due in a case; pure. What was dealt with is left out."""
    decide_due: Callable[[StateT, Due], Sequence[Event]]
    """What is recorded of a deadline that stands; pure."""
    logs: tuple[str, ...] = ("",)
    """How the numbers of the logs begin that have deadlines."""

    def keep(self, case_id: str, fired: Due | None = None) -> None:
        """Sets the timers of a case; call it for each event that makes or moves a deadline.

        Threads may overtake one another here, so it checks again until nothing has moved.
        """
        kept: dict[str, datetime] = {} if fired is None else {fired.kind: fired.due_at}
        while True:
            standing = self.due_in(self.context.writer.log.load_current(case_id).state)
            moved = {kind: at for kind, at in standing.items() if kept.get(kind) != at}
            if not moved:
                return
            for kind, due_at in moved.items():
                self.timers.set(Timer(kind=kind, about=case_id, due_at=due_at))
            kept.update(moved)

    def receive(self, delivery: Delivery) -> Outcome:
        """Records what a due timer leads to, if its deadline still stands.

        Raises UnprocessableError.
        """
        due, cause_id = self._read(delivery)

        def decide(state: StateT) -> Sequence[Event]:
            return (
                self.decide_due(state, due)
                if self.due_in(state).get(due.kind) == due.due_at
                else []
            )

        cause = self.context.own_cause(cause_id, cause_id)
        outcome = transact(self.context.writer, due.case_id, cause, decide)
        self.keep(due.case_id, fired=due)
        return outcome

    def set_anew(self) -> None:
        """Rebuilds every case's timers if the stream of timers was lost, or is new."""
        if self.timers.is_set(ALL_SET):
            return
        count = 0
        for case_id in self._case_ids():
            try:
                self.keep(case_id)
            except (ChainBrokenError, UnreadableEventError):
                continue  # A damaged case stops no other; `passage verify` names it.
            count += 1
        self.timers.set(ALL_SET)
        logger.info("timers_set_anew", cases=count)

    def _case_ids(self) -> Iterator[str]:
        recorder, start = self.context.writer.log.recorder, 1
        while page := recorder.select_notifications(start, LOG_PAGE_EVENTS):
            for stored in page:
                log_id = str(stored.originator_id)
                if stored.originator_version == 1 and log_id.startswith(self.logs):
                    yield log_id
            start = page[-1].id + 1

    def _read(self, delivery: Delivery) -> tuple[Due, str]:
        timer = read_timer(delivery)
        if timer.kind not in self.kinds or timer.about is None or timer.due_at is None:
            expected = f"one of {', '.join(sorted(self.kinds))}, about a case, with its time"
            raise UnprocessableError("wrong_data", "kind", expected)
        return Due(timer.kind, timer.about, timer.due_at), timer.cause_id
