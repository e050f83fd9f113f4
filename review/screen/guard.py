"""What stands before every page: which hosts may be named, how much may be sent, what may run."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 2 * 2**20
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def may_be_named(host: str, bound: str, own_names: Collection[str]) -> bool:
    """Tell whether a request may name this host.

    A page of somebody else's can point its own name at this machine, and then read what is here
    (DNS rebinding). So a server on the loopback answers to the loopback's names alone, and any
    other one to addresses and to names of its own.

    Args:
        host: What the request names, without the port.
        bound: Where the server listens.
        own_names: The names of this machine.
    """
    if host in LOOPBACK_NAMES:
        return True
    if is_loopback(bound):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.casefold() in {name.casefold() for name in (bound, *own_names)}
    return True


class Guard:
    """Refuses what is not meant for this server, and sets the headers of every answer.

    Args:
        app: What stands behind it.
        bound: The host where the server listens.
    """

    def __init__(self, app: ASGIApp, bound: str) -> None:
        self._app = app
        self._bound = bound
        self._own_names = (socket.gethostname(), socket.getfqdn())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                static = scope["path"].startswith("/static/")
                headers["Cache-Control"] = "no-cache" if static else "no-store"
            await send(message)

        refusal = self._refusal(Headers(scope=scope), scope["method"])
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, headers: Headers, method: str) -> PlainTextResponse | None:
        host = _without_port(headers.get("host", ""))
        if not may_be_named(host, self._bound, self._own_names):
            return PlainTextResponse("This server does not have that name.", 421)
        if method in ("GET", "HEAD"):
            return None
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("A page of another site may not do that.", 403)
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return PlainTextResponse("A page of another site may not do that.", 403)
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BYTES:
            return PlainTextResponse(
                "The request is too long, or does not say how long it is.", 413
            )
        return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host
