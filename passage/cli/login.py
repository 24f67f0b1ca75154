"""`passage login`: register this machine's key file by a link, or log in with the one it has."""

import asyncio
import socket
from typing import Annotated

import typer

from passage.api import Json, api_of, fetched, sent
from passage.cli.options import DEFAULT_DATA_DIR, As, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, as_person, enrolment_of, link_of, made_key, own_keys
from passage.own_signatures import SignedBy, new_in_name_of, tell_new
from passage.printing import counted, err, print_answer
from passage.running import Running, find_running

LABEL_CHARACTERS = 100


def login_verb(
    link: Annotated[
        str | None, typer.Option(help="A supervisor's link: registers a key file made now.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End the session, not the key.")] = False,
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Log in with a key file; every other verb does so by itself when a session is over."""
    if link is not None and (end or account is not None):
        raise VerbEndedError(Exit.USAGE, "--link names the account; give it alone")
    running = find_running(data)
    if link is not None:
        asyncio.run(_enrol(running, link))
    who = as_person(running, account if link is None else link_of(link)[1])
    if end:
        asyncio.run(_end(running, who))
        print_answer({"account": who.key.account}, f"{who.key.account} is logged out", as_json)
        return
    who.keys.forget_session(who.key.account)
    me = asyncio.run(_me(running, who))
    new = asyncio.run(new_in_name_of(running, me["account"]))
    roles = ", ".join(me["roles"]) or "none yet: a supervisor grants them"
    words = f"{me['account']} is logged in; roles: {roles}"
    if new is None and me["unseen_signatures"]:
        told = counted(me["unseen_signatures"], "signature")
        words += f"; by query, {told} in your name since you last looked: have `passage log signed "
        words += f"{me['account']}` run where the installation is"
    if new is not None:
        me["new_signatures"] = [one._asdict() for one in new]
    print_answer(me, words, as_json)
    if not as_json:
        tell_new(new, me["account"])
        _compare(me["unseen_signatures"], new)


def _compare(told: int, new: list[SignedBy] | None) -> None:
    if new is not None and told < len(new):
        words = "of them; if that stays so, somebody may be hiding the others: tell a supervisor"
        err.print(f"query shows {told} {words}")


async def _enrol(running: Running, link: str) -> None:
    """Raises VerbEndedError."""
    site, account, token = link_of(link)
    key = made_key(account, site)
    body = enrolment_of(key, token, socket.gethostname()[:LABEL_CHARACTERS] or "this machine")
    async with api_of(running) as api:
        await sent(api, "enrol/key", body)
    own_keys(running).keep(key)


async def _me(running: Running, who: AsPerson) -> Json:
    async with api_of(running, who) as api:
        return await fetched(api, "me")


async def _end(running: Running, who: AsPerson) -> None:
    async with api_of(running, who) as api:
        await sent(api, "session/end", {})
    who.keys.forget_session(who.key.account)
