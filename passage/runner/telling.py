"""Progress of a slow start-up: bars with rate and time left, or a line every ten seconds if this
isn't a terminal.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text
from typing_extensions import override

from passage.printing import err

LINE_EVERY_S = 10.0
SPEED_OVER_S = 20.0


class _HowFar(ProgressColumn):
    @override
    def render(self, task: Task) -> Text:
        return Text(how_far(task))


class Telling:
    """Progress of several things at once, each under its name."""

    def __init__(self, progress: Progress, lines: bool = True) -> None:
        self._progress = progress
        self._lines = lines and progress.disable
        self._tasks: dict[str, TaskID] = {}
        self._line_at: dict[str, float] = {}

    def tell(self, what: str, done: int = 0, of: int = 0) -> None:
        """`of` 0: there is progress, of unknown extent."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=None)
            self._line_at[what] = time.monotonic() + LINE_EVERY_S
        self._progress.update(self._tasks[what], completed=done, total=of or None)
        if self._lines and time.monotonic() >= self._line_at[what]:
            self._line_at[what] = time.monotonic() + LINE_EVERY_S
            err.print(f"{what}: {how_far(self._progress.tasks[self._tasks[what]])}")

    def tell_next(self, what: str, done: int, of: int) -> None:
        """As `tell`, for things that follow one another."""
        for other in self._tasks.keys() - {what}:
            self.end(other)
        self.tell(what, done, of)

    def of_steps(self, size: int) -> tuple[Callable[[str], None], Callable[[int], None]]:
        """What to call with the next step, and with how much more of `size` was done."""
        step, done = "reading", 0

        def begin(name: str) -> None:
            nonlocal step
            step = name
            self.tell_next(step, done, size)

        def add(count: int) -> None:
            nonlocal done
            done += count
            self.tell_next(step, done, size)

        return begin, add

    def end(self, what: str) -> None:
        if what in self._tasks:
            self._progress.update(self._tasks[what], visible=False)


@contextmanager
def telling(*, bars: bool = True, lines: bool = True) -> Iterator[Telling]:
    """Its bars disappear from the terminal at the end of the block; elsewhere it prints lines."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        _HowFar(),
        console=err,
        transient=True,
        disable=not (bars and err.is_terminal),
        speed_estimate_period=SPEED_OVER_S,
    )
    with bar:
        yield Telling(bar, lines)


def how_far(task: Task) -> str:
    """As `120,000 of 800,450, 3,020 a second, 3:45 left`."""
    if not task.total:
        seconds = int(task.elapsed or 0)
        return f"for {seconds // 60}:{seconds % 60:02}"
    text = f"{int(task.completed):,} of {int(task.total):,}"
    if not task.speed or task.speed < 1:
        return text
    seconds = int(task.time_remaining or 0)
    return f"{text}, {task.speed:,.0f} a second, {seconds // 60}:{seconds % 60:02} left"
