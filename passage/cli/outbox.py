"""`passage outbox`: plays a channel that sends messages to callers and reports on them.

For trying things out: a real channel's adapter does the same with its own key and identity.
"""

import asyncio
from typing import Annotated, cast, get_args

import typer
from nats.errors import Error as NatsError
from pydantic import ValidationError

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.deliveries import ToSend, station_of
from passage.exits import Exit, VerbEndedError, ended_by
from passage.printing import out, print_json, print_table
from passage.running import Running, find_running
from shared.commands.case_numbers import typed_case_number
from shared.events.calls import DeliveryFault, DeliveryOutcome
from shared.events.fields import Channel
from shared.keys.boxes import BoxBrokenError
from shared.keys.keyfiles import KeyFilesError

Asked = tuple[str, DeliveryOutcome | None, DeliveryFault | None]
"""A message and its case (`ID@CASE`; empty: the next one), what became of it, and why."""


def outbox_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    channel: Annotated[str, typer.Option(help="telegram, whatsapp, signal, web, phone, walk_in.")],
    report: Annotated[
        DeliveryOutcome | None, typer.Option(help="Report at once what became of it.")
    ] = None,
    reason: Annotated[DeliveryFault | None, typer.Option(help="With --report failed: why.")] = None,
    message: Annotated[
        str, typer.Option(help="Take none; report on this one, given as MESSAGE@CASE.")
    ] = "",
    wait: Annotated[float, typer.Option(help="How long to wait for a message, seconds.")] = 1.0,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Take the next message that a channel is to send, show it, and report what became of it.

    A message can be taken once only. Exit code 1 if none is waiting.
    """
    if channel not in get_args(Channel):
        raise VerbEndedError(Exit.INVALID, f"--channel: one of {', '.join(get_args(Channel))}")
    if message and (report is None or "@" not in message):
        raise VerbEndedError(Exit.INVALID, "--message: as MESSAGE@CASE, with --report")
    running = find_running(data)
    asked = (message, report, reason)
    found = asyncio.run(_carry_out(running, cast(Channel, channel), asked, wait))
    if message:
        return
    if found is None:
        raise VerbEndedError(Exit.FAILED, f"no message is waiting for {channel}")
    _print(found, report, as_json)


async def _carry_out(
    running: Running, channel: Channel, asked: Asked, wait_s: float
) -> ToSend | None:
    message, outcome, reason = asked
    try:
        async with station_of(running, channel) as station:
            if message:
                message_id, _, case_id = message.partition("@")
                known_case = typed_case_number(case_id)
                await station.report(message_id, known_case, outcome or "sent", reason)
                return None
            if outcome is None:
                return await station.receive(wait_s)
            return await station.deliver_next(wait_s, outcome, reason)
    except ValidationError as error:
        raise ended_by(error) from None
    except (KeyFilesError, BoxBrokenError) as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    except NatsError as error:
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"nats-server doesn't answer ({type(error).__name__})"
        ) from None


def _print(found: ToSend, report: str | None, as_json: bool) -> None:
    message = found.message
    shown = {
        "message_id": message.message_id,
        "case_id": message.case_id,
        "language": message.language,
        "valid_until": message.valid_until.isoformat(),
        "to_address": found.to_address,
        "text": found.text,
        "reported": report,
    }
    if as_json:
        print_json(shown)
        return
    print_table("To send", ("what", "value"), list(shown.items()))
    if report is None:
        known = f"--message {message.message_id}@{message.case_id}"
        out.print(f"report: passage outbox --channel {message.channel} {known} --report sent")
