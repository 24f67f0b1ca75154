"""What a benchmark gives: figures with their unit, the ratio of two sides, and the machine.

The sides of a comparison take turns in one run, so that a noisy neighbour disturbs both.
"""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from passage.runner.nats_server import find_binary

SMALLEST_SCALE_THAT_MEASURES = 0.01
SYNC_PROBES = 200
SYNC_PROBE_BYTES = 1_024
MILLISECONDS = 1_000.0
MICROSECONDS = 1e6

Machine = dict[str, Any]
"""What the figures were taken on."""


@dataclass
class Measured:
    """One result: medians by name, all in `unit`; `ratio` says of what in `ratio_of`."""

    name: str
    figures: Mapping[str, float]
    unit: str
    ratio: float | None = None
    ratio_of: str = ""
    ratio_range: tuple[float, float] | None = None
    """The lowest and the highest ratio of any round."""
    aim: str = ""
    notes: Mapping[str, str | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.figures = rounded(self.figures)


@dataclass(frozen=True)
class Bench:
    """Where a benchmark works and how long."""

    folder: Path
    scale: float = 1.0

    def count(self, usual: int, least: int = 1) -> int:
        """How often something is done: less often if the scale says so."""
        return max(least, round(usual * self.scale))

    def rounds(self, usual: int) -> int:
        """How many rounds are played: one if the scale is only for trying out."""
        return usual if self.scale >= SMALLEST_SCALE_THAT_MEASURES else 1

    def folder_for(self, name: str) -> Path:
        """A folder for one benchmark; all are on one disk."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class Stopwatch:
    """Times a block: `seconds` of the last one, `cpu_s` of all of them.

    The processor time is this process's own, of all its threads: other processes' noise isn't
    included.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_s = 0.0
        self._began = (0.0, 0.0)

    def __enter__(self) -> None:
        self._began = (time.perf_counter(), time.process_time())

    def __exit__(self, *_: object) -> None:
        wall, cpu = self._began
        self.seconds = time.perf_counter() - wall
        self.cpu_s += time.process_time() - cpu


Benchmark = Callable[[Bench], Iterator[Measured]]


def take_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Each side's figure of every round; the sides take turns: A B A B."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            found[name].append(side())
    return found


def compared(
    name: str, rounds: Mapping[str, Sequence[float]], unit: str, aim: str = "", **notes: str | float
) -> Measured:
    """The medians and the ratio of the first side to the second."""
    medians = {side: statistics.median(values) for side, values in rounds.items()}
    ours, beside = list(rounds)[:2]
    ratios = [a / b for a, b in zip(rounds[ours], rounds[beside], strict=True)]
    return Measured(
        name=name,
        figures=medians,
        unit=unit,
        ratio=round(medians[ours] / medians[beside], 3),
        ratio_of=f"{ours} / {beside}",
        ratio_range=(round(min(ratios), 3), round(max(ratios), 3)),
        aim=aim,
        notes=notes,
    )


def rates(
    name: str,
    sides: Mapping[str, Callable[[Stopwatch], None]],
    work: int,
    rounds: int,
    unit: str,
    aim: str = "",
    **notes: float,
) -> Measured:
    """How much of a round's `work` each side does in a second of its watch, in turns.

    The notes have the processor time of each piece of work, microseconds.
    """
    watches = {side: Stopwatch() for side in sides}

    def rate_of(side: str) -> float:
        sides[side](watches[side])
        return work / watches[side].seconds

    found = take_turns({side: partial(rate_of, side) for side in sides}, rounds)
    of_piece = MICROSECONDS / (rounds * work)
    cpu = {
        f"{side.replace(' ', '_')}_cpu_us": of_piece * one.cpu_s for side, one in watches.items()
    }
    return compared(name, found, unit, aim, **notes, **rounded(cpu))


def spread(name: str, taken: Sequence[float], unit: str, **more: Any) -> Measured:
    """The median, the 99th percentile and the highest of some times."""
    figures = {"p50": percentile(taken, 50), "p99": percentile(taken, 99), "highest": max(taken)}
    return Measured(name, figures, unit, **{"notes": {"times": len(taken)}, **more})


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    """With no more digits than are significant."""
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of the values don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def timed_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return MILLISECONDS * (time.perf_counter() - began)


def machine(folder: Path) -> Machine:
    """Looks at the machine and at the disk of the data folder."""
    shown = subprocess.run(  # noqa: S603 - our own binary
        [str(find_binary()), "--version"], capture_output=True, text=True, check=True
    )
    return {
        "cores": os.cpu_count() or 0,
        "processor": _processor(),
        "python": platform.python_version(),
        "nats_server": shown.stdout.strip().rpartition("v")[2],
        "sync_ms": _sync_ms(folder / "sync-probe"),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _sync_ms(path: Path) -> float:
    """The median of writing 1 KiB and syncing it."""
    with path.open("wb", buffering=0) as file:

        def write() -> None:
            file.write(bytes(SYNC_PROBE_BYTES))
            os.fsync(file.fileno())

        taken = [timed_ms(write) for _ in range(SYNC_PROBES)]
    path.unlink()
    return round(statistics.median(taken), 3)


def as_line(measured: Measured, on: Machine) -> str:
    """One result as one line of JSON."""
    return json.dumps({**asdict(measured), "machine": on}, ensure_ascii=False)


def print_table(results: Sequence[Measured], on: Machine, console: Console) -> None:
    table = Table(
        title=f"{on['cores']} cores ({on['processor']}), Python {on['python']}, nats-server "
        f"{on['nats_server']}, sync {on['sync_ms']} ms",
        title_justify="left",
    )
    for heading in ("benchmark", "figures", "unit", "ratio", "aim"):
        table.add_column(heading, overflow="fold")
    for one in results:
        figures = "  ".join(f"{name} {value:g}" for name, value in one.figures.items())
        ratio = "" if one.ratio is None else f"{one.ratio:g} ({one.ratio_of})"
        table.add_row(one.name, figures, one.unit, ratio, one.aim)
    console.print(table)
