"""Errors as problem+json (RFC 9457): they name the field and the rule, never a value.

FastAPI's and pydantic's own error bodies repeat what was sent; so every handler here is ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from services.query.reads.served import ReadModelUnavailableError
from shared.keyholder import KeysDeniedError, KeysUnavailableError, TooManyError
from shared.logs import logger
from shared.wrong_fields import WrongField as BrokenRule
from shared.wrong_fields import wrong_field

MEDIA_TYPE = "application/problem+json"
SEALED_DETAIL = "The key holder is sealed or doesn't answer; `passage keys unseal` opens it."
TYPE_PREFIX = "urn:passage:problem:"
ERRORS_NAMED = 20
"""At most so many fields are named in one answer."""


class ProblemError(Exception):
    """An answer that is not what was asked for; `slug` is its kind."""

    def __init__(self, status: int, slug: str, detail: str, **more: Any) -> None:
        super().__init__(slug)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.more = more


def invalid(rule: str, *fields: str) -> ProblemError:
    """The problem of fields that break one rule."""
    errors = [{"field": one, "problem": rule} for one in fields]
    return ProblemError(422, "invalid", "A field breaks a rule.", errors=errors)


def unanswered(what: str) -> ProblemError:
    """The problem of a stream that doesn't answer."""
    return ProblemError(503, "unavailable", f"{what} doesn't answer; ask again.", service="log")


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


def problems(*statuses: int | tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI of its problems: statuses, some with what they mean there."""
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
) -> JSONResponse:
    """One problem as a response."""
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
    app.add_exception_handler(TooManyError, _on_too_many)
    app.add_exception_handler(KeysUnavailableError, _on_sealed)
    app.add_exception_handler(KeysDeniedError, _on_denied)


def errors_of(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Gives fields and rules out of FastAPI's errors, whose places begin with body or query."""
    # A parameter that two readers share is wrong for both; it is said once.
    found = dict.fromkeys(_error_of(one) for one in errors)
    return [one._asdict() for one in list(found)[:ERRORS_NAMED]]


def _error_of(error: Mapping[str, Any]) -> BrokenRule:
    place, *names = error["loc"]
    return wrong_field(error, names, f"({place})")


async def _on_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it was registered
    detail = "The request can't be understood; `errors` says which field breaks which rule."
    return problem(422, "invalid", detail, errors=errors_of(error.errors()))


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


async def _on_sealed(_: Request, _error: Exception) -> JSONResponse:
    return problem(503, "sealed", SEALED_DETAIL)


async def _on_too_many(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TooManyError)  # noqa: S101 - as it was registered
    seconds = math.ceil(error.retry_after_s)
    return problem(
        429,
        "too-many",
        f"Too many: {error.expected}.",
        headers={"Retry-After": str(seconds)},
        retry_after_s=seconds,
    )


async def _on_denied(_: Request, _error: Exception) -> JSONResponse:
    logger.warning("keys_denied")
    return problem(
        403, "denied", "The key holder doesn't grant this; the policy says what it does."
    )
