"""`passage call`: publish a call as an upstream channel would."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, cast
from uuid import uuid4

import typer
from nats.errors import Error as NatsError
from pydantic import ValidationError

from passage.channel import Call, Kept, QuotaUsedUpError, TooLargeError, envelope_of, publish
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError, ended_by
from passage.printing import print_answer
from passage.running import Running, find_running
from shared.events.fields import Channel
from shared.keys.keyfiles import KeyFilesError, read_intake_public_key
from shared.subjects import channel_identity


def call_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    channel: Annotated[str, typer.Option(help="phone, telegram, whatsapp, signal, web, walk_in.")],
    caller: Annotated[
        str | None,
        typer.Option("--from", help="The caller's address; leave it out for a withheld number."),
    ] = None,
    withheld: Annotated[
        bool, typer.Option("--withheld", help="The caller hides his number.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="The name shown by his account.")] = None,
    region: Annotated[
        str | None, typer.Option(help="Country in which a national number is dialled: UA.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What was said or written.")] = None,
    language: Annotated[str, typer.Option(help="Language tag: ru, uk.")] = "ru",
    code: Annotated[str | None, typer.Option(help="Return code given by the caller.")] = None,
    call_id: Annotated[str | None, typer.Option(help="Call id; new if not given.")] = None,
    started_at: Annotated[
        str | None, typer.Option(help="ISO 8601 with a time zone; now if not given.")
    ] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Publish a call; exit code 0 once it is kept and can't be lost."""
    if caller is not None and not caller.strip():
        raise VerbEndedError(
            Exit.INVALID, "--from: must not be empty; leave it out for a withheld number"
        )
    call = Call(
        call_id=call_id or f"call-{uuid4().hex}",
        channel=cast(Channel, channel),
        address=caller,
        language=language,
        started_at=_moment(started_at),
        text=text,
        return_code=code,
        withheld=withheld,
        display_name=name,
        region=region,
    )
    kept = asyncio.run(_publish(find_running(data), call))
    words = f"call {call.call_id} is kept at sequence {kept.sequence} of {kept.stream}"
    print_answer({"call_id": call.call_id, **kept._asdict()}, words, as_json)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise VerbEndedError(Exit.INVALID, "--started-at: must be a time in ISO 8601") from None
    if moment.tzinfo is None:
        raise VerbEndedError(
            Exit.INVALID, "--started-at: needs a time zone, as in 2026-11-22T10:00:00Z"
        )
    return moment


async def _publish(running: Running, call: Call) -> Kept:
    try:
        envelope = envelope_of(call, read_intake_public_key(running.keys))
    except ValidationError as error:
        raise ended_by(error) from None
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    async with connected(running, channel_identity(call.channel)) as client:
        try:
            return await publish(client.jetstream(), envelope)
        except TooLargeError as error:
            raise VerbEndedError(
                Exit.INVALID,
                f"--text: the call is too large ({error}): shorten it, or send it in parts, each "
                "with a --call-id of its own",
            ) from None
        except QuotaUsedUpError as error:
            raise VerbEndedError(
                Exit.UNAVAILABLE,
                f"the call is not kept: too much of {call.channel} is waiting already ({error}). "
                f"Send it again later with --call-id {call.call_id}; is intake running?",
            ) from None
        except NatsError as error:
            raise VerbEndedError(
                Exit.UNAVAILABLE,
                f"the call was not acknowledged ({type(error).__name__}); sending it again with "
                f"--call-id {call.call_id} is safe",
            ) from None
