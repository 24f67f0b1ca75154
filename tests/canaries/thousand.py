"""Plays canary persons through a running system of its own, and looks for them in all it leaves.

    python -m tests.canaries.thousand --persons 1000

Exit code 0: nobody was found. Where the registry and the keys lie (`DIR.keys`) isn't looked at but
for which files know somebody: the registry alone may.
"""

import argparse
import asyncio
import csv
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from passage.demo.player import Player
from passage.demo.stage import staged
from passage.own_keys import as_person
from tests.canaries.flow import Flow, person_of
from tests.canaries.persons import Canary, canaries
from tests.canaries.scanner import Scanned, Scanner
from tests.journey.system import System
from tests.waiting import WITHIN_S

AT_ONCE = 16
PATIENCE_S = 3_000.0
REGISTRY_COLUMNS = (
    "surname",
    "first_names",
    "patronymic",
    "rank",
    "date_of_birth",
    "service_number",
    "unit",
)
PAGES = ("/", "/api/cases", "/api/queue", "/api/statistics/calls", "/metrics", "/openapi.json")


@dataclass
class Result:
    """What was found while the system ran, after it ended, and which files of the keys know."""

    running: Scanned
    ended: Scanned
    knowing_keys: set[str]
    control: Scanned
    """Of a file into which each person was planted: all must be found."""
    played: int

    @property
    def clean(self) -> bool:
        return not self.running.hits and not self.ended.hits


def run(folder: Path, count: int) -> Result:
    """Plays and looks; `folder` is empty, and everything but the registry's source is in it."""
    persons = canaries(count)
    site = folder / "site"
    (site / "tmp").mkdir(parents=True)
    (site / "exports").mkdir()
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(site / "tmp")
    try:
        return _run(folder, site, persons)
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


def _run(folder: Path, site: Path, persons: Sequence[Canary]) -> Result:
    scanner = Scanner(persons)
    source = folder / "registry.csv"
    _write_registry(source, persons)
    system = System(site / "data")
    with system:
        system.verb("registry", "load", str(source))
        played = asyncio.run(_play(system, persons))
        _export(system, site / "exports")
        system.verb("backup", "--to", str(site / "backups"))
        looked_at = _looked_at(site)
        running = scanner.scan(*looked_at)
    return Result(
        running=running,
        ended=scanner.scan(*_looked_at(site)),
        knowing_keys={hit.path.name for hit in scanner.scan(site / "data.keys").hits},
        control=scanner.scan(source),
        played=played,
    )


def _looked_at(site: Path) -> list[Path]:
    """Everything that the system left, but its keys and the registry beside them."""
    return [path for path in site.iterdir() if path.name != "data.keys"]


def _write_registry(source: Path, persons: Sequence[Canary]) -> None:
    with source.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, REGISTRY_COLUMNS)
        rows.writeheader()
        for one in map(person_of, persons):
            rows.writerow({name: getattr(one, name) for name in REGISTRY_COLUMNS})


async def _play(system: System, persons: Sequence[Canary]) -> int:
    running = system.running
    slots = asyncio.Semaphore(AT_ONCE)
    async with staged(running, PATIENCE_S, AT_ONCE) as stage:

        async def one(number: int, canary: Canary) -> str:
            async with slots:
                player = Player(stage, f"canary-{number}", f"canary-{number}", person_of(canary))
                return await Flow(player, canary).play()

        return len(set(await asyncio.gather(*(one(n, c) for n, c in enumerate(persons)))))


def _export(system: System, folder: Path) -> None:
    """Keeps what the verbs and the API give to whoever asks for nothing personal."""
    for name, verb in {
        "log.jsonl": ("log", "export"),
        "verify.json": ("verify", "--json"),
        "cases.json": ("case", "list", "--json"),
        "cases.txt": ("case", "list"),
        "parked.json": ("parked", "list", "--json"),
        "health.txt": ("health",),
    }.items():
        # A service that answers late is named in the text; the text is all that is wanted here.
        done = system.verb(*verb, check=verb != ("health",))
        (folder / name).write_text(done.stdout + done.stderr, encoding="utf-8")
    with httpx.Client(
        base_url=system.running.http,
        trust_env=False,
        timeout=WITHIN_S,
        auth=as_person(system.running, None),
    ) as http:
        for number, page in enumerate(PAGES):
            (folder / f"page-{number}").write_bytes(http.get(page).content)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--persons", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where to leave everything; empty")
    chosen = parser.parse_args()
    began = time.monotonic()
    if chosen.folder is not None:
        chosen.folder.mkdir(parents=True)
        result = run(chosen.folder.resolve(), chosen.persons)
    else:
        with TemporaryDirectory() as folder:
            result = run(Path(folder).resolve(), chosen.persons)
    for title, scanned in (("while running", result.running), ("after its end", result.ended)):
        sys.stdout.write(f"{title}: {scanned.told()}\n")
        for hit in scanned.hits[:20]:
            sys.stdout.write(f"  person {hit.person} in {hit.path.name} as {hit.encoding}\n")
    sys.stdout.write(
        f"{result.played} cases of {chosen.persons} persons in {time.monotonic() - began:.0f} s; "
        f"control: {len({hit.person for hit in result.control.hits})} found where they are; "
        f"files beside the keys that know somebody: {sorted(result.knowing_keys)}\n"
    )
    return 0 if result.clean else 1


if __name__ == "__main__":
    sys.exit(main())
