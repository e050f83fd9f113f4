"""The review screen as a web application: its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as HTTPError
from starlette.middleware import Middleware
from starlette.routing import Mount

from hilt.review.screen.api import api
from hilt.review.screen.gate import Gate
from hilt.review.screen.guard import Guard
from hilt.review.screen.protocol import Desk
from hilt.review.screen.refusals import misfit, wrong_page
from hilt.review.screen.rendering import keep_session, render, sign_in_page, templates
from hilt.review.screen.sessions import Sessions, new_token
from hilt.review.screen.signing_in import SlowDown, admit
from hilt.review.screen.visitor import Visitor

MANY_LABELS = 11  # from so many on, labels are found by typing
STATIC = Path(__file__).parent / "static"

pages = APIRouter(default_response_class=HTMLResponse)


def create_app(desk: Desk, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """Make the web application.

    Args:
        desk: Whose items it shows.
        host: Where the server listens; it decides which names a request may use.
        token: Lets in whoever started the server, while there are no reviewers. Without it nobody
            knows one.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await desk.start()
        yield
        await desk.stop()

    app = FastAPI(
        title="hilt",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # One flat list, so that a test can walk over everything that answers.
        routes=[*pages.routes, *api.routes, Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(Guard, bound=host), Middleware(Gate)],
        exception_handlers={HTTPError: wrong_page, RequestValidationError: misfit},
    )
    app.state.desk = desk
    app.state.sessions = Sessions(desk, token or new_token())
    app.state.slow_down = SlowDown()
    app.state.templates = templates()
    return app


@pages.get("/")
async def review(request: Request) -> Response:
    """Show the items one by one."""
    return _page(request, "review")


@pages.get("/bulk")
async def bulk(request: Request) -> Response:
    """Show many items of one proposed label at once."""
    return _page(request, "bulk")


@pages.get("/adjudicate")
async def adjudicate(request: Request) -> Response:
    """Show what reviewers disagree on."""
    visitor: Visitor = request.state.visitor
    if visitor.person is not None and not visitor.person.adjudicator:
        raise HTTPException(403, "Only an adjudicator may settle disagreements.")
    return _page(request, "adjudicate")


@pages.get("/login")
async def login_page(request: Request) -> Response:
    """Ask for a token."""
    visitor: Visitor = request.state.visitor
    return sign_in_page(request) if visitor.person is None else RedirectResponse("/", 303)


@pages.post("/login")
async def login(request: Request) -> Response:
    """Open a session for whoever has a token."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    person = await admit(request, fields.get("token", [""])[0])
    if person is None:
        return sign_in_page(request, "This token is not valid.", 403)
    return keep_session(request, RedirectResponse("/", 303), person)


@pages.post("/logout")
async def logout(request: Request) -> Response:
    """End the session in this browser."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(request.app.state.sessions.cookie_name)
    return response


def _page(request: Request, name: str) -> Response:
    """Render a page for whoever asks for it."""
    desk: Desk = request.app.state.desk
    sessions: Sessions = request.app.state.sessions
    visitor: Visitor = request.state.visitor
    if desk.task.part is None:
        return render(request, "by_file", page="message", task=desk.task)
    return render(
        request,
        name,
        page=name,
        task=desk.task,
        person=visitor.person,
        csrf=sessions.csrf(visitor.cookie),
        signed_in=desk.local() is None,
        many=len(desk.task.labels) >= MANY_LABELS,
    )
