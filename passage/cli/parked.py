"""`passage parked`: what could not be processed: retry, read, take up or set it aside."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from passage import parked as room
from passage.api import Json
from passage.cli.options import DEFAULT_DATA_DIR, PURPOSES, As, AsJson, DataDir, purpose_given
from passage.exits import Exit
from passage.own_keys import as_person
from passage.printing import counted, print_answer, print_json, print_table
from passage.running import find_running
from shared import subjects
from shared.commands.base import ParkedCommand
from shared.commands.parked import SetParkedAside, TakeUpParked

UNREADABLE = "unreadable"
COLUMNS = ("parked_id", "service", "reason", "field", "expected", "deliveries", "parked_at")

ParkedId = Annotated[str, typer.Argument(help="Its id, as `parked list` shows it.")]
Purpose = Annotated[str, typer.Option(help=f"What for, recorded: {PURPOSES}.")]
Remark = Annotated[str | None, typer.Option(help="More on the purpose; recorded.")]

parked = typer.Typer(help="What could not be processed.", no_args_is_help=True)


@parked.command("list")
def list_verb(
    account: As = None, data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False
) -> None:
    """List what is parked and why; the original stays sealed."""
    running = find_running(data)
    found = asyncio.run(room.waiting(running, as_person(running, account)))
    if as_json:
        print_json([as_json_of(one) for one in found])
        return
    print_table(f"{counted(len(found), 'message')} parked", COLUMNS, map(as_row, found))


@parked.command("retry")
def retry_verb(
    parked_id: ParkedId,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Have the service try a parked message again; exit code 1 if it stays parked."""
    running = find_running(data)
    answer = asyncio.run(room.retry(running, as_person(running, account), parked_id))
    words = f"{parked_id}: {answer['result']} {answer['reason']}".rstrip()
    print_answer(answer, words, as_json)
    if answer["result"] == "still_parked":
        raise typer.Exit(Exit.FAILED)


@parked.command("read")
def read_verb(
    parked_id: ParkedId,
    purpose: Purpose,
    remark: Remark = None,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Show what a parked message says; who reads it and why is recorded first."""
    running = find_running(data)
    who = as_person(running, account)
    content = asyncio.run(room.read(running, who, parked_id, purpose_given(purpose, remark)))
    words = content["text"] if content["text"] is not None else content["base64"]
    print_answer(content, words, as_json)


def _settling(command: type[ParkedCommand], words: str) -> Callable[..., None]:
    def verb(
        parked_id: ParkedId,
        purpose: Purpose,
        remark: Remark = None,
        account: As = None,
        data: DataDir = DEFAULT_DATA_DIR,
        as_json: AsJson = False,
    ) -> None:
        running = find_running(data)
        who = as_person(running, account)
        why = purpose_given(purpose, remark)
        answer = asyncio.run(room.settle(running, who, command, parked_id, why))
        print_answer(answer, f"{parked_id}: {words.format(**answer)}", as_json)

    return verb


parked.command("take-up", help="Make a case of a channel's message that isn't a readable call.")(
    _settling(TakeUpParked, "is case {case_id}")
)
parked.command(
    "set-aside", help="Set a parked message aside for good; who did so and why stays on record."
)(_settling(SetParkedAside, "set aside"))


@parked.command("clear")
def clear_verb(data: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Delete what was taken up or set aside; the record of it stays."""
    count = asyncio.run(room.clear_all(find_running(data)))
    words = f"{counted(count, 'parked message')} deleted, taken up or set aside before"
    print_answer({"deleted": count}, words, as_json)


def as_json_of(one: Json) -> Json:
    if one["parked_id"] is None:
        return {"parked_id": None, "reason": UNREADABLE, "parked_sequence": one["sequence"]}
    return {**one, "parked_sequence": one["sequence"]}


def as_row(one: Json) -> tuple[object, ...]:
    if one["parked_id"] is None:
        return ("", "", UNREADABLE, f"sequence {one['sequence']} of {subjects.PARKED}", "", "", "")
    return tuple(one[column] for column in COLUMNS)
