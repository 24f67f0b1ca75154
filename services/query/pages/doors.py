"""The pages that anybody may see: logging in, and registering a key by a link."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.query.context import AppContext
from services.query.pages.rendering import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/login")
async def login_page(context: AppContext, request: Request) -> str:
    return _door(context, request, "login.html")


@router.get("/enrol/{link}")
async def enrolment_page(context: AppContext, request: Request, link: str) -> str:
    """The page reads the link from its own address; the server needs it only to register."""
    del link
    return _door(context, request, "enrol.html")


def _door(context: AppContext, request: Request, page: str) -> str:
    """No passkey is made or used under another name than the site's, nor under an IP address."""
    origin = context.ways.site.origin
    is_here = request.headers.get("host", "") == urlsplit(origin).netloc
    elsewhere = None if is_here else f"{origin}{request.url.path}"
    return render(page, context, None, elsewhere=elsewhere)
