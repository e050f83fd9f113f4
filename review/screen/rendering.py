"""From templates to pages, and the cookie that goes with them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from hilt.review.screen.markdown import render as markdown
from hilt.review.screen.names import breakable
from hilt.review.screen.protocol import Desk, Person
from hilt.review.screen.sessions import SESSION_SECONDS, Sessions


def templates() -> Environment:
    """Open the templates of the pages."""
    environment = Environment(
        loader=PackageLoader("hilt.review.screen", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = markdown
    environment.filters["breakable"] = breakable
    return environment


def render(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
    """Fill in a template."""
    template = request.app.state.templates.get_template(f"{name}.html")
    return HTMLResponse(template.render(version=version("hilt"), **values), status)


def sign_in_page(request: Request, said: str = "", status: int = 200) -> Response:
    """Ask for a token, with what was wrong with the one before."""
    desk: Desk = request.app.state.desk
    return render(
        request,
        "login",
        status=status,
        page="login",
        title=desk.task.title,
        alone=desk.local() is not None,
        said=said,
    )


def keep_session(request: Request, response: Response, person: Person) -> Response:
    """Let a browser keep a session of a person."""
    sessions: Sessions = request.app.state.sessions
    response.set_cookie(
        sessions.cookie_name,
        sessions.cookie(person),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response
