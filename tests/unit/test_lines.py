"""Many requests at once, on lines that are used again; answers and errors are httpx's."""

import asyncio
import gzip

import httpx
import pytest

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


async def test_an_answer_is_read_as_httpx_reads_it() -> None:
    packed = gzip.compress(b'{"id": "m-1"}')

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 429 Full\r\nretry-after: 3\r\ncontent-length: {len(packed)}\r\n"
        writer.write(head.encode() + b"content-encoding: gzip\r\n\r\n" + packed)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Lines(5.0) as lines:
        answer = await lines.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert answer.json() == {"id": "m-1"}


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:{hangs}/", httpx.TimeoutException),
        ("http://127.0.0.1:{refuses}/", httpx.ConnectError),
        ("ftp://127.0.0.1/", httpx.TransportError),
        ("no address", httpx.TransportError),
    ],
)
async def test_whoever_waits_in_vain_is_told_as_by_httpx(url: str, error: type[Exception]) -> None:
    hanging = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    gone = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    ports = [each.sockets[0].getsockname()[1] for each in (hanging, gone)]
    gone.close()
    await gone.wait_closed()
    async with Lines(0.2) as lines:
        with pytest.raises(error):
            await lines.post(url.format(hangs=ports[0], refuses=ports[1]), content=b"x")
    hanging.close()
