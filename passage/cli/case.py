"""`passage case list|find|show`: cases as the read models show them, now or at an earlier time."""

import asyncio
from typing import Annotated, Any

import typer

from passage.api import Api, Json, api_of, fetched, sent
from passage.cli.options import DEFAULT_DATA_DIR, PURPOSES, As, AsJson, DataDir, purpose_given
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, as_person
from passage.printing import counted, err, out, print_json, print_table, short_time
from passage.running import Running, find_running
from shared.commands.case_numbers import typed_case_number

COLUMNS = ("case_id", "progress", "identity", "contact", "urgency", "channel", "calls", "version")
FOUND = ("case_id", "progress", "identity", "channel", "last_call_at", "suggestion")
TIMELINE = ("version", "happened at", "event", "actor", "details")
EVENTS_AT_ONCE = 500
DIGEST_CHARACTERS = 64
DIGEST_SHOWN = 8

cases = typer.Typer(help="Cases, as the read models show them.", no_args_is_help=True)


@cases.command("find")
def find_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    number: Annotated[str | None, typer.Option(help="Case number, in any spelling.")] = None,
    code: Annotated[str | None, typer.Option(help="Return code.")] = None,
    caller: Annotated[str | None, typer.Option(help="CHANNEL:ADDRESS, as phone:+380...")] = None,
    service_number: Annotated[str | None, typer.Option(help="Service number.")] = None,
    name: Annotated[str | None, typer.Option(help="Name, in either alphabet.")] = None,
    purpose: Annotated[str | None, typer.Option(help=f"What for: {PURPOSES}.")] = None,
    remark: Annotated[str | None, typer.Option(help="More on the purpose; recorded.")] = None,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Find cases by one option; all but --number need --purpose, which is recorded."""
    given = {
        "case_number": number,
        "return_code": code,
        "caller": _caller(caller) if caller is not None else None,
        "service_number": service_number,
        "name": name,
    }
    wanted: Json = {field: value for field, value in given.items() if value is not None}
    if len(wanted) != 1:
        options = "--number, --code, --caller, --service-number, --name"
        raise VerbEndedError(Exit.USAGE, f"give exactly one of {options}")
    if number is None and not purpose:
        raise VerbEndedError(Exit.USAGE, f"the search needs --purpose, recorded: {PURPOSES}")
    running = find_running(data)
    why = purpose_given(purpose, remark) if number is None else {}
    found = asyncio.run(_found(running, as_person(running, account), {**wanted, **why}))
    if as_json:
        print_json(found)
        return
    rows = [tuple(_cell(column, item.get(column)) for column in FOUND) for item in found["items"]]
    title = counted(len(rows), "case")
    print_table(f"{title}; there may be more" if found.get("more") else title, FOUND, rows)


def _cell(column: str, value: object) -> object:
    if column == "suggestion" and isinstance(value, dict):
        return f"{value['score']} ({', '.join(value['agrees'])})"
    return value


def _caller(text: str) -> Json:
    channel, colon, address = text.partition(":")
    if not colon or not address:
        raise VerbEndedError(Exit.USAGE, "--caller: must be CHANNEL:ADDRESS")
    return {"channel": channel, "address": address}


async def _found(running: Running, who: AsPerson, wanted: Json) -> Json:
    async with api_of(running, who) as api:
        return await sent(api, "search", wanted)


@cases.command("list")
def list_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    progress: Annotated[str | None, typer.Option(help="Only this progress.")] = None,
    identity: Annotated[str | None, typer.Option(help="Only this identity.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    urgency: Annotated[str | None, typer.Option(help="Only this urgency.")] = None,
    is_open: Annotated[
        bool | None, typer.Option("--open/--closed", help="Only open or only closed cases.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most this many.")] = 50,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List cases, without personal data."""
    filters = {
        "progress": progress,
        "identity": identity,
        "channel": channel,
        "urgency": urgency,
        "open": None if is_open is None else str(is_open).lower(),
        "limit": limit,
    }
    running = find_running(data)
    found = asyncio.run(_fetch(running, as_person(running, account), "cases", filters))
    if as_json:
        print_json(found)
        return
    rows = [
        (*(item.get(column) for column in COLUMNS), short_time(item.get("last_event_at")))
        for item in found["items"]
    ]
    print_table(counted(len(rows), "case"), (*COLUMNS, "last event"), rows)
    if found.get("next"):
        out.print("there are more cases; raise --limit to see them")


