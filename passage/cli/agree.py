"""`passage agree`: sign, as a second person, what somebody proposed."""

import asyncio
from typing import Annotated

import typer

from passage.api import Json, Reply, api_of, ended_by_problem, fetched, sent
from passage.cli.options import DEFAULT_DATA_DIR, As, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, as_person
from passage.own_signatures import new_in_name_of, tell_new
from passage.printing import counted, out, print_answer, print_json, print_table
from passage.running import Running, find_running
from passage.signing import Signer, agree, proposed_command
from shared.commands.base import Command
from shared.commands.case_numbers import typed_case_number

COLUMNS = (
    *("decision_id", "act", "about", "proposed_by", "expires_at", "agreed_by", "not_carried_out"),
)


def agree_verb(
    decision: Annotated[
        str | None,
        typer.Argument(help="Its number; without it, those that wait.", parser=typed_case_number),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List the decisions that wait for a second signature, or show one and sign it."""
    running = find_running(data)
    who = as_person(running, account)
    if decision is None:
        found = asyncio.run(_waiting(running, who))
        if as_json:
            print_json(found)
            return
        rows = [tuple(one[column] for column in COLUMNS) for one in found["items"]]
        print_table(counted(len(rows), "decision"), COLUMNS, rows)
        return
    shown = asyncio.run(_opened(running, who, decision))
    if not yes:
        _show(shown)
        if not typer.confirm(f"Sign this as {who.key.account}?"):
            raise VerbEndedError(Exit.FAILED, "nothing was signed")
    # Only what was shown is signed, whatever the API shows the next time.
    reply = asyncio.run(_agree(running, who, decision, proposed_command(shown)))
    if not reply.ok:
        raise ended_by_problem(reply)
    body = reply.body
    words = f"{', '.join(body['events'])} on {body['case_id']}, signed by two people"
    print_answer(body, words, as_json)
    if not as_json:
        account = who.key.account
        tell_new(asyncio.run(new_in_name_of(running, account)), account)


def _show(proposed: Json) -> None:
    out.print(f"{proposed['act']} on {proposed['about']}, signed by {proposed['proposed_by']}")
    rows = [(name, str(value)) for name, value in proposed["command"].items() if name != "salt"]
    print_table("What is to be signed", ("field", "value"), rows)


async def _waiting(running: Running, who: AsPerson) -> Json:
    async with api_of(running, who) as api:
        return await fetched(api, "decisions")


async def _opened(running: Running, who: AsPerson, decision: str) -> Json:
    async with api_of(running, who) as api:
        return await sent(api, f"decisions/{decision}/open", {})


async def _agree(running: Running, who: AsPerson, decision: str, shown: Command) -> Reply:
    async with api_of(running, who) as api:
        return await agree(Signer.of(api, who), decision, shown)
