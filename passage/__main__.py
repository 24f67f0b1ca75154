"""The command line `passage`: its verbs, and how every one of them ends."""

import os
import sys
from importlib import import_module

import typer

from passage.exits import MEANINGS, Exit, VerbEndedError, refused_by_the_machine
from passage.printing import err
from shared.diagnostics.logger import place_of, quiet_asyncio

EXIT_CODES = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items())

VERBS: dict[str, str] = {
    "up": "up_verb",
    "init": "init_verb",
    "provision": "provision_verb",
    "keys": "keys",
    "health": "health_verb",
    "login": "login_verb",
    "operator": "operator",
    "call": "call_verb",
    "outbox": "outbox_verb",
    "do": "do_verb",
    "agree": "agree_verb",
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
"""Each verb, in the order of the help, and its name in the module `passage.cli.<verb>`."""


def command_line(verb: str | None = None) -> typer.Typer:
    """The command line with one verb, or with all.

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
        module = import_module(f"passage.cli.{name}")
        found = getattr(module, VERBS[name])
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name, cls=getattr(module, "COMMAND_CLASS", None))(found)
    return app


def _passage() -> None:
    """The case system of a surrender hotline."""


def main() -> None:
    """Runs a verb; an expected failure is one line and an exit code, never a stack trace."""
    os.umask(0o077)  # Whatever is written, here or by a child, is for its owner alone.
    quiet_asyncio()
    try:
        command_line(sys.argv[1] if len(sys.argv) > 1 else None)()
    except VerbEndedError as error:
        err.print(f"passage: {error}")
        sys.exit(error.code)
    except TimeoutError:
        err.print("passage: no answer in time; is everything running? Then try again")
        sys.exit(Exit.UNAVAILABLE)
    except Exception as error:  # Its text may hold anything; where it happened may be told.
        err.print(f"passage: {_cause_of(error)}")
        sys.exit(Exit.FAILED)


def _cause_of(error: Exception) -> str:
    refused = refused_by_the_machine(error) if isinstance(error, OSError) else None
    places = " < ".join(reversed(place_of(error)))
    return refused or f"a bug in Passage: {type(error).__name__} at {places}"


if __name__ == "__main__":
    main()
