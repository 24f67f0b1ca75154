"""Every benchmark runs with tiny counts and prints a valid JSON line for each of its results."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import WITHIN_S

ROOT = Path(__file__).parents[2]
RESULTS = {
    "append": 12,
    "rebuild": 5,
    "visible": 4,
    "lifecycle": 3,
    "read-model": 1,
    "memory": 3,
    "casework": 11,
    "hostile": 6,
    "long-cases": 1,
    "matching": 1,
    "registry": 6,
    "verify": 1,
    "logins": 3,
    "signing": 2,
}
"""How many results each benchmark gives."""
WITH_EVERY_PROCESS = {"visible", "memory"}


def run(name: str, folder: Path) -> list[dict[str, Any]]:
    lines = folder / "lines"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "benchmarks", "--only", name, "--scale", "0.0001"),
            *("--data", str(folder / "data"), "--json", str(lines)),
        ],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert lines.read_text(encoding="utf-8") == done.stdout
    assert "nats-server" in done.stderr, "the table names the machine"
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=pytest.mark.journey if name in WITH_EVERY_PROCESS else pytest.mark.wire
        )
        for name in RESULTS
    ],
)
def test_a_benchmark_prints_a_line_for_each_result(name: str, tmp_path: Path) -> None:
    lines = run(name, tmp_path)
    assert len(lines) == RESULTS[name]
    for line in lines:
        assert line["name"].startswith(f"{name}/")
        assert line["unit"]
        assert all(value > 0 for value in line["figures"].values())
        assert line["ratio"] is None or line["ratio"] > 0
        assert {"cores", "python", "nats_server"} <= line["machine"].keys()
    assert not list((tmp_path / "data").iterdir()), "nothing is left behind"
