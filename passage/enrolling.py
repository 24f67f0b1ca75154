"""Enrols whoever runs `passage up --enrol`, and the demo's people, each with a key file.

The keeper adds them all at once, as long as there is no supervisor.
"""

import asyncio
import getpass
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from passage.api import Api, api_of, sent
from passage.demo.player import STAFF, SUPERVISOR
from passage.exits import Exit, VerbEndedError
from passage.own_keys import (
    ACCOUNT,
    AsPerson,
    OwnKeys,
    enrolment_of,
    installations,
    link_of,
    made_key,
)
from passage.people import Newcomer, add
from passage.running import Running
from passage.signing import Signer, give
from services.desk.people import RESERVED
from shared.events.people import Role, log_of
from shared.people.sessions import hash_of, new_token

OWN_ROLES: tuple[Role, ...] = ("supervisor", "operator")
LABEL = "passage up --enrol"


class Enrolled(NamedTuple):
    account: str
    """Whoever runs the system."""
    others: Sequence[str]
    link: str | None
    """At which their browser registers a passkey; None if enough links wait already."""


async def enrolled(running: Running) -> Enrolled | None:
    """Who acts here; None if other people were added before, and have their keys elsewhere.

    Raises VerbEndedError.
    """
    keys = installations(running)
    async with api_of(running) as api:
        if not keys.accounts:
            try:
                links = await asyncio.to_thread(add, running, newcomers())
            except VerbEndedError as error:
                if error.code != Exit.REFUSED:
                    raise
                return None
            await _register(api, keys, links)
        else:
            keys.move(await _site_of(api))
        first = keys.first()
        others = [one for one in keys.accounts if one != first]
        return Enrolled(first, others, await _browser_link(api, keys, first))


def is_enrolled(running: Running) -> bool:
    """Whether everybody has the key file that `enrolled` makes."""
    return {*installations(running).accounts} >= {one.account for one in newcomers()}


def newcomers() -> list[Newcomer]:
    """The supervisors come last: from then on the keeper adds nobody."""
    roles = {**STAFF, own_account(): OWN_ROLES}
    roles[SUPERVISOR] = roles.pop(SUPERVISOR)
    return [Newcomer(account, account, its) for account, its in roles.items()]


def own_account() -> str:
    """The name by which the machine knows whoever runs this, if it can be an account."""
    try:
        name = getpass.getuser().lower()
    except (OSError, KeyError):  # The user has no name here, as in a container.
        name = ""
    is_free = ACCOUNT.fullmatch(name) and name not in RESERVED and name not in STAFF
    return name if is_free else "runner"


async def _register(api: Api, keys: OwnKeys, links: dict[str, str]) -> None:
    own = own_account()
    for account, link in links.items():
        site, _, token = link_of(link)
        key = made_key(account, site)
        await sent(api, "enrol/key", enrolment_of(key, token, LABEL))
        keys.keep(key, is_first=account == own)


async def _site_of(api: Api) -> str:
    """This installation's own address: its port may be another than at the last start."""
    return str((await sent(api, "login/key/options", {"account": SUPERVISOR}))["site"])


async def _browser_link(api: Api, keys: OwnKeys, account: str) -> str | None:
    """Offered by a colleague, because nobody offers one to themself."""
    key, token = keys.of(SUPERVISOR), new_token()
    offer = {
        "command_id": uuid4().hex,
        "case_id": log_of(account),
        "token_hash": hash_of(token),
    }
    first, second = (Signer.of(api, AsPerson(keys, keys.of(one))) for one in (SUPERVISOR, account))
    reply = await give(first, "OfferEnrolment", offer, "start again", second)
    return f"{key.site}/enrol/{account}.{token}" if reply.ok else None
