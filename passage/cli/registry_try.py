"""`passage registry try`: how well names are compared, on an office's own spellings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from passage.cli.options import AsJson
from passage.name_pairs import ALL, counted, pairs_of
from passage.printing import out, print_json, print_table


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
