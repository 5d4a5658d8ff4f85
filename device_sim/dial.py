"""TCP for a paho client on the asyncio loop: opened without blocking, ended without a word."""

import asyncio
import contextlib
import socket

import paho.mqtt.client as mqtt

DIAL_WITHIN_S = 5.0
"""Ours: time for two lost SYN packets, which TCP sends again after 1 s and 3 s."""


class DialledClient(mqtt.Client):
    """paho dials blocking, which would stop all other devices; this takes a socket that is open.

    `_create_socket_connection` is the one place where paho lets a subclass do so.
    """

    dialled: socket.socket | None = None
    _open: socket.socket | None = None

    def _create_socket_connection(self) -> socket.socket:
        if self.dialled is None:
            raise OSError("not dialled")
        self._open, self.dialled = self.dialled, None
        return self._open

    def hang_up(self) -> None:
        """End TCP without MQTT's good-bye: for the broker the device is simply gone."""
        if self._open is not None and self.socket() is not None:
            with contextlib.suppress(OSError):
                self._open.shutdown(socket.SHUT_RDWR)
            self.loop_read()
        self._open = None


async def dial(host: str, port: int) -> socket.socket:
    """Open a TCP connection to the first address that answers. Raises OSError or TimeoutError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(DIAL_WITHIN_S):
        last = OSError(f"{host} has no address")
        for family, kind, protocol, _, address in await loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            dialling = socket.socket(family, kind, protocol)
            dialling.setblocking(False)
            try:
                await loop.sock_connect(dialling, address)
            except OSError as error:
                dialling.close()
                last = error
            except BaseException:
                dialling.close()
                raise
            else:
                dialling.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return dialling
        raise last
