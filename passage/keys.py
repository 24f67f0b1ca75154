"""`passage keys`: rotate the keys, seal the installation, unseal it; and the files they lie in.

New keys can't open what was sealed with lost ones: for a log that is there, none are made.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from pydantic import BaseModel, ValidationError

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders
from passage.health import answers
from passage.init import make_installation
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.printing import counted, out, print_json
from passage.running import Running, ask_to_unseal, find_running, settings_of_environment
from services.keyholder.secrets import HOLDER, read_secrets
from shared import subjects
from shared.key_messages import Closed, Denied, PepperRenewed, Rotated
from shared.keyfiles import INTAKE_PUBLIC, KeyFilesError
from shared.keyholder import KEEPER, SEALED

KEY_FILES = (f"{HOLDER}/kek-*.key", f"{HOLDER}/pepper-*.key", f"{HOLDER}/intake.key", INTAKE_PUBLIC)
"""As patterns: keys of later epochs replace the first ones."""

ROTATION_TIMEOUT_S = 600.0
SEAL_TIMEOUT_S = 30.0
"""It is answered whatever else is under way, and who seals can't wait."""
UNSEAL_TIMEOUT_S = 30.0
ASK_AGAIN_S = 0.1

AnswerT = TypeVar("AnswerT", bound=BaseModel)

keys = typer.Typer(help="The key holder's keys.", no_args_is_help=True)


class SealedError(Exception):
    """The key holder doesn't answer; the installation is sealed, or not running."""


@keys.command("rotate")
def rotate_verb(
    pepper: Annotated[bool, typer.Option("--pepper", help="Renew the pepper instead.")] = False,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Wrap every data key under a new key-encryption key, and destroy all but the newest three.

    A backup older than the third rotation opens no personal value any more. With --pepper, make
    the hashes of callers, numbers and codes under a new pepper from now on.
    """
    running = find_running(data)
    done: Rotated | PepperRenewed
    if pepper:
        done = asyncio.run(_ask(running, "pepper", PepperRenewed))
        said = f"hashes are made under pepper {done.version} from now on"
    else:
        done = asyncio.run(_ask(running, "rotate", Rotated))
        kept = ", ".join(str(epoch) for epoch in done.epochs_kept)
        said = (
            f"{counted(done.cases, 'case')} wrapped under epoch {done.epoch}; epochs kept: {kept}"
        )
    if as_json:
        print_json(done.model_dump())
    else:
        out.print(said)
    if isinstance(done, Rotated) and done.dropped and not as_json:
        out.print(f"keys of a dropped epoch, erased by that: {', '.join(done.dropped)}")
    if isinstance(done, Rotated) and done.damaged:
        raise VerbEndedError(Exit.FAILED, f"keys don't unwrap of: {', '.join(done.damaged)}")


@keys.command("seal")
def seal_verb(data: DataDir = DEFAULT_DATA_DIR) -> None:
    """End the key holder: from this moment nothing personal can be opened, or sealed.

    Calls are still kept; they are worked on once it is unsealed.
    """
    asyncio.run(_ask(find_running(data), "close", Closed, SEAL_TIMEOUT_S))
    out.print("sealed; `passage keys unseal` starts the key holder again")


@keys.command("unseal")
def unseal_verb(data: DataDir = DEFAULT_DATA_DIR) -> None:
    """Have the key holder start again, or take its note away, and wait until it answers."""
    running = find_running(data)
    note = settings_of_environment().sealed_file
    if note is None:
        ask_to_unseal(data)
    else:
        _take_away(note)
    if not asyncio.run(_answers_again(running)):
        raise VerbEndedError(Exit.UNAVAILABLE, "the key holder doesn't answer; its log says why")
    out.print("unsealed")


async def asked(
    client: Client,
    operation: str,
    body: bytes,
    answer: type[AnswerT],
    timeout_s: float | None = None,
) -> AnswerT:
    """Asks the key holder in the keeper's name; what takes every key waits as long as a rotation.

    Raises SealedError, and VerbEndedError (1).
    """
    subject = subjects.keyholder(operation, KEEPER)
    try:
        reply = await client.request(subject, body, timeout=timeout_s or ROTATION_TIMEOUT_S)
    except NoRespondersError:
        raise SealedError(SEALED) from None
    except NatsError as error:
        raise SealedError(
            f"the key holder doesn't answer ({type(error).__name__}); it may do yet what it was "
            "asked for, and may be asked again"
        ) from None
    try:
        return answer.model_validate_json(reply.data)
    except ValidationError:
        denied = Denied.model_validate_json(reply.data)
    if denied.denied == "sealed":
        raise SealedError(SEALED)
    raise VerbEndedError(Exit.FAILED, f"{denied.denied}: {denied.expected}")


def ensure_keys(folders: Folders) -> None:
    """Makes the key files of a new data folder; those of an old one must be there.

    Raises VerbEndedError (1) that names the file and what to do.
    """
    missing = [name for name in KEY_FILES if not any(folders.keys.glob(name))]
    if missing and folders.has_log:
        raise VerbEndedError(
            Exit.FAILED,
            f"{', '.join(missing)} missing in {folders.keys}, and {folders.data} holds a log that "
            "only the old key files open: put them back from their copy, or choose a new folder "
            "with --data",
        )
    try:
        make_installation(folders.keys)
        read_secrets(folders.keys)
    except (KeyFilesError, OSError) as error:
        raise VerbEndedError(Exit.FAILED, f"{folders.keys}: {error}") from None


def _take_away(note: Path) -> None:
    try:
        note.unlink(missing_ok=True)
    except OSError as error:
        raise VerbEndedError(
            Exit.FAILED, f"PASSAGE_SEALED_FILE {note} can't be removed ({error.strerror})"
        ) from None


async def _ask(
    running: Running, operation: str, answer: type[AnswerT], timeout_s: float | None = None
) -> AnswerT:
    async with connected(running) as client:
        try:
            return await asked(client, operation, b"", answer, timeout_s)
        except SealedError as error:
            raise VerbEndedError(Exit.UNAVAILABLE, str(error)) from None


async def _answers_again(running: Running) -> bool:
    deadline = time.monotonic() + UNSEAL_TIMEOUT_S
    async with connected(running) as client:
        while time.monotonic() < deadline:
            if await answers(client, "keyholder"):
                return True
            await asyncio.sleep(ASK_AGAIN_S)
    return False
