"""`passage do`: send a command through the API, as whoever is logged in."""

import asyncio
import json
from typing import Annotated, Any
from uuid import uuid4

import typer
from typer.core import TyperCommand
from typing_extensions import override

from passage.api import Json, Reply, api_of, ended_by_problem, fetched
from passage.cli.command_fields import mistyped_fields, named_command, typed_fields
from passage.cli.options import DEFAULT_DATA_DIR, As, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, as_person
from passage.own_signatures import new_in_name_of, tell_new
from passage.printing import err, out, print_json, print_table
from passage.running import Running, find_running
from passage.signing import Signer, give
from shared.commands.base import Decision
from shared.commands.case_numbers import typed_case_number
from shared.commands.catalogue import COMMANDS
from shared.events.people import OF_DECISIONS
from shared.events.shifts import OF_SHIFTS
from shared.people.signed import SIGNED

COMMAND = "passage.cli.do.command"


class CommandHelp(TyperCommand):
    """Its help also lists a command's fields, if a command is named before `--help`."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[COMMAND] = next((one for one in args if not one.startswith("-")), None)
        return super().parse_args(ctx, args)

    @override
    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        if ctx.meta.get(COMMAND):
            _print_fields(_known(ctx.meta[COMMAND]))


COMMAND_CLASS = CommandHelp


def do_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    command: Annotated[str, typer.Argument(help=f"One of {', '.join(COMMANDS)}.")],
    case: Annotated[
        str,
        typer.Option(
            "--case",
            help="Number of a case, a shift or an export.",
            parser=typed_case_number,
        ),
    ],
    seen: Annotated[
        int | None, typer.Option(help="Version that was seen; the newest if not given.")
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--set", help="field=text; nested: identity.surname=...")
    ] = None,
    json_fields: Annotated[
        list[str] | None, typer.Option("--set-json", help="field=JSON, for numbers and lists.")
    ] = None,
    command_id: Annotated[
        str | None, typer.Option(help="Makes it idempotent: a repeated id has no second effect.")
    ] = None,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Send a command; exit code 3 if a guard refuses it, 4 if a field is wrong.

    `passage do COMMAND --help` lists the command's fields, each with an example.
    """
    command = _known(command)
    body: Json = {"case_id": case, "command_id": command_id or uuid4().hex}
    for text in fields or ():
        put(body, *split(text))
    for text in json_fields or ():
        path, value = split(text)
        put(body, path, read_json(path, value))
    if mistyped := mistyped_fields(COMMANDS[command], body):
        raise VerbEndedError(Exit.INVALID, "; ".join(mistyped))
    running = find_running(data)
    who = as_person(running, account)
    reply = asyncio.run(_send(running, who, command, body, seen))
    _show(command, reply, as_json)
    if COMMANDS[command] in SIGNED and not as_json:
        account = who.key.account
        tell_new(asyncio.run(new_in_name_of(running, account)), account)


def _known(command: str) -> str:
    try:
        return named_command(command)
    except ValueError as error:
        raise VerbEndedError(Exit.USAGE, str(error)) from None


async def _send(
    running: Running, who: AsPerson, command: str, body: Json, seen: int | None
) -> Reply:
    async with api_of(running, who) as api:
        if issubclass(COMMANDS[command], Decision):
            if seen is None:
                path, name = seen_in(body["case_id"])
                seen = int((await fetched(api, path))[name]["version"])
            body["seen_version"] = seen
        again = f"sending it again with --command-id {body['command_id']} is safe"
        return await give(Signer.of(api, who), command, body, again)


def seen_in(log_id: str) -> tuple[str, str]:
    """The path and the key under which the API shows the state of a shift or a case."""
    if log_id.startswith(OF_SHIFTS):
        return f"shifts/{log_id}", "shift"
    return f"cases/{log_id}", "case"


def _show(command: str, reply: Reply, as_json: bool) -> None:
    if as_json:
        print_json(reply.body)
        if not reply.ok:
            raise typer.Exit(ended_by_problem(reply).code)
        return
    if not reply.ok:
        raise ended_by_problem(reply)
    body = reply.body
    events = ", ".join(body.get("events") or ()) or "nothing new"
    out.print(
        f"{command} on {body['case_id']}: {body['result']} ({events}), version {body['version']}, "
        f"sequence {body['sequence']}"
    )
    _show_made(body)
    if body.get("held_by"):
        err.print(f"{body['held_by']} works on the case; a claim locks nobody out")
    if not body.get("visible", True):
        err.print("the read models don't show it yet")


def _show_made(body: Json) -> None:
    """What the answer carries that somebody has to use."""
    if body["case_id"].startswith(OF_DECISIONS):
        out.print(f"it waits for a second person: passage agree {body['case_id']} --as ACCOUNT")
    if body.get("return_code"):
        out.print(f"return code to read out: {body['return_code']}")
    if body.get("message_id"):
        out.print(f"message: {body['message_id']}")


def _print_fields(command: str) -> None:
    fields = typed_fields(COMMANDS[command])
    out.print((COMMANDS[command].__doc__ or "").strip().splitlines()[0])
    rows = [("yes" if one.required else "", one.option, one.words) for one in fields]
    print_table(f"The fields of {command}", ("needed", "typed as", "what it holds"), rows)


def split(text: str) -> tuple[str, str]:
    """`field=value`; an error never repeats the value."""
    path, sign, value = text.partition("=")
    if not sign or not path:
        raise VerbEndedError(Exit.USAGE, "--set and --set-json take field=value")
    return path, value


def read_json(path: str, value: str) -> Any:
    try:
        return json.loads(value, parse_constant=_no_constant)
    except ValueError:
        raise VerbEndedError(Exit.INVALID, f"{path}: not JSON") from None


def _no_constant(name: str) -> Any:
    # Python reads NaN and Infinity, which JSON doesn't have.
    raise ValueError(f"{name} is not JSON")


def put(body: Json, path: str, value: Any) -> None:
    """Makes the objects on the way."""
    *parents, last = path.split(".")
    if not all(parents):
        raise VerbEndedError(Exit.USAGE, "a dotted path has an empty part")
    here = body
    for parent in parents:
        here = here.setdefault(parent, {})
        if not isinstance(here, dict):
            raise VerbEndedError(Exit.USAGE, f"{path}: {parent} is a value, not an object")
    here[last] = value
