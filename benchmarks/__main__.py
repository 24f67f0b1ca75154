"""`python -m benchmarks`: runs all or some, prints a JSON line each and a table at the end.

The lines go to standard output, the table to standard error.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import (
    append,
    casework,
    hostile,
    lifecycle,
    logins,
    long_cases,
    matching,
    memory,
    read_model,
    rebuild,
    registry,
    sealing,
    signing,
    verify,
    visible,
)
from benchmarks.figures import Bench, Benchmark, Measured, as_line, machine, print_table
from shared.diagnostics.logger import configure

BENCHMARKS: dict[str, Benchmark] = {
    "append": append.run,
    "rebuild": rebuild.run,
    "visible": visible.run,
    "lifecycle": lifecycle.run,
    "sealing": sealing.run,
    "read-model": read_model.run,
    "memory": memory.run,
    "casework": casework.run,
    "hostile": hostile.run,
    "long-cases": long_cases.run,
    "matching": matching.run,
    "registry": registry.run,
    "verify": verify.run,
    "logins": logins.run,
    "signing": signing.run,
}
"""In the order in which they run."""
DATA_DIR = Path(".passage-bench")
"""In the current folder, because the one for temporary files is often not on a disk."""


def _known(name: str) -> str:
    if name not in BENCHMARKS:
        raise typer.BadParameter(f"there is no {name!r}; one of {', '.join(BENCHMARKS)}")
    return name


def bench(
    only: Annotated[
        list[str] | None, typer.Option(parser=_known, help="Run this one; may be repeated.")
    ] = None,
    scale: Annotated[float, typer.Option(min=0.0001, help="Multiplies every count.")] = 1.0,
    data: Annotated[Path, typer.Option(help="Folder on the disk to measure on.")] = DATA_DIR,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the JSON lines to this file.")
    ] = None,
) -> None:
    """Measure Passage against the simplest thing that does the same."""
    configure("benchmarks", "ERROR")
    console = Console(stderr=True)
    results: list[Measured] = []
    data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=data.resolve())))
        file = stack.enter_context(json_file.open("w", encoding="utf-8")) if json_file else None
        on = machine(folder)
        for name in only or BENCHMARKS:
            console.print(f"[dim]{name} ...[/dim]")
            for measured in BENCHMARKS[name](Bench(folder, scale)):
                results.append(measured)
                for output in (sys.stdout, file):
                    if output is not None:
                        print(as_line(measured, on), file=output, flush=True)
    print_table(results, on, console)


if __name__ == "__main__":
    typer.run(bench)
