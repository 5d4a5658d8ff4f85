"""Many requests at once, each on a line of its own that is used again."""

import asyncio

import httpx

from hub.lines import Lines


class Vendor:
    """Answers once as many wait as it wants to see together."""

    def __init__(self, together: int) -> None:
        self.connections = 0
        self._waiting = 0
        self._together = together
        self._all = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self._waiting += 1
                if self._waiting >= self._together:
                    self._all.set()
                await self._all.wait()
                writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()


async def test_as_many_lines_as_requests_at_once_and_no_more() -> None:
    vendor = Vendor(5)
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, Lines(5.0) as lines:
        answers = await asyncio.gather(*(lines.get(url) for _ in range(5)))
        again = [await lines.request("GET", url) for _ in range(5)]
        assert {each.status_code for each in (*answers, *again)} == {httpx.codes.ACCEPTED}
        assert vendor.connections == 5
