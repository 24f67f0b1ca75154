"""`passage operator`: the first people of an installation, while no supervisor holds a key."""

import re
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.people import Newcomer, add
from passage.printing import out, print_json
from passage.running import find_running
from shared.people.roles import ROLES, Role

ACCOUNT = re.compile(r"[a-z][a-z0-9_]{1,38}", re.ASCII)

operator = typer.Typer(
    help="The first people, while no supervisor holds a key.", no_args_is_help=True
)


@operator.command("add")
def add_verb(
    account: Annotated[str, typer.Argument(help="Account: a-z, 0-9 and _, 2 to 39 characters.")],
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; repeat for more.")],
    name: Annotated[str | None, typer.Option(help="The person's name, if not the account.")] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Add somebody and print the one-time link by which they register their key.

    Only while no supervisor holds a key; from then on, a supervisor adds people.
    """
    newcomer = Newcomer(_account(account), name or account, tuple(map(_role, role)))
    links = add(find_running(data), [newcomer])
    if as_json:
        print_json({"account": newcomer.account, "link": links[newcomer.account]})
        return
    out.print(f"{newcomer.account} registers a key once, within the time set, at")
    out.print(links[newcomer.account], soft_wrap=True)


def _account(typed: str) -> str:
    if ACCOUNT.fullmatch(typed) is None:
        raise VerbEndedError(Exit.INVALID, "account: 2 to 39 of a-z, 0-9 and _, a letter first")
    return typed


def _role(typed: str) -> Role:
    for one in ROLES:
        if one == typed and one != "integration":
            return one
    raise VerbEndedError(Exit.INVALID, f"role: one of {', '.join(ROLES[:-1])}")
