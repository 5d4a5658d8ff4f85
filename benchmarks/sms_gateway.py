"""A short-message gateway on loopback, as a process of its own: it answers like a vendor, keeps a
rate limit, and writes down what it took.

It speaks the contract of `config/gateways/carebell-sms.toml`; `GET /taken` tells everything.
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field

LATENCY_S = 0.05
"""Ours: what a vendor's HTTP interface takes at home."""
HEAD_LIMIT = 64 * 1024


@dataclass(slots=True)
class Gateway:
    """Takes up to `per_s` messages a second, and says `429` to the others."""

    per_s: int
    taken: list[tuple[str, str, float]] = field(default_factory=list)
    """Idempotency key, number, `time.time` of arrival; a key that comes again is listed again."""
    limited: int = 0
    _second: int = 0
    _in_second: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept alive."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (each.partition(":") for each in lines if each)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status, more, answer = await self._answer(line.split(" ")[0], headers, body)
                payload = json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}"
                    f"content-length: {len(payload)}\r\n\r\n".encode()
                    + payload
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, method: str, headers: dict[str, str], body: bytes
    ) -> tuple[str, str, object]:
        if method == "GET":
            return "200 OK", "", {"taken": self.taken, "limited": self.limited}
        now_s = time.time()
        if int(now_s) != self._second:
            self._second, self._in_second = int(now_s), 0
        self._in_second += 1
        if self._in_second > self.per_s:
            self.limited += 1
            return "429 Too Many Requests", "retry-after: 1\r\n", {"error": "too_many"}
        said = json.loads(body)
        self.taken.append((headers.get("idempotency-key", ""), str(said.get("to")), now_s))
        await asyncio.sleep(LATENCY_S)
        return "202 Accepted", "", {"id": f"m-{len(self.taken)}"}


async def run(port: int, per_s: int) -> None:
    """For ever."""
    gateway = Gateway(per_s)
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", port, limit=HEAD_LIMIT)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--per-s", type=int, required=True, help="messages a second")
    given = parser.parse_args()
    asyncio.run(run(given.port, given.per_s))


if __name__ == "__main__":
    main()
