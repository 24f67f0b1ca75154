"""The first layer of every request: who may ask, headers on every answer, and counting.

A page of another site must neither send commands nor, by DNS rebinding, read anything.
"""

import asyncio
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.query.feed.metrics import Metrics
from services.query.requests.caller import COOKIE
from services.query.requests.problems import problem
from shared.diagnostics.logger import logger, place_of

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
KNOWN_METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
BODY_MAX_BYTES = 262_144
"""The largest request; a text of 10,000 characters, each escaped in JSON, takes half of it."""

BODY_WITHIN_S = 10.0

SAME_SITE = frozenset({"same-origin", "none"})
"""Sec-Fetch-Site of requests from our pages or the address bar."""

ANSWER_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    # With none at all, a form's POST says that it comes from `null`.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
BY_TLS_ONLY = {"strict-transport-security": "max-age=31536000"}
"""For a year browsers come by TLS alone, and let nobody past a certificate that is wrong."""


class Guards:
    """Our outermost layer of the app."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, names: Iterable[str], *, by_tls_only: bool = False
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._names = LOOPBACK_NAMES.union(names)
        self._headers = ANSWER_HEADERS | (BY_TLS_ONLY if by_tls_only else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        try:
            refusal = self._refusal(scope["method"], Headers(scope=scope))
            await (refusal or self._app)(scope, _limited(receive), answer)
        except Exception as error:  # Every request must get an answer, without the error's text.
            logger.error("fault", error=type(error).__name__, place=place_of(error))
            if not status:
                fault = problem(500, "fault", "A bug in Passage; the log says where.")
                await fault(scope, receive, answer)
        finally:
            self._count(scope, status, time.perf_counter() - began)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        host = _name_in(headers.get("host", ""))
        if host not in self._names:
            detail = (
                "This server doesn't go by that name; use the one of PASSAGE_SITE, "
                "one in its certificate, or the one in PASSAGE_HTTP."
            )
            return problem(421, "foreign-host", detail)
        if method not in SAFE_METHODS and not _is_from_here(headers):
            return problem(403, "cross-site", "Another site's page may not change anything here.")
        if _is_too_long(headers.get("content-length", "0")):
            return problem(413, "content-too-large", f"At most {BODY_MAX_BYTES} bytes.")
        return None

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_seconds.labels(method, route).observe(seconds)


def _is_too_long(length: str) -> bool:
    """Whether the declared length is too long; one that isn't a number is checked while reading."""
    digits = length.lstrip("0")
    if not (digits.isascii() and digits.isdigit()):
        return False
    return len(digits) > len(str(BODY_MAX_BYTES)) or int(digits) > BODY_MAX_BYTES


def _limited(receive: Receive) -> Receive:
    """A `receive` that refuses a body that grows too long or takes too long."""
    received, is_whole = 0, False
    until = asyncio.get_running_loop().time() + BODY_WITHIN_S

    async def limited() -> Message:
        nonlocal received, is_whole
        if is_whole:  # Whatever comes then is the end of the connection.
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        is_whole = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > BODY_MAX_BYTES:
            raise HTTPException(413)
        return message

    return limited


def _is_from_here(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in SAME_SITE
    origin = headers.get("origin")
    if origin is not None:  # Browsers too old for the first send the second.
        return urlsplit(origin).netloc == headers.get("host")
    # Programs send neither, and no cookie either: they have a token of their own.
    return COOKIE not in headers.get("cookie", "")


def _name_in(host: str) -> str:
    try:
        # A trailing dot makes the same name fully qualified.
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""
