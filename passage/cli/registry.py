"""`passage registry`: try how names compare, and fill the personnel registry."""

from __future__ import annotations

import typer

from passage.cli.registry_load import load_verb
from passage.cli.registry_try import try_verb

registry = typer.Typer(help="The personnel registry.", no_args_is_help=True)
registry.command("try")(try_verb)
registry.command("load")(load_verb)
