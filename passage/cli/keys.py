"""`passage keys`: rotate the keys, seal the installation, unseal it."""

import asyncio
import time
from typing import Annotated

import typer

from passage.asking_keyholder import AnswerT, asked
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.printing import counted, out, print_answer
from passage.runner.health import answers
from passage.running import Running, ask_to_unseal, find_running, settings_of_environment
from shared.keys.messages import Closed, PepperRenewed, Rotated

SEAL_TIMEOUT_S = 30.0
"""Answered at once, whatever else is under way: sealing can't wait."""
UNSEAL_TIMEOUT_S = 30.0
ASK_AGAIN_S = 0.1

keys = typer.Typer(help="The key holder's keys.", no_args_is_help=True)


@keys.command("rotate")
def rotate_verb(
    pepper: Annotated[bool, typer.Option("--pepper", help="Renew the pepper instead.")] = False,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Wrap every data key under a new key-encryption key, and destroy all but the newest three.

    After three rotations a backup's personal values can no longer be opened. With --pepper, hash
    callers, numbers and codes under a new pepper from now on.
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
        if done.dropped:
            said += f"\nkeys of a dropped epoch, erased by that: {', '.join(done.dropped)}"
    print_answer(done.model_dump(), said, as_json)
    if isinstance(done, Rotated) and done.damaged:
        raise VerbEndedError(Exit.FAILED, f"can't unwrap the keys of: {', '.join(done.damaged)}")


@keys.command("seal")
def seal_verb(data: DataDir = DEFAULT_DATA_DIR) -> None:
    """Stop the key holder: from now on nothing personal can be opened or sealed.

    Calls are still kept; they are processed once it is unsealed.
    """
    asyncio.run(_ask(find_running(data), "close", Closed, SEAL_TIMEOUT_S))
    out.print("sealed; `passage keys unseal` starts the key holder again")


@keys.command("unseal")
def unseal_verb(data: DataDir = DEFAULT_DATA_DIR) -> None:
    """Let the key holder start again, and wait until it answers."""
    running = find_running(data)
    note = settings_of_environment().sealed_file
    if note is None:
        ask_to_unseal(data)
    else:
        try:
            note.unlink(missing_ok=True)
        except OSError as error:
            raise VerbEndedError(
                Exit.FAILED, f"PASSAGE_SEALED_FILE {note} can't be removed ({error.strerror})"
            ) from None
    if not asyncio.run(_answers_again(running)):
        raise VerbEndedError(Exit.UNAVAILABLE, "the key holder doesn't answer; its log says why")
    out.print("unsealed")


async def _ask(
    running: Running, operation: str, answer: type[AnswerT], timeout_s: float | None = None
) -> AnswerT:
    async with connected(running) as client:
        return await asked(client, operation, b"", answer, timeout_s)


async def _answers_again(running: Running) -> bool:
    deadline = time.monotonic() + UNSEAL_TIMEOUT_S
    async with connected(running) as client:
        while time.monotonic() < deadline:
            if await answers(client, "keyholder"):
                return True
            await asyncio.sleep(ASK_AGAIN_S)
    return False
