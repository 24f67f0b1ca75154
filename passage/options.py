"""The options that verbs have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path, typer.Option("--data", help="Data folder of the system.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

DEFAULT_DATA_DIR = Path(".passage")
