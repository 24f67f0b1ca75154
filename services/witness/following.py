"""Follows the log as it is stored, checks it event by event, and has it signed.

At the first violation it stops signing, logs it, and is no longer ready; after other faults (the
server is away) it retries from the last event read. A message that is no event, or follows from
nothing, is signed as stored: anybody who may publish can send one.
"""

import time
from collections.abc import Callable
from threading import Event
from typing import Literal

from services.witness.signing import Signer
from shared.diagnostics.logger import logger, place_of
from shared.jetstream import JetStreamApplicationRecorder, SequenceGapError
from shared.jetstream.log import RecordedEvent
from shared.log.incarnation import IncarnationCheck, OtherIncarnationError
from shared.witnesses.files import Witnessed
from shared.witnesses.heads import LogHeads, Problem

BATCH_EVENTS = 5_000
IDLE_S = 0.1
"""How long one look for new events waits; also bounds how long a stop takes."""
RETRY_S = 1.0
LAST_LOOK_S = 0.3
"""How long the witness reads on after it was told to stop."""


class AlarmError(Exception):
    """The log isn't what it was, or violates its rules; the text names sequences and ids."""

    def __init__(self, check: str, text: str) -> None:
        self.check = check
        super().__init__(text)


class Follower:
    """Reads the log once from the beginning, then what is added to it."""

    def __init__(
        self,
        recorder: JetStreamApplicationRecorder,
        read_files: Callable[[], Witnessed],
        signer: Signer,
        incarnation: IncarnationCheck,
        interval_s: float,
    ) -> None:
        self._recorder = recorder
        self._read_files = read_files
        self._witnessed: Witnessed | None = None
        self._signer = signer
        self._incarnation = incarnation
        self._interval_s = interval_s
        self._heads = LogHeads()
        self._signed_sequence = 0
        self._must_reopen = False
        self._sign_at = time.monotonic() + interval_s
        self._target = 0
        self._caught_up = False
        self._ends_log = False
        self._doubt: str | None = None
        self.alarm: str | None = None
        self.failing: str | None = None

    @property
    def reads_files(self) -> bool:
        """Whether it is still reading its files, and none of the log yet."""
        return self._witnessed is None

    def how_far(self) -> tuple[int, int]:
        """How much of the log it has read, and how much existed when it began."""
        return self._heads.sequence, max(self._target, self._heads.sequence)

    def end_log(self) -> None:
        """Call before the stop, once nobody writes to the log: the last line then ends it."""
        self._ends_log = True

    def doubt(self, what: str) -> None:
        """Reports a witness-file line that nobody signed: signing stops."""
        self._doubt = what

    def run(self, stop: Event) -> None:
        """Runs until `stop` is set or something is wrong."""
        while not stop.is_set():
            try:
                self._check_files(self._witnessed or self._begin())
                self._follow(stop)
            except (AlarmError, SequenceGapError, OtherIncarnationError) as error:
                self.alarm = str(error)
                logger.error("log_unsound", sequence=self._heads.sequence, reason=_check_of(error))
                return
            except Exception as error:  # Whatever failed, reading resumes after the last event.
                self.failing = type(error).__name__
                logger.warning("witness_failed", error=self.failing, place=place_of(error))
                stop.wait(RETRY_S)
        self._sign_last()

    def _begin(self) -> Witnessed:
        """Reads the files; years of lines take a while."""
        witnessed = self._read_files()
        newest = witnessed.newest
        self._heads = LogHeads(witnessed)
        self._signed_sequence = newest.sequence if newest is not None else 0
        self._must_reopen = newest is not None and newest.kind == "ended"
        self._witnessed = witnessed
        return witnessed

    def _check_files(self, witnessed: Witnessed) -> None:
        """Raises AlarmError if the witness files don't know this log."""
        self._incarnation.check()
        if witnessed.problems:
            raise AlarmError("witness", witnessed.problems[0])
        if witnessed.current != {self._incarnation.known}:
            raise AlarmError(
                "incarnation",
                f"CASES is incarnation {self._incarnation.known}, which no witness file knows as "
                "the current one; see `passage gate`",
            )

    def _follow(self, stop: Event) -> None:
        self._target = self._recorder.max_notification_id() or 0
        if self._target < self._heads.sequence:
            raise AlarmError(
                "cut", f"it ends at {self._target}, but {self._heads.sequence} was read"
            )
        with self._recorder.subscribe(gt=self._heads.sequence) as subscription:
            self.failing = None
            while not stop.is_set():
                self._take(subscription.next_batch(BATCH_EVENTS, IDLE_S))
                self._incarnation.check()
                self._sign_if_due()

    def _take(self, batch: list[RecordedEvent]) -> None:
        aside = 0
        for event in batch:
            problems = self._heads.take(event.id, event.subject, event.state)
            if problems:
                aside += any(one.is_misfit for one in problems)
                self._raise_any([one for one in problems if not one.is_misfit])
        if aside:
            logger.warning("messages_put_aside", count=aside, sequence=batch[-1].id)
        if not self._caught_up and self._heads.sequence >= self._target:
            self._raise_any(self._heads.end(self._heads.sequence))
            self._caught_up = True
            logger.info("following", sequence=self._heads.sequence, last=self._target)

    def _sign_if_due(self) -> None:
        if self._doubt is not None:
            raise AlarmError("witness", self._doubt)
        if not self._caught_up:
            return
        if self._must_reopen:
            self._must_reopen = not self._sign("opened")
        elif time.monotonic() >= self._sign_at:
            self._sign_at = time.monotonic() + self._interval_s
            if self._signer.reads_audit() or self._heads.sequence != self._signed_sequence:
                self._sign("checkpoint")

    def _sign_last(self) -> None:
        """Signs the last state, and that it is the end if nobody still writes."""
        if not self._caught_up or self.failing is not None or self._doubt is not None:
            return
        try:
            last = self._recorder.max_notification_id() or 0
            with self._recorder.subscribe(gt=self._heads.sequence) as subscription:
                until = time.monotonic() + LAST_LOOK_S
                while self._heads.sequence < last and time.monotonic() < until:
                    self._take(subscription.next_batch(BATCH_EVENTS, LAST_LOOK_S))
            self._incarnation.check()
            audit_is_newer = self._signer.reads_audit()
            if self._ends_log and self._heads.sequence == last:
                self._sign("ended")
            elif audit_is_newer or self._heads.sequence != self._signed_sequence:
                self._sign("checkpoint")
        except Exception as error:  # The next start reads the log again.
            logger.warning("witness_failed", error=type(error).__name__, place=place_of(error))

    def _sign(self, kind: Literal["opened", "checkpoint", "ended"]) -> bool:
        done = self._signer.sign(kind, self._incarnation.known, self._heads)
        if done:
            self._signed_sequence = self._heads.sequence
        return done

    @staticmethod
    def _raise_any(problems: list[Problem]) -> None:
        for problem in problems:
            check = problem.check.partition(" ")[0]
            raise AlarmError(check, f"{problem.check}: sequence {problem.sequence}: {problem.what}")


def _check_of(error: Exception) -> str:
    if isinstance(error, AlarmError):
        return error.check
    return "gap" if isinstance(error, SequenceGapError) else "incarnation"