@cases.command("show")
def show_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    case_id: Annotated[str, typer.Argument(help="Case number.", parser=typed_case_number)],
    as_of: Annotated[int | None, typer.Option(help="As it was at this version.")] = None,
    as_of_time: Annotated[
        str | None, typer.Option(help="As it was at this time (ISO 8601).")
    ] = None,
    reveal: Annotated[
        str | None,
        typer.Option(help="Open personal values: identity, location, narrative. This is recorded."),
    ] = None,
    purpose: Annotated[str | None, typer.Option(help=f"What for: {PURPOSES}.")] = None,
    remark: Annotated[str | None, typer.Option(help="More on the purpose; recorded.")] = None,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Show a case with its timeline; personal data stays sealed unless --reveal opens it."""
    if as_of is not None and as_of_time is not None:
        raise VerbEndedError(Exit.USAGE, "give --as-of or --as-of-time, not both")
    classes = [part.strip() for part in (reveal or "").split(",") if part.strip()]
    wanted = {**purpose_given(purpose, remark), "classes": classes}
    if reveal is not None and not (purpose and classes):
        raise VerbEndedError(Exit.USAGE, f"--reveal needs --purpose, recorded: {PURPOSES}")
    query = {"as_of_version": as_of, "as_of_time": as_of_time}
    running = find_running(data)
    who, opened = as_person(running, account), wanted if reveal is not None else None
    shown = asyncio.run(_show(running, who, case_id, query, opened))
    case = shown["case"]
    if as_of is not None and case["version"] < as_of:
        err.print(f"the case has no version {as_of} yet; this is version {case['version']}")
    if as_json:
        print_json(shown)
        return
    fields = [(name, _text(value)) for name, value in case.items() if value is not None]
    print_table(f"Case {case['case_id']}, version {case['version']}", ("field", "value"), fields)
    rows = [
        (
            entry["version"],
            short_time(entry["happened_at"]),
            entry["type_name"],
            ", signed by ".join(filter(None, (entry["actor"], ", ".join(entry["signed_by"])))),
            _text(entry["details"]),
        )
        for entry in shown["timeline"]
    ]
    print_table("Timeline", TIMELINE, rows)


async def _show(
    running: Running, who: AsPerson, case_id: str, query: Json, wanted: Json | None
) -> Json:
    async with api_of(running, who) as api:
        shown = await _whole(api, f"cases/{case_id}", query)
        if wanted is None:
            return shown
        body = {**wanted, "up_to_version": shown["case"]["version"]}
        values = await _revealed(api, f"cases/{case_id}/reveal", body)
    details = {entry["version"]: entry["details"] for entry in shown["timeline"]}
    for one in values:
        if one["version"] in details:
            value = one["value"] if one["state"] == "open" else one["state"]
            details[one["version"]][one["field"]] = value
    return shown


async def _whole(api: Api, path: str, query: Json) -> Json:
    """A case with its whole timeline, as it was when the first page was read."""
    shown = await fetched(api, path, limit=EVENTS_AT_ONCE, **query)
    version = shown["case"]["version"]
    while (cursor := shown.pop("next")) is not None:
        page = await fetched(api, path, limit=EVENTS_AT_ONCE, cursor=cursor, **query)
        shown["timeline"] += [one for one in page["timeline"] if one["version"] <= version]
        shown["next"] = page["next"]
    return shown


async def _revealed(api: Api, path: str, body: Json) -> list[Json]:
    page = await sent(api, path, body)
    values: list[Json] = page["values"]
    while page["next"] is not None:
        page = await sent(api, path, {**body, "cursor": page["next"]})
        values += page["values"]
    return values


async def _fetch(running: Running, who: AsPerson, path: str, query: Json) -> Json:
    async with api_of(running, who) as api:
        return await fetched(api, path, **query)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(part)}" for name, part in value.items() if part != [])
    if isinstance(value, list):
        return " ".join(_text(part) for part in value)
    text = "" if value is None else str(value)
    is_digest = len(text) == DIGEST_CHARACTERS and text.isalnum()
    return f"{text[:DIGEST_SHOWN]}..." if is_digest else text
