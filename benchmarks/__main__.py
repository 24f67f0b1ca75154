"""`python -m benchmarks`: runs all or some, prints a JSON line each and a table at the end.

The lines go to standard output, the table to standard error.
"""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import append, lifecycle, memory, read_model, rebuild, visible
from benchmarks.figures import Bench, Benchmark, as_line, machine, print_table
from shared import logs

BENCHMARKS: dict[str, Benchmark] = {
    "append": append.run,
    "rebuild": rebuild.run,
    "visible": visible.run,
    "lifecycle": lifecycle.run,
    "read-model": read_model.run,
    "memory": memory.run,
}
DATA_DIR = Path(".passage-bench")
"""In the current folder, because the one for temporary files is often no disk."""

Name = StrEnum("Name", {name: name for name in BENCHMARKS})


def bench(
    only: Annotated[
        list[Name] | None, typer.Option(help="Run this benchmark; may be repeated.")
    ] = None,
    scale: Annotated[float, typer.Option(min=0.0001, help="Multiplies every count.")] = 1.0,
    data: Annotated[Path, typer.Option(help="Folder on the disk to measure on.")] = DATA_DIR,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the JSON lines to this file.")
    ] = None,
) -> None:
    """Measure Passage beside the barest thing that does the same."""
    logs.configure("benchmarks", "ERROR")
    console = Console(stderr=True)
    results, lines = [], []
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data.resolve()) as folder:
        on = machine(Path(folder))
        for name in only or list(Name):
            console.print(f"[dim]{name} ...[/dim]")
            for measured in BENCHMARKS[name](Bench(Path(folder), scale)):
                results.append(measured)
                lines.append(as_line(measured, on))
                print(lines[-1], flush=True)
    if json_file is not None:
        json_file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print_table(results, on, console)


if __name__ == "__main__":
    typer.run(bench)
