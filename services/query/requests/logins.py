"""What requests that log in share: how often they may, and how they are refused."""

from collections.abc import Callable, Hashable
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from services.query.context import AppContext, Context
from services.query.logins.tries import TRIES_MAX, Limit
from services.query.logins.ways import RefusedLoginError
from services.query.requests.problems import ProblemError, problems
from shared.jetstream.calls import RequestLostError
from shared.log.case_log import LogError

ResultT = TypeVar("ResultT")

NOT_PROVEN = problems(
    (401, "Not proven: `reason` says what is wrong with what was signed"),
    (429, "Too many attempts from this address; `retry_after_s`"),
    (503, "It can't be checked now"),
)
SAID: dict[str, str] = {
    "not_verified": "The key must ask for a PIN, fingerprint or face, and get it: try again.",
    "not_present": "The key must be touched: try again.",
    "challenge_over": "That took longer than two minutes, or was used before: begin again.",
    "key_unknown": "That key isn't registered; ask a supervisor for a link to register it.",
    "key_revoked": "That key was revoked; ask a supervisor for a link to register another.",
    "suspended": "This person is suspended; a supervisor can lift that.",
    "counter_back": "The key says that it was used elsewhere since: tell a supervisor at once.",
    "link_over": "The link was used, or is over; ask a supervisor for another.",
    "link_unknown": "No such link was offered; ask a supervisor for another.",
}
IPV6_NETWORK = 64
"""How many bits of an IPv6 address name a network; the rest its owner chooses."""
OTHERWISE = "What was signed isn't what was asked for, here: begin again at /login."


async def _not_too_often(request: Request, context: AppContext) -> None:
    require_tries(context, TRIES_MAX, address_of(request))


NOT_TOO_OFTEN = Depends(_not_too_often)
"""For every route that anybody may ask without a session. Raises ProblemError 429."""


def address_of(request: Request) -> str:
    """Where a request comes from, as it is counted: whoever has one IPv6 address has 2**64."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), IPV6_NETWORK), strict=False))


def require_tries(context: Context, limit: Limit, *of: Hashable) -> None:
    """Raises ProblemError 429."""
    wait_s = context.tries.wait_s(limit, *of)
    if wait_s:
        detail = f"Too many attempts from this address; again in {wait_s} s."
        raise ProblemError(429, "too-many", detail, retry_after_s=wait_s)


async def answered(context: Context, work: Callable[[], ResultT]) -> ResultT:
    """Runs what blocks. Raises ProblemError 401 for whoever isn't let in, and 503."""
    try:
        return await run_in_threadpool(work)
    except RefusedLoginError as refused:
        context.refused.note(refused.kind, refused.account, refused.why)
        detail = SAID.get(refused.said, OTHERWISE)
        raise ProblemError(401, "not-proven", detail, reason=refused.said) from None
    except (LogError, RequestLostError):
        detail = "The messaging server doesn't answer; try again."
        raise ProblemError(503, "unavailable", detail, service="sessions") from None
