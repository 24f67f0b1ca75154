"""`passage verify`: reads the whole log and compares everything derived from it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit
from passage.integrity.erasure.proof import Looked, prove
from passage.integrity.verify.everything import Checked, verify
from passage.printing import counted, out, print_json, print_table
from passage.runner.own_server import log_of
from passage.runner.telling import telling
from passage.running import find_running
from services.keyholder.secrets import EPOCHS_KEPT
from shared.commands.case_numbers import typed_case_number


def verify_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    erased: Annotated[
        str | None,
        typer.Option(
            help="Show that what was erased of this case can't be opened.", parser=typed_case_number
        ),
    ] = None,
    look_in: Annotated[
        list[Path] | None, typer.Option("--in", help="With --erased: also files and folders.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check streams, log, chain, index, keys, archive and read models; exit code 1 if any fails."""
    if erased is not None:
        looked = prove(find_running(data), erased, look_in or ())
        print_json(looked.as_json()) if as_json else _print_proof(looked)
        found = looked.findings
    else:
        with log_of(data) as running, telling() as told:
            checked = asyncio.run(verify(running, told.tell_next))
        print_json(checked.as_json()) if as_json else _print(checked)
        found = checked.findings
    if found.errors:
        raise typer.Exit(Exit.FAILED)


def _print(checked: Checked) -> None:
    findings = checked.findings
    out.print(
        f"{counted(checked.events, 'event')} of {counted(checked.cases, 'case')}, up to sequence "
        f"{checked.digest.sequence}"
    )
    if not findings.kept:
        out.print("every check passed")
        return
    rows = [(one.severity, one.check, one.where, one.what) for one in findings.kept]
    print_table("Findings", ("severity", "check", "where", "what"), rows)
    for (check, severity), count in sorted(findings.counts.items()):
        out.print(f"{check}: {counted(count, severity)}")


def _print_proof(looked: Looked) -> None:
    erasures, findings = looked.erasures, looked.findings
    stores = [(store, str(count)) for store, count in sorted(erasures.looked_at.items())]
    print_table("Looked at", ("store", "sealed values of the case"), stores)
    classes = ", ".join(f"{name} (version {at})" for name, at in sorted(erasures.erased_at.items()))
    values = len(list(erasures.must_stay_closed()))
    out.print(f"case {erasures.case_id}: erased {classes}")
    out.print(f"{values} sealed values, {len(erasures.copies)} key entries tried")
    if not findings.kept:
        out.print("erased: none of them can be opened")
        return
    rows = [(one.check, one.where, one.what) for one in findings.kept]
    print_table("Findings", ("check", "where", "what"), rows)
    if any(check == "opens" for check, _ in findings.counts):
        out.print(
            f"an old copy can be opened until {EPOCHS_KEPT} more rotations: `passage keys rotate`"
        )
