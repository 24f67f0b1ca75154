"""Errors as problem+json (RFC 9457): they name the field and the rule, never a value.

FastAPI's and pydantic's own error bodies repeat what was sent; so every handler here is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from services.query.reads import ReadModelUnavailableError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:passage:problem:"
ERRORS_NAMED = 20
"""At most so many fields are named in one answer."""

ECHOING = frozenset({"union_tag_invalid", "timezone_offset"})
"""pydantic's errors whose message repeats what was sent."""


class ProblemError(Exception):
    """An answer that is not what was asked for; `slug` is its kind."""

    def __init__(self, status: int, slug: str, detail: str, **more: Any) -> None:
        super().__init__(slug)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.more = more


class WrongField(BaseModel):
    """One thing wrong with one field."""

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


def problem(
    status: int,
    slug: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Gives one problem as a response."""
    body = {
        "type": f"{TYPE_PREFIX}{slug}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes the app answer its errors so."""
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(ReadModelUnavailableError, _on_unavailable)


def wrong_fields(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Gives fields and rules out of pydantic's errors; unknown fields aren't named."""
    return [{"field": _where(error), "problem": _what(error)} for error in errors[:ERRORS_NAMED]]


def _where(error: Mapping[str, Any]) -> str:
    # The first part says body, query or path; of malformed JSON the second is a position.
    parts = [str(part) for part in error["loc"]]
    place, names = parts[0], parts[1:]
    if error["type"] == "json_invalid" or not names:
        return f"({place})"
    if error["type"] == "extra_forbidden":
        names[-1] = "(unknown field)"  # The sender chose its name: it may hold anything.
    return ".".join(names)


def _what(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return "is not JSON"
    return "is not allowed here" if error["type"] in ECHOING else str(error["msg"])


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it was registered
    detail = "The request can't be understood; `errors` says which field breaks which rule."
    return problem(422, "invalid", detail, errors=wrong_fields(error.errors()))


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as it was registered
    phrase = HTTPStatus(error.status_code).phrase
    slug = phrase.lower().replace(" ", "-")
    return problem(error.status_code, slug, f"{phrase}.", headers=error.headers)


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 - as it was registered
    return problem(error.status, error.slug, error.detail, **error.more)


async def _on_unavailable(_: Request, _error: Exception) -> JSONResponse:
    return problem(503, "unavailable", "The read model doesn't answer; /readyz says why.")
