"""The registry: how long a file of an office takes to load, and a look-up in it."""

import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.figures import Bench, Measured, Stopwatch, spread, timed_ms
from benchmarks.people import People
from services.verification.registry import SqliteRegistry, load_csv
from shared.events.fields import Identity
from shared.matching import Stated

PERSONS, LOOK_UPS = 500_000, 400
SEED = 9
COLUMNS = ("surname", "first_names", "patronymic", "date_of_birth", "service_number")
AIM = "p99 <= 500"
ASKED: dict[str, Callable[[Identity], Stated]] = {
    "by number": lambda man: stated(man, *COLUMNS),
    "by number of another": lambda man: Stated(
        "Никтошенко", "Абрам", None, man.date_of_birth, man.service_number
    ),
    "by name and date": lambda man: stated(man, *COLUMNS[:4]),
    "by name": lambda man: stated(man, *COLUMNS[:3]),
    "by surname": lambda man: stated(man, "surname"),
}


def stated(man: Identity, *fields: str) -> Stated:
    """The statement of a man who says only these of himself."""
    return Stated(**{field: getattr(man, field) for field in fields})


def run(bench: Bench) -> Iterator[Measured]:
    folder = bench.folder_for("registry")
    count = bench.count(PERSONS, LOOK_UPS)
    people = People(SEED)
    men = [people.next(number) for number in range(count)]
    rows = _written(folder / "rows.csv", men)
    watch = Stopwatch()
    with watch:
        loaded = load_csv(folder / "registry.db", rows)
    figures = {"load": loaded.persons / watch.seconds}
    yield Measured("registry/load", figures, "persons/s", notes={"persons": count})
    registry = SqliteRegistry(folder / "registry.db")
    some = men[:: count // bench.count(LOOK_UPS, 40)]
    for name, asking in ASKED.items():
        taken = [timed_ms(partial(registry.look_up, asking(man))) for man in some]
        yield spread(f"registry/{name}", taken, "ms", aim=AIM, notes={"of": count})


def _written(path: Path, men: list[Identity]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows([getattr(man, column) or "" for column in COLUMNS] for man in men)
    return path
