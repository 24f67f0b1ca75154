"""Options that several verbs have."""

from pathlib import Path
from typing import Annotated

import typer

from passage.own_keys import ACCOUNT_VARIABLE
from shared.commands import purposes

DATA_VARIABLE = "PASSAGE_DATA"


def data_folder(named: str | Path) -> Path:
    """Raises BadParameter, to which click adds the option's name."""
    try:
        path = Path(named).expanduser()
        resolved = path.resolve()
        there = next(one for one in (resolved, *resolved.parents) if one.exists())
    except (RuntimeError, OSError, ValueError) as error:  # `~nobody`, a loop of links, too long.
        why = getattr(error, "strerror", None) or "there is no such place"
        raise typer.BadParameter(f"{str(named)!r} can't be used: {why}") from None
    if not there.is_dir():
        raise typer.BadParameter(
            f"{str(there)!r} is a file; name a folder, which may not exist yet"
        )
    if not resolved.name or not str(named).strip():
        raise typer.BadParameter(
            f"{str(named)!r} can't be a data folder; name one such as .passage"
        )
    return path


DataDir = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Data folder of the system.",
        show_default=True,
        envvar=DATA_VARIABLE,
        parser=data_folder,
        metavar="DIR",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

As = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="The account in whose name; their key file must be here. Else the first one here.",
        envvar=ACCOUNT_VARIABLE,
        metavar="ACCOUNT",
    ),
]
PURPOSES = ", ".join(purposes.PURPOSES)
DEFAULT_DATA_DIR = Path(".passage")


def purpose_given(purpose: str | None, remark: str | None) -> dict[str, str | None]:
    """As requests say what values are asked for."""
    return {"purpose": purpose, **({"remark": remark} if remark is not None else {})}
