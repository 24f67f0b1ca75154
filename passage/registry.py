"""`passage registry load`: fill the personnel registry from a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.printing import out, print_json
from passage.running import Running, find_running
from services.verification.registry import RegistryFileError, load_csv

SAMPLE = Path(__file__).parent / "sample" / "registry.csv"

registry = typer.Typer(help="The personnel registry.", no_args_is_help=True)


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
    if not file.is_file():
        raise VerbEndedError(Exit.INVALID, f"{file}: no such file")
    try:
        return load_csv(target, file)
    except (RegistryFileError, UnicodeDecodeError) as error:
        raise VerbEndedError(Exit.INVALID, f"{file}: {error}") from None


def registry_file(data: Path) -> Path:
    """Gives the registry's file; it can be loaded while nothing runs."""
    try:
        running: Running = find_running(data)
    except VerbEndedError:
        folders = folders_of(data)
        folders.make()
        return folders.registry
    return running.registry
