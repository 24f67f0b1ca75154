"""Reads a log in order and computes what fixes it: digest, cases, and each case's head.

The witness, the start-up gate, `passage verify` and `passage repair` all read with this.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from typing_extensions import override

from shared.events.base import FIRST_PREVHASH, TYPE_PREFIX
from shared.jetstream.stored import StoredMessage
from shared.subjects import CASES_PREFIX
from shared.witnesses.checkpoints import FIRST_DIGEST, Line, rolled, rolled_on
from shared.witnesses.files import Witnessed

MISFITS = frozenset({"readable", "versions 1..n", "chain"})
SUBJECT_SHOWN_MAX = 80


class Problem(NamedTuple):
    """One problem of the log; ids and numbers only."""

    check: str
    sequence: int
    what: str
    subject: str = ""
    """Of a misfit: its subject."""

    @property
    def is_misfit(self) -> bool:
        """It follows nothing in the log: only copies show whether it was stored like this."""
        return self.check in MISFITS


class Head(NamedTuple):
    """The last event of a case: its version and the hash of its stored bytes."""

    version: int
    stored_hash: str


_NO_HEAD = Head(0, FIRST_PREVHASH)


class Heads:
    """The last event of each case: what the next one must follow."""

    def __init__(self) -> None:
        self._heads: dict[str, Head] = {}

    def __len__(self) -> int:
        return len(self._heads)

    def misfit(self, case_id: str, version: int, prevhash: str) -> tuple[str, str] | None:
        """Which check an event fails against its case's head, and what is wrong with it."""
        before = self._heads.get(case_id, _NO_HEAD)
        if version != before.version + 1:
            return "versions 1..n", f"follows version {before.version} of its case"
        if prevhash != before.stored_hash:
            return "chain", "prevhash doesn't fit the event before it"
        return None

    def move(self, case_id: str, version: int, stored_hash: str) -> None:
        self._heads[case_id] = Head(version, stored_hash)


class RolledDigest:
    """A stream read up to `sequence`: no sequence is missing, and checkpoints signed its digest."""

    def __init__(
        self,
        name: str,
        checkpoints: Mapping[int, Sequence[Line]] | None = None,
        signed: Callable[[Line], str | None] = lambda line: line.digest,
    ) -> None:
        self.sequence = 0
        self.digest = FIRST_DIGEST
        self.certified = 0
        """The last sequence at which a checkpoint had this digest."""
        self._name = name
        self._checkpoints = checkpoints or {}
        self._signed = signed
        self._last_bound = max(self._checkpoints, default=0)

    def take(self, sequence: int, subject: str, body: bytes) -> list[Problem]:
        """What is wrong with the next stored message, if anything."""
        return self._roll(sequence, subject, hashlib.sha256(body).digest())

    def end(self, last: int) -> list[Problem]:
        """What is wrong with the end, given the server's `last` sequence."""
        problems = []
        if self.sequence != last:
            what = f"{self._name} continues to {last}"
            problems.append(Problem("contiguous sequences", self.sequence, what))
        if self._last_bound > self.sequence:
            what = f"{self._name} ends at {self.sequence}, but a checkpoint was signed at "
            problems.append(Problem("witness", self.sequence, f"{what}{self._last_bound}"))
        return problems

    def agreed(self, messages: Iterable[StoredMessage]) -> int:
        """The last checkpoint's sequence that agrees if these follow as they are, or 0.

        Takes nothing.
        """
        digest, last, found = self.digest, self.sequence, 0
        for one in messages:
            if one.sequence != last + 1 or one.sequence > self._last_bound:
                break
            digest, last = rolled(digest, one.sequence, one.subject, one.body), one.sequence
            lines = self._checkpoints.get(last, ())
            if lines and all(self._signed(line) == digest.hex() for line in lines):
                found = last
        return found

    def _roll(self, sequence: int, subject: str, body_hash: bytes) -> list[Problem]:
        problems: list[Problem] = []
        if sequence != self.sequence + 1:
            what = f"missing: {self.sequence + 1} to {sequence - 1}"
            problems.append(Problem("contiguous sequences", sequence, what))
        self.digest = rolled_on(self.digest, sequence, subject, body_hash)
        self.sequence = sequence
        if sequence in self._checkpoints:
            problems += self._compare(sequence)
        return problems

    def _compare(self, sequence: int) -> list[Problem]:
        digest = self.digest.hex()
        wrong = [line for line in self._checkpoints[sequence] if self._signed(line) != digest]
        if not wrong:
            self.certified = sequence
        return [
            Problem("witness", sequence, f"another digest than checkpoint {line.number} signed")
            for line in wrong
        ]


class LogHeads(RolledDigest):
    """The log read up to `sequence`; memory grows with the number of cases."""

    def __init__(self, witnessed: Witnessed | None = None) -> None:
        super().__init__("the log", None if witnessed is None else witnessed.binding)
        self._heads = Heads()

    @property
    def cases(self) -> int:
        return len(self._heads)

    @override
    def take(self, sequence: int, subject: str, body: bytes) -> list[Problem]:
        body_hash = hashlib.sha256(body)
        problems = self._roll(sequence, subject, body_hash.digest())
        problem = self._follow(subject, body, body_hash.hexdigest())
        if problem is not None:
            problems.append(Problem(problem[0], sequence, problem[1], subject))
        return problems

    def fits(self, subject: str, body: bytes) -> bool:
        """Whether an event could follow: the next version of its case, chained to the one before.

        Takes nothing.
        """
        envelope = _envelope(subject, body)
        return envelope is not None and self._heads.misfit(*envelope) is None

    def _follow(self, subject: str, body: bytes, stored_hash: str) -> tuple[str, str] | None:
        """Makes the event its case's head, or returns the failed check and what is wrong.

        A misfit doesn't become the head: the case's next event follows the one before it.
        """
        envelope = _envelope(subject, body)
        if envelope is None:
            return "readable", "it isn't an event, or is stored under another event's subject"
        case_id, version, _ = envelope
        misfit = self._heads.misfit(*envelope)
        if misfit is None:
            self._heads.move(case_id, version, stored_hash)
            return None
        return misfit[0], f"case {case_id} version {version}: {misfit[1]}"


def shown(subject: str) -> str:
    """A subject, which anybody may have chosen, in printable ASCII; a long one is cut."""
    text = ascii(subject)[1:-1]
    return text if len(text) <= SUBJECT_SHOWN_MAX else f"{text[:SUBJECT_SHOWN_MAX]}..."


def _envelope(subject: str, body: bytes) -> tuple[str, int, Any] | None:
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
