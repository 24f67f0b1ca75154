"""`passage registry`: the personnel registry."""

from __future__ import annotations

import typer

from passage.registry_load import load_verb

registry = typer.Typer(help="The personnel registry.", no_args_is_help=True)
registry.command("load")(load_verb)
