"""Progress bars, on standard error: by steps of a backup, by bytes of a file that is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from passage.printing import err


@contextmanager
def step_bar(steps: int, quiet: bool) -> Iterator[Callable[[str], None]]:
    with _progress(MofNCompleteColumn(), quiet) as progress:
        task = progress.add_task("", total=steps)

        def told(step: str) -> None:
            progress.update(task, description=step, advance=1)

        yield told


@contextmanager
def byte_bar(
    file: Path, quiet: bool
) -> Iterator[tuple[Callable[[str], None], Callable[[int], None]]]:
    """Yields what to call with the next step, and with the number of bytes read."""
    with _progress(DownloadColumn(), quiet) as progress:
        task = progress.add_task("reading", total=file.stat().st_size if file.is_file() else None)
        yield (
            lambda step: progress.update(task, description=step),
            lambda count: progress.advance(task, count),
        )


def _progress(amount: ProgressColumn, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        amount,
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=quiet,
    )
