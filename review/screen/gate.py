"""Who may see anything: without a session there is a sign-in page, and nothing else."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hilt.review.screen.protocol import Desk
from hilt.review.screen.rendering import keep_session, render, sign_in_page
from hilt.review.screen.sessions import Sessions
from hilt.review.screen.signing_in import admit
from hilt.review.screen.visitor import NOBODY, Visitor

API = "/api/"
STATIC = "/static/"  # scripts, styles and the icon, the same for every workspace
SIGNING_IN = ("/login", "/logout")


class Gate:
    """Stands before every route, so that a new one is closed until it is named here.

    Args:
        app: What stands behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["path"].startswith(STATIC):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        visitor = await _visitor(request)
        request.state.visitor = visitor
        answer = await _refusal(request, visitor) or self._app
        await answer(scope, receive, send)


async def _visitor(request: Request) -> Visitor:
    """Find who sends a request."""
    desk: Desk = request.app.state.desk
    sessions: Sessions = request.app.state.sessions
    await desk.refresh()
    cookie = request.cookies.get(sessions.cookie_name, "")
    person = sessions.person(cookie)
    return NOBODY if person is None else Visitor(person, cookie)


async def _refusal(request: Request, visitor: Visitor) -> Response | None:
    """Say no, or show the way in; None lets the request through."""
    path = request.url.path
    if path.startswith(API):
        return _api_refusal(request, visitor)
    if path in SIGNING_IN:
        return None
    if path == "/" and "token" in request.query_params:
        return await _enter(request, visitor)
    if visitor.person is not None:
        return None
    if request.headers.get("sec-fetch-site") == "cross-site":
        # A browser that follows another site's link keeps the cookie back. On this page's own
        # request for the same address it sends it.
        return render(request, "again", page="message")
    return RedirectResponse("/login", 303)


def _api_refusal(request: Request, visitor: Visitor) -> Response | None:
    sessions: Sessions = request.app.state.sessions
    if visitor.person is None:
        return JSONResponse({"detail": "Sign in first."}, 401)
    if not sessions.csrf_fits(visitor.cookie, request.headers.get("x-csrf-token", "")):
        return JSONResponse(
            {"detail": "This request did not come from a page of this session."}, 403
        )
    return None


async def _enter(request: Request, visitor: Visitor) -> Response:
    """Trade the token in an address for a cookie, so that the browser shows it no longer.

    Whoever's token it is has come, whoever was here before; one that is no longer valid leaves who
    is here alone.
    """
    person = await admit(request, request.query_params["token"]) or visitor.person
    if person is None:
        said = "This address is no longer valid. Use the one that `hilt review` printed last."
        return sign_in_page(request, said, 403)
    return keep_session(request, RedirectResponse("/", 303), person)
