"""The command line `passage`: its verbs, and how every one of them ends."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import typer

from passage.exits import MEANINGS, Exit, VerbEndedError
from passage.printing import err
from shared.logs import place_of, quiet_asyncio

EXIT_CODES = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items())

VERBS: dict[str, str] = {
    "up": "up_verb",
    "init": "init_verb",
    "provision": "provision_verb",
    "keys": "keys",
    "health": "health_verb",
    "call": "call_verb",
    "outbox": "outbox_verb",
    "do": "do_verb",
    "case": "cases",
    "audit": "audit_verb",
    "registry": "registry",
    "parked": "parked",
    "demo": "demo_verb",
    "verify": "verify_verb",
    "gate": "gate_verb",
    "repair": "repair_verb",
    "witness": "witness",
    "log": "log",
    "backup": "backup",
    "restore": "restore_verb",
}
"""Each verb, in the order of the help, and its name in the module `passage.<verb>`."""


def command_line(verb: str | None = None) -> typer.Typer:
    """Gives the command line with one verb, or with all.

    Only what a verb needs is imported: all of it takes a second to load and half to unload.
    """
    app = typer.Typer(
        name="passage",
        callback=_passage,
        epilog=EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
    )
    for name in VERBS if verb not in VERBS else (verb,):
        found = getattr(import_module(f"passage.{name}"), VERBS[name])
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def _passage() -> None:
    """The case system of a surrender hotline."""


def main() -> None:
    """Runs one verb; an expected failure is one line and an exit code, never a stack trace."""
    os.umask(0o077)  # Whatever is written, here or by a child, is for its owner alone.
    quiet_asyncio()
    try:
        command_line(sys.argv[1] if len(sys.argv) > 1 else None)()
    except VerbEndedError as error:
        err.print(f"passage: {error}")
        sys.exit(error.code)
    except Exception as error:  # Its text may hold anything; where it happened may be told.
        places = " < ".join(reversed(place_of(error)))
        err.print(f"passage: a fault of ours: {type(error).__name__} at {places}")
        sys.exit(Exit.FAILED)


if __name__ == "__main__":
    main()
