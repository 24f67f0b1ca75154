"""Reads a log in order and knows of it what fixes it: digest, cases, and each case's head.

The witness, the start-up gate, `passage verify` and `passage repair` all read with this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared.checkpoints import FIRST_DIGEST, Line, rolled
from shared.events.base import FIRST_PREVHASH, TYPE_PREFIX
from shared.subjects import CASES_PREFIX
from shared.witness_files import Witnessed

MISFITS = frozenset({"readable", "versions 1..n", "chain"})
SUBJECT_SHOWN_MAX = 80


class Problem(NamedTuple):
    """One thing that is wrong with the log; ids and numbers only."""

    check: str
    sequence: int
    what: str
    subject: str = ""
    """Of a misfit: under what it stands."""

    @property
    def is_misfit(self) -> bool:
        """Whether the message itself follows from nothing; whether it was stored so, others say."""
        return self.check in MISFITS


class Head(NamedTuple):
    """The last event of a case: its version and the hash of its stored bytes."""

    version: int
    stored_hash: str


_NO_HEAD = Head(0, FIRST_PREVHASH)


class LogHeads:
    """A log read up to `sequence`; memory grows with the number of cases."""

    def __init__(self, witnessed: Witnessed | None = None) -> None:
        self.sequence = 0
        self.digest = FIRST_DIGEST
        self.certified = 0
        """The last sequence at which a checkpoint had this digest."""
        self._heads: dict[str, Head] = {}
        self._checkpoints: Mapping[int, Iterable[Line]] = (
            {} if witnessed is None else witnessed.binding
        )
        self._last_bound = max(self._checkpoints, default=0)

    @property
    def cases(self) -> int:
        return len(self._heads)

    def take(self, sequence: int, subject: str, body: bytes) -> list[Problem]:
        """Takes the next stored message; gives what is wrong with it, nothing if all is well."""
        problems: list[Problem] = []
        if sequence != self.sequence + 1:
            what = f"missing: {self.sequence + 1} to {sequence - 1}"
            problems.append(Problem("contiguous sequences", sequence, what))
        body_hash = hashlib.sha256(body)
        # As `checkpoints.rolled`, but each event is hashed once only.
        place = f"{sequence} {subject} ".encode()
        self.digest = hashlib.sha256(self.digest + place + body_hash.digest()).digest()
        self.sequence = sequence
        problem = self._follow(subject, body, body_hash.hexdigest())
        if problem is not None:
            problems.append(Problem(problem[0], sequence, problem[1], subject))
        if sequence in self._checkpoints:
            problems += self._compare(sequence)
        return problems

    def end(self, last: int) -> list[Problem]:
        """What is wrong with the end, where the server says that `last` is the last."""
        problems = []
        if self.sequence != last:
            what = f"the log goes on to {last}, but nothing more can be read"
            problems.append(Problem("contiguous sequences", self.sequence, what))
        if self._last_bound > self.sequence:
            what = f"the log ends here, but a checkpoint was signed at {self._last_bound}"
            problems.append(Problem("witness", self.sequence, what))
        return problems

    def agreed(self, messages: Iterable[tuple[int, str, bytes]]) -> int:
        """The last checkpoint's sequence that agrees if these follow as they are, or 0.

        Takes nothing.
        """
        digest, last, found = self.digest, self.sequence, 0
        for sequence, subject, body in messages:
            if sequence != last + 1 or sequence > self._last_bound:
                break
            digest, last = rolled(digest, sequence, subject, body), sequence
            lines = self._checkpoints.get(sequence, ())
            if lines and all(line.digest == digest.hex() for line in lines):
                found = sequence
        return found

    def fits(self, subject: str, body: bytes) -> bool:
        """Whether an event could follow: the next version of its case, chained to the one before.

        Takes nothing.
        """
        return self._read(subject, body) is not None

    def _follow(self, subject: str, body: bytes, stored_hash: str) -> tuple[str, str] | None:
        """Makes the event its case's head, or gives what is wrong with it and by which check.

        What doesn't fit moves no head: the case's next event follows the one before it.
        """
        envelope = _envelope(subject, body)
        if envelope is None:
            return "readable", "it is no event, or stands under another event's subject"
        case_id, version, prevhash = envelope
        before = self._heads.get(case_id, _NO_HEAD)
        if version != before.version + 1:
            return "versions 1..n", (
                f"case {case_id}: version {version} follows version {before.version}"
            )
        if prevhash != before.stored_hash:
            return "chain", f"case {case_id}: version {version} doesn't fit the event before it"
        self._heads[case_id] = Head(version, stored_hash)
        return None

    def _read(self, subject: str, body: bytes) -> str | None:
        envelope = _envelope(subject, body)
        if envelope is None:
            return None
        case_id, version, prevhash = envelope
        before = self._heads.get(case_id, _NO_HEAD)
        return case_id if (version - 1, prevhash) == before else None

    def _compare(self, sequence: int) -> list[Problem]:
        digest = self.digest.hex()
        wrong = [line for line in self._checkpoints[sequence] if line.digest != digest]
        if not wrong:
            self.certified = sequence
        return [
            Problem("witness", sequence, f"another digest than checkpoint {line.number} signed")
            for line in wrong
        ]


def shown(subject: str) -> str:
    """A subject that anybody may have chosen in printable ASCII; a long one in part."""
    text = ascii(subject)[1:-1]
    return text if len(text) <= SUBJECT_SHOWN_MAX else f"{text[:SUBJECT_SHOWN_MAX]}..."


def _envelope(subject: str, body: bytes) -> tuple[str, int, Any] | None:
    """Gives case, version and prevhash of an event that stands under its own subject."""
    tokens = subject.split(".")
    try:
        prefix, case_id, version, type_name = tokens
        event = json.loads(body)
        fits = (
            prefix == CASES_PREFIX
            and event["subject"] == case_id
            and str(event["caseversion"]) == version
            and event["type"].rpartition(".v")[0] == TYPE_PREFIX + type_name
        )
        return (case_id, int(version), event["prevhash"]) if fits else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
