"""The socket that the screen is served from."""

import asyncio
import socket

from hilt.review.screen.server import _listen


def test_an_answer_is_sent_at_once_instead_of_waiting_for_more() -> None:
    async def accepted_without_delay() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            told.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = _listen("127.0.0.1", 0)
        async with await asyncio.start_server(accept, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            no_delay = await told
            writer.close()
        return no_delay

    assert asyncio.run(accepted_without_delay())
