"""What a check found: where, and what is wrong; ids only, never personal data."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from shared.witnesses.heads import Problem

KEPT_PER_CHECK = 100

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """A warning doesn't fail the check."""

    check: str
    where: str
    what: str
    severity: Severity = "error"


@dataclass
class Findings:
    """Beyond a hundred of one check they are only counted."""

    kept: list[Finding] = field(default_factory=list)
    counts: Counter[tuple[str, Severity]] = field(default_factory=Counter)

    def add(self, check: str, where: str, what: str, severity: Severity = "error") -> None:
        self.counts[check, severity] += 1
        if self.counts[check, severity] <= KEPT_PER_CHECK:
            self.kept.append(Finding(check, where, what, severity))

    def note(self, problem: Problem, check: str = "") -> None:
        """Records what is wrong with one message, under its own check unless another is named."""
        self.add(check or problem.check, f"sequence {problem.sequence}", problem.what)

    @property
    def errors(self) -> int:
        return sum(count for (_, severity), count in self.counts.items() if severity == "error")
