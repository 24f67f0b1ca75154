"""Kills services and nats-server (-9) at random moments while the demo runs, then verifies.

By hand:  python -m tests.journey.kill_drill --kills 20 --cases 200
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passage.install.definitions import SERVICES
from passage.runner.supervising import NATS
from tests.journey.system import System, until
from tests.waiting import WITHIN_S

SHORTEST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 2.5


@dataclass(frozen=True)
class Drilled:
    """How a drill went."""

    killed: Counter[str]
    played: dict[str, Any]
    verified: dict[str, Any]
    kills_during_demo: int

    @property
    def clean(self) -> bool:
        return not self.played["wrong"] and not self.verified["errors"]


def drill(system: System, kills: int, cases: int, seed: int) -> Drilled:
    """Runs the demo, kills meanwhile, waits for the demo's end, and verifies."""
    chance = random.Random(seed)  # noqa: S311 - which process dies is no secret
    killed: Counter[str] = Counter()
    during = 0
    demo = _demo(system, cases, seed, kills)
    for victim in _victims(kills, chance):
        _wait(chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S))
        during += demo.poll() is None
        _kill(system, victim)
        killed[victim] += 1
    played, errors = demo.communicate(timeout=WITHIN_S + 60)
    assert played, errors
    verified = system.json("verify", check=False)
    return Drilled(killed, json.loads(played), verified, during)


def _victims(kills: int, chance: random.Random) -> list[str]:
    """An order of dying in which each process has its share."""
    names = [NATS, *SERVICES]
    found: list[str] = []
    while len(found) < kills:
        found += chance.sample(names, len(names))
    return found[:kills]


def _demo(system: System, cases: int, seed: int, kills: int) -> subprocess.Popen[str]:
    # Cases begin over the whole time of the killing, so that every kill meets work under way.
    seconds = kills * (SHORTEST_PAUSE_S + LONGEST_PAUSE_S) / 2
    speed = round(cases / seconds, 2)
    pace = ("--speed", speed, "--patience", WITHIN_S)
    return system.demo("--cases", cases, "--seed", seed, *pace)


def _kill(system: System, name: str) -> None:
    until(lambda: name in system.running.pids, f"{name} is there to be killed")
    pid = system.running.pids[name]
    os.kill(pid, signal.SIGKILL)
    until(lambda: system.running.pids.get(name, pid) != pid, f"{name} is started again")


def _wait(seconds: float) -> None:
    """The moments of the kills are what the drill varies; nothing is waited for here."""
    time.sleep(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="passage-drill-") as folder,
        System(Path(folder) / "data") as system,
    ):
        drilled = drill(system, options.kills, options.cases, options.seed)
    report = {
        "seed": options.seed,
        "killed": dict(drilled.killed),
        "kills_during_demo": drilled.kills_during_demo,
        "demo": drilled.played,
        "verify": drilled.verified,
    }
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return 0 if drilled.clean else 1


if __name__ == "__main__":
    sys.exit(main())
