"""What is answered to a request that is wrong: a page to a person, JSON to a script."""

from __future__ import annotations

from fastapi import Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from hilt.review.screen.rendering import render

FOR_SCRIPTS = ("/api/", "/static/")
SAID = {
    404: ("There is no such page", "There is nothing at this address."),
    405: ("This does not work here", "This page can only be opened, not sent to."),
}


async def wrong_page(request: Request, error: Exception) -> Response:
    """Answer where there is nothing, or nothing for whoever asks."""
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(FOR_SCRIPTS):
        return await http_exception_handler(request, error)
    title, said = SAID.get(error.status_code, ("Not for you", error.detail))
    response = render(
        request, "wrong", status=error.status_code, page="message", title=title, said=said
    )
    response.headers.update(error.headers or {})
    return response


async def misfit(_request: Request, error: Exception) -> Response:
    """Say what does not fit in a request, without repeating what was sent.

    It may hold what JSON cannot: NaN, half a character, bytes that are no text.
    """
    assert isinstance(error, RequestValidationError)
    detail = [{"loc": each["loc"], "msg": each["msg"]} for each in error.errors()]
    return JSONResponse({"detail": detail}, 422)
