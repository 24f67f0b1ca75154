"""The FastAPI app: routes, guards and errors put together."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles

from services.query.api import (
    accesses,
    authenticator,
    boards,
    budgets,
    candidates,
    cases,
    commands,
    decisions,
    enrolment,
    exports,
    groups,
    health,
    logins,
    me,
    metrics,
    parked,
    people,
    reveal,
    search,
    shifts,
    signing,
    statistics,
    ties,
)
from services.query.context import Context
from services.query.http_guards import Guards
from services.query.pages import audit, doors, own
from services.query.pages import people as people_pages
from services.query.pages import routes as pages
from services.query.pages.refusing import problem_page
from services.query.requests.authorised import MAY, require_asker
from services.query.requests.problems import install, problems
from shared.servers.certificates import names_in
from shared.settings import Settings


def _name_of(route: APIRoute) -> str:
    return route.name


IN_SESSION = APIRouter(
    dependencies=[MAY], responses=problems((401, "Log in first"), (403, "Not for your roles"))
)
for _made in (cases, search, candidates, reveal, statistics, exports, commands):
    IN_SESSION.include_router(_made.router)
for _made in (
    boards,
    budgets,
    decisions,
    groups,
    shifts,
    ties,
    accesses,
    authenticator,
    parked,
    me,
    metrics,
    people,
    signing,
):
    IN_SESSION.include_router(_made.router)
for _made in (own, people_pages, audit, pages):
    IN_SESSION.include_router(_made.router)
ROUTES = APIRouter(
    generate_unique_id_function=_name_of, responses=problems((422, "A field breaks a rule"))
)
for _made in (health, logins, enrolment, doors):
    ROUTES.include_router(_made.router)
ROUTES.include_router(IN_SESSION)
ROUTES.mount("/static", StaticFiles(packages=[("services.query", "static")]), name="static")


def create_app(context: Context) -> FastAPI:
    app = FastAPI(
        title="Passage",
        summary="Read models and commands of the case system of a surrender hotline",
        version=context.version,
        # The documentation pages would fetch scripts from other sites; openapi.json stays.
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        # Every app has the same ones: FastAPI reads their types only once.
        routes=ROUTES.routes,
    )
    app.state.context = context
    install(app, problem_page, require_asker)
    site = context.ways.site
    app.add_middleware(
        Guards,
        metrics=context.metrics,
        names={*_own_names(context.settings), site.rp_id},
        by_tls_only=site.origin.startswith("https:") and not site.is_here,
    )
    return app


def _own_names(settings: Settings) -> Iterable[str]:
    """The names it may be addressed by, besides loopback's and its site's."""
    host = settings.http.rpartition(":")[0].strip("[]").lower()
    certificate = settings.http_certificate
    return (host, *(names_in(certificate) if certificate is not None else ()))
