"""`passage registry`: try how names compare, and fill the personnel registry from a CSV file."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.printing import out, print_json
from passage.registry_try import try_verb
from passage.running import Running, find_running
from services.verification.registry import RegistryFileError, load_csv

SAMPLE = Path(__file__).parent / "sample" / "registry.csv"

registry = typer.Typer(help="The personnel registry.", no_args_is_help=True)
registry.command("try")(try_verb)


@registry.command("load")
def load_verb(
    file: Annotated[Path, typer.Argument(help="CSV with a header line.")],
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Load a CSV (surname, first_names, patronymic, rank, date_of_birth, service_number, unit)."""
    count = load(registry_file(data), file)
    if as_json:
        print_json({"persons": count})
    else:
        out.print(f"{count} persons are in the registry")


def load(target: Path, file: Path) -> int:
    """Loads `file` into the registry and gives the number of persons."""
    try:
        return load_csv(target, file)
    except RegistryFileError as error:
        raise VerbEndedError(Exit.INVALID, f"{file}: {error}") from None
    except (OSError, sqlite3.Error) as error:
        raise VerbEndedError(
            Exit.FAILED, f"the registry {target} can't be written ({type(error).__name__})"
        ) from None


def holds_only(target: Path, file: Path) -> bool:
    """Says whether nobody is in the registry but those in `file`; a missing one holds nobody."""
    if not target.exists():
        return True
    with file.open(encoding="utf-8-sig", newline="") as rows:
        known = {(row["surname"], row["service_number"]) for row in csv.DictReader(rows)}
    with closing(sqlite3.connect(target)) as connection:
        return known.issuperset(connection.execute("SELECT surname, service_number FROM persons"))


def registry_file(data: Path) -> Path:
    """Gives the registry's file; it can be loaded while nothing runs."""
    try:
        running: Running = find_running(data)
    except VerbEndedError:
        folders = folders_of(data)
        folders.make()
        return folders.registry
    return running.registry
