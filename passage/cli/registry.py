"""`passage registry`: see how well names are compared, and fill the personnel registry."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of
from passage.name_pairs import ALL, counted, pairs_of
from passage.printing import out, print_json, print_table
from passage.running import find_running
from services.verification.registry import Loaded, load_csv
from services.verification.registry_file.problems import RegistryFileError

SEPARATORS = {"\t": "tab"}

registry = typer.Typer(help="The personnel registry.", no_args_is_help=True)


@registry.command("try")
def try_verb(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 with a header line.")],
    wrong: Annotated[
        bool, typer.Option("--wrong", help="Also show each pair judged wrong, and why: names.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the pairs of a labelled CSV file and count, by kind, how many are judged wrong.

    Columns: kind, verdict (same, different or says_nothing), surname_a, first_a, patronymic_a,
    surname_b, first_b, patronymic_b, and optionally a note, in which `differs:surname,first` says
    which fields belong to two people.

    A pair is contradicted if any field conflicts; silent if none does, but a field that both sides
    fill says nothing (`-` fills no field); agreed if every field that differs agrees.
    """
    found = counted(pairs_of(file))
    if as_json:
        print_json({kind: one.shown(with_wrong=wrong) for kind, one in found.items()})
        return
    headings = ("kind", *(name.replace("_", " ") for name in found[ALL].shown(with_wrong=False)))
    rows = ((kind, *one.shown(with_wrong=False).values()) for kind, one in found.items())
    print_table(str(file), headings, rows)
    if wrong:
        for one in found[ALL].wrong:
            out.print(f"line {one['line']}, {one['kind']}, {one['verdict']}:")
            for name, judged in one["fields"].items():
                out.print(f"    {name}: {judged}")


@registry.command("load")
def load_verb(
    file: Annotated[
        Path, typer.Argument(help="A table as text (CSV) with a header line; - is standard input.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is recognised, and change nothing.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="The file's encoding, if it isn't recognised: cp1251, ...")
    ] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Load a file of persons in any usual encoding, with any usual separator, header and dates.

    One wrong line refuses the whole file; every wrong line is listed, and the exit code is 4.
    """
    target = registry_file(data, make=not dry_run)
    try:
        loaded = load(target, file, encoding, dry_run=dry_run)
    except RegistryFileError as error:
        if not as_json:
            raise VerbEndedError(Exit.INVALID, f"{file}:\n{error}") from None
        problems = [one._asdict() for one in error.problems]
        print_json({"loaded": False, "total": error.total, "problems": problems})
        raise typer.Exit(Exit.INVALID) from None
    told = summary(loaded)
    if as_json:
        print_json({"loaded": not dry_run, **told})
        return
    for name, value in told.items():
        out.print(f"{name.replace('_', ' ')}: {_said(value)}")
    out.print(
        "dry run: the registry is as it was"
        if dry_run
        else f"{loaded.persons} persons are in the registry"
    )


def load(target: Path, file: Path, encoding: str | None = None, *, dry_run: bool = False) -> Loaded:
    """Raises RegistryFileError and VerbEndedError."""
    try:
        return load_csv(target, file, encoding, dry_run=dry_run)
    except (OSError, sqlite3.Error) as error:
        raise VerbEndedError(
            Exit.FAILED, f"the registry {target} can't be written ({type(error).__name__})"
        ) from None


def summary(loaded: Loaded) -> dict[str, Any]:
    """What was recognised and counted; none of it is personal."""
    told, filled = loaded.recognised, loaded.filled
    return {
        "encoding": told.encoding,
        "separator": SEPARATORS.get(told.separator, told.separator),
        "header_line": told.header_line,
        "columns": told.columns,
        "date_forms": dict(told.counts.date_forms),
        "dates_of_either_order": told.order.ambiguous,
        "month_first": told.order.month_first,
        "rows": told.rows,
        "empty_lines": told.empty_lines,
        "persons": filled.persons,
        "doubles": filled.doubles,
        "sentinels": told.counts.sentinels,
        "without_surname": told.counts.without_surname,
        "numbers_of_several_men": filled.shared_numbers,
        "numbers_without_leading_zeros": filled.short_numbers,
    }


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items()) or "none"
    return str(value)


def holds_only(target: Path, file: Path) -> bool:
    """Whether everybody in the registry is in `file`; a missing registry holds nobody."""
    if not target.exists():
        return True
    with file.open(encoding="utf-8-sig", newline="") as rows:
        known = {(row["surname"], row["service_number"]) for row in csv.DictReader(rows)}
    with closing(sqlite3.connect(target)) as connection:
        return known.issuperset(connection.execute("SELECT surname, service_number FROM persons"))


def registry_file(data: Path, *, make: bool = True) -> Path:
    """The registry can be loaded while nothing runs, too."""
    try:
        return find_running(data).registry
    except VerbEndedError:
        folders = folders_of(data)
        if make:
            folders.make()
        return folders.registry
