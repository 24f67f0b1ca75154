"""Errors as problem+json (RFC 9457): they name the field and the rule, never a value.

FastAPI's and pydantic's own error bodies repeat what was sent; so every handler here is ours.
"""

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from services.query.reads.served import ReadModelUnavailableError
from shared.diagnostics.logger import logger
from shared.keys.client import KeysDeniedError, KeysUnavailableError, TooManyError
from shared.log.case_log import LogError
from shared.written.wrong_fields import WrongField as BrokenRule
from shared.written.wrong_fields import wrong_field

MEDIA_TYPE = "application/problem+json"
SEALED_DETAIL = "The key holder is sealed or doesn't answer; `passage keys unseal` opens it."
TYPE_PREFIX = "urn:passage:problem:"
ERRORS_NAMED = 20
PARKED = "The stream of parked messages"


class ProblemError(Exception):
    """Any answer but the one asked for; `slug` is its kind."""

    def __init__(self, status: int, slug: str, detail: str, **more: Any) -> None:
        super().__init__(slug)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.more = more


def invalid(rule: str, *fields: str) -> ProblemError:
    errors = [{"field": one, "problem": rule} for one in fields]
    return ProblemError(422, "invalid", "A field breaks a rule.", errors=errors)


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Raises ProblemError if the log, or another stream, doesn't answer."""
    try:
        yield
    except LogError:
        detail = f"{what} doesn't answer; ask again."
        raise ProblemError(503, "unavailable", detail, service="log") from None


class WrongField(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    field: str
    problem: str


class Problem(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(hide_input_in_errors=True)

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] | None = None


def problems(*statuses: int | tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """A route's problems for OpenAPI: statuses, some with their meaning there."""
    described = [one if isinstance(one, tuple) else (one, None) for one in statuses]
    return {
        status: {"model": Problem, **({"description": text} if text else {})}
        for status, text in described
    }


def problem(
    status: int,
    slug: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> "Problematic":
    body = {
        "type": f"{TYPE_PREFIX}{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    answer = Problematic(body, status, headers=headers, media_type=MEDIA_TYPE)
    answer.detail, answer.more_headers = detail, dict(headers or {})
    return answer


class Problematic(JSONResponse):
    """A problem's body, with what a page says instead."""

    detail: str
    more_headers: dict[str, str]


def install(
    app: FastAPI,
    page: Callable[[Request, int, str], Response],
    require_asker: Callable[[Request], Awaitable[None]],
) -> None:
    """`page` shows a status and its detail to a person, instead of the JSON.

    A body is read before anybody looks who sent it, so `require_asker` raises ProblemError if they
    may not ask this at all: that is what they are told, and nothing of what they sent.
    """

    async def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, ProblemError):
            try:
                await require_asker(request)
            except ProblemError as refusal:
                error = refusal
        given = _answer(request, error)
        if not (isinstance(given, Problematic) and _is_of_a_page(request)):
            return given
        shown = await run_in_threadpool(page, request, given.status_code, given.detail)
        shown.headers.update(given.more_headers)
        return shown

    for kind in ANSWERED:
        app.add_exception_handler(kind, answer)


def errors_of(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Fields and rules from FastAPI's errors, whose places begin with body or query."""
    # A parameter shared by two readers is wrong for both; report it once.
    found = dict.fromkeys(_error_of(one) for one in errors)
    return [one._asdict() for one in list(found)[:ERRORS_NAMED]]


def _error_of(error: Mapping[str, Any]) -> BrokenRule:
    place, *names = error["loc"]
    return wrong_field(error, names, f"({place})")


def _answer(request: Request, error: Exception) -> Response:
    match error:
        case ProblemError(status=401) if _is_of_a_page(request):
            return RedirectResponse(f"/login?{urlencode({'back': request.url.path})}", 303)
        case ProblemError():
            return problem(error.status, error.slug, error.detail, **error.more)
        case RequestValidationError():
            detail = "The request can't be understood; `errors` says which field breaks which rule."
            return problem(422, "invalid", detail, errors=errors_of(error.errors()))
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase
            slug = phrase.lower().replace(" ", "-")
            return problem(error.status_code, slug, f"{phrase}.", headers=error.headers)
        case TooManyError():
            seconds = math.ceil(error.retry_after_s)
            said, headers = f"Too many: {error.expected}.", {"Retry-After": str(seconds)}
            return problem(429, "too-many", said, headers, retry_after_s=seconds)
        case KeysUnavailableError():
            return problem(503, "sealed", SEALED_DETAIL)
        case KeysDeniedError():
            logger.warning("keys_denied")
            detail = "The key holder doesn't grant this; the policy says what it does."
            return problem(403, "denied", detail)
        case _:
            return problem(503, "unavailable", "The read model doesn't answer; /readyz says why.")


def _is_of_a_page(request: Request) -> bool:
    """Whether a person reads the answer in a browser, and may be sent to log in first."""
    wants_html = "text/html" in request.headers.get("accept", "")
    return request.method == "GET" and wants_html and not request.url.path.startswith("/api/")


ANSWERED = (
    *(ProblemError, RequestValidationError, HTTPException, KeysUnavailableError),
    *(KeysDeniedError, ReadModelUnavailableError),
)
