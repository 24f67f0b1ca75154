"""The command line `passage`: its verbs, and how every one of them ends."""

from __future__ import annotations

import sys

import typer

from passage.call import call_verb
from passage.case import cases
from passage.demo import demo_verb
from passage.do import do_verb
from passage.exits import MEANINGS, VerbEndedError
from passage.health import health_verb
from passage.keys import keys_verb
from passage.log import log
from passage.parked import parked
from passage.printing import err
from passage.provision import provision_verb
from passage.registry import registry
from passage.up import up_verb
from passage.verify import verify_verb

EXIT_CODES = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items())

app = typer.Typer(
    name="passage",
    help="The case system of a surrender hotline.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("up")(up_verb)
app.command("provision")(provision_verb)
app.command("keys")(keys_verb)
app.command("health")(health_verb)
app.command("call")(call_verb)
app.command("do")(do_verb)
app.command("demo")(demo_verb)
app.command("verify")(verify_verb)
app.add_typer(registry, name="registry")
app.add_typer(cases, name="case")
app.add_typer(parked, name="parked")
app.add_typer(log, name="log")


def main() -> None:
    """Runs one verb; an expected failure is one line and an exit code, never a stack trace."""
    try:
        app()
    except VerbEndedError as error:
        err.print(f"passage: {error}")
        sys.exit(error.code)


if __name__ == "__main__":
    main()
