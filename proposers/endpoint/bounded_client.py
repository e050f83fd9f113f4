"""An HTTP client that waits and reads no longer than it was told, whatever a server does."""

from __future__ import annotations

import asyncio
from importlib import import_module
from types import ModuleType
from typing import Any

MAX_BYTES = 32 << 20  # of an answer, unpacked; a label and what a model thought are some kilobytes


class TooLongError(Exception):
    """An answer that has no end, or is far longer than any answer."""


def http_library() -> ModuleType:
    """The library on which the installed `openai` rests: `httpx`, or its successor."""
    from openai import DefaultAsyncHttpxClient

    client = next(
        base for base in DefaultAsyncHttpxClient.__mro__ if base.__name__ == "AsyncClient"
    )
    return import_module(client.__module__.partition(".")[0])


def bounded_client(seconds: float) -> Any:  # noqa: ANN401 - of whichever library
    """Make a client as `openai` makes its own, with a deadline for whole answers.

    Args:
        seconds: Until the last byte of an answer must be there. The library's own timeouts are
            for single reads, so a server that trickles would never meet one.

    Raises:
        ImportError: If `openai` is not installed.
    """
    from openai import DefaultAsyncHttpxClient

    library = http_library()

    class TooLong(library.RequestError, TooLongError):  # type: ignore[misc, name-defined]
        """The same, as `openai` expects it."""

    class BoundedClient(DefaultAsyncHttpxClient):  # type: ignore[misc]
        async def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401
            try:
                async with asyncio.timeout(seconds):
                    response = await super().send(request, **{**options, "stream": True})
                    try:
                        return await read(response)
                    finally:
                        await response.aclose()
            except TimeoutError:
                raise library.ReadTimeout("the answer did not end", request=request) from None

    async def read(response: Any) -> Any:  # noqa: ANN401
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_BYTES:
                raise TooLong(f"the answer is longer than {MAX_BYTES >> 20} MB")
        as_sent = ("content-encoding", "content-length", "transfer-encoding")
        return library.Response(
            response.status_code,
            headers=[pair for pair in response.headers.items() if pair[0].lower() not in as_sent],
            content=bytes(content),
            request=response.request,
            history=response.history,
        )

    return BoundedClient(timeout=seconds)
