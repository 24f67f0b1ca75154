"""What is wrong with a registry file, line by line; never a value."""

from typing import NamedTuple

SHOWN_MAX = 50
"""At most this many problems are listed; the rest are counted."""


class FileProblem(NamedTuple):
    """`line` is 0 for a problem of the whole file, `column` is empty for one of a whole line."""

    line: int
    column: str
    problem: str

    @property
    def said(self) -> str:
        place = [f"line {self.line}"] if self.line else []
        return ": ".join([*place, *([self.column] if self.column else []), self.problem])


class RegistryFileError(Exception):
    """`problems` are the first of `total`."""

    def __init__(self, problems: list[FileProblem], total: int | None = None) -> None:
        self.problems = tuple(problems[:SHOWN_MAX])
        self.total = len(problems) if total is None else total
        more = self.total - len(self.problems)
        lines = [one.said for one in self.problems] + ([f"and {more} more"] if more else [])
        super().__init__("\n".join(lines))


class Problems:
    """Keeps the problems that are shown, and counts the rest."""

    def __init__(self) -> None:
        self._first: list[FileProblem] = []
        self.total = 0

    def add(self, line: int, column: str, problem: str) -> None:
        self.total += 1
        if len(self._first) < SHOWN_MAX:
            self._first.append(FileProblem(line, column, problem))

    def raise_any(self) -> None:
        if self.total:
            raise RegistryFileError(sorted(self._first), self.total)


def refuse(problem: str, line: int = 0, column: str = "") -> RegistryFileError:
    return RegistryFileError([FileProblem(line, column, problem)])
