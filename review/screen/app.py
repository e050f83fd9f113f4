"""The review screen as a web application: its pages."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.middleware import Middleware

from hilt.review.screen.api import api
from hilt.review.screen.desk import Desk
from hilt.review.screen.guard import Guard
from hilt.review.screen.markdown import render
from hilt.review.screen.sessions import SESSION_SECONDS, LoginLimit, Sessions
from hilt.review.screen.visitor import Visitor, current_visitor

MANY_LABELS = 11  # from so many on, labels are found by typing
LONGEST_TOKEN = 200
STATIC = Path(__file__).parent / "static"

pages = APIRouter(default_response_class=HTMLResponse)
CurrentVisitor = Annotated[Visitor, Depends(current_visitor)]


def create_app(desk: Desk, host: str = "127.0.0.1") -> FastAPI:
    """Make the web application.

    Args:
        desk: Whose items it shows.
        host: Where the server listens; it decides which names a request may use.
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
        middleware=[Middleware(Guard, bound=host)],
    )
    app.state.desk = desk
    app.state.sessions = Sessions(desk)
    app.state.limit = LoginLimit()
    app.state.templates = Environment(
        loader=PackageLoader("hilt.review.screen", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    app.state.templates.filters["markdown"] = render
    app.include_router(pages)
    app.include_router(api)
    app.mount("/static", StaticFiles(directory=STATIC), "static")
    return app


@pages.get("/")
async def review(request: Request, visitor: CurrentVisitor) -> Response:
    """Show the items one by one."""
    return _page(request, visitor, "review")


@pages.get("/bulk")
async def bulk(request: Request, visitor: CurrentVisitor) -> Response:
    """Show many items of one proposed label at once."""
    return _page(request, visitor, "bulk")


@pages.get("/adjudicate")
async def adjudicate(request: Request, visitor: CurrentVisitor) -> Response:
    """Show what reviewers disagree on."""
    if visitor.person is not None and not visitor.person.adjudicator:
        raise HTTPException(403, "Only an adjudicator settles disagreements.")
    return _page(request, visitor, "adjudicate")


@pages.get("/login")
async def login_page(request: Request, _visitor: CurrentVisitor) -> Response:
    """Ask for a token."""
    return _login(request)


@pages.post("/login")
async def login(request: Request, _visitor: CurrentVisitor) -> Response:
    """Open a session for whoever has a token."""
    limit: LoginLimit = request.app.state.limit
    desk: Desk = request.app.state.desk
    address = request.client.host if request.client else ""
    wait = limit.wait_seconds(address, time.monotonic())
    if wait > 0:
        said = f"Too many attempts; try again in {wait:.0f} seconds."
        return _login(request, said, 429, {"Retry-After": f"{wait:.0f}"})
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    token = fields.get("token", [""])[0].strip()[:LONGEST_TOKEN]
    person = desk.admit(token)
    if person is None:
        limit.note_failure(address, time.monotonic())
        return _login(request, "That token is not known here.", 403)
    response = RedirectResponse("/", 303)
    _keep(request, response, request.app.state.sessions.cookie(person))
    return response


@pages.post("/logout")
async def logout(request: Request) -> Response:
    """End the session in this browser."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(request.app.state.sessions.cookie_name)
    return response


def _page(request: Request, visitor: Visitor, name: str) -> Response:
    """Render a page for whoever may see it."""
    desk: Desk = request.app.state.desk
    sessions: Sessions = request.app.state.sessions
    local = desk.local()
    person = visitor.person or local
    if person is None:
        return RedirectResponse("/login", 303)
    cookie = visitor.cookie or sessions.cookie(person)
    task = desk.task
    response = _render(
        request,
        name,
        page=name,
        task=task,
        person=person,
        csrf=sessions.csrf(cookie),
        signed_in=local is None,
        many=len(task.labels) >= MANY_LABELS,
    )
    _keep(request, response, cookie)
    return response


def _login(
    request: Request, said: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    desk: Desk = request.app.state.desk
    if desk.local() is not None:
        return RedirectResponse("/", 303)
    response = _render(request, "login", page="login", title=desk.task.title, said=said)
    response.status_code = status
    response.headers.update(headers or {})
    return response


def _render(request: Request, name: str, **values: Any) -> Response:  # noqa: ANN401
    template = request.app.state.templates.get_template(f"{name}.html")
    return HTMLResponse(template.render(version=version("hilt"), **values))


def _keep(request: Request, response: Response, cookie: str) -> None:
    response.set_cookie(
        request.app.state.sessions.cookie_name,
        cookie,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
