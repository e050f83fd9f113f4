"""The server of the review screen: one process, one event loop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from hilt.errors import WorkspaceError
from hilt.review.screen.app import create_app
from hilt.review.screen.protocol import Desk
from hilt.review.screen.sessions import new_token


def serve(desk: Desk, host: str, port: int, listening: Callable[[str], None]) -> None:
    """Serve the screen until it is stopped.

    Args:
        desk: Whose items it shows.
        host: Where to listen; only this machine can reach 127.0.0.1.
        port: 0 for one that is free.
        listening: Called with the address once the server answers; while there are no reviewers,
            the token that lets in whoever started it is in the address.

    Raises:
        WorkspaceError: If it cannot listen there.
    """
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/"
    token = new_token()

    def answers() -> None:
        listening(address if desk.local() is None else f"{address}?token={token}")

    app = create_app(desk, host, token)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    try:
        _Server(config, answers).run(sockets=[listener])
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol, asyncio does not set TCP_NODELAY, and answers wait 40 ms on the way.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise WorkspaceError(
            f"The server cannot listen at {host}, port {port}: {error.strerror}; choose another"
            " with --host or --port (0 means any free port)."
        ) from None
    return listener
