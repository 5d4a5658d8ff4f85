"""Serve the application over HTTP until told to stop."""

import os
import socket

import uvicorn
from fastapi import FastAPI

from hub.api.gate import Parts
from hub.errors import AddressTakenError, StartError
from hub.settings import Address

BACKLOG = 512
KEEP_ALIVE_S = 15
"""Longer than a desk's pause between two clicks; idle connections do not pile up."""
STOP_WITHIN_S = 5
UNREAD_FOR_MS = 20_000
"""A peer that takes nothing for so long is gone, or might as well be (TCP_USER_TIMEOUT)."""


class _Server(uvicorn.Server):
    """Tells the desks to come back before it waits for them to go."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        application = self.config.app
        if isinstance(application, FastAPI):
            parts: Parts = application.state.parts
            parts.switchboard.cut("shutdown")
            if parts.dependencies.phones is not None:
                parts.dependencies.phones.close()
        await super().shutdown(sockets)


async def serve(app: FastAPI, address: Address, *, certificate: str = "", key: str = "") -> None:
    """Listen on an address until SIGTERM or SIGINT. Raises AddressTakenError, StartError."""
    listener = listening_socket(address)
    await make_server(app, certificate=certificate, key=key).serve(sockets=[listener])


def make_server(app: FastAPI, *, certificate: str = "", key: str = "") -> uvicorn.Server:
    """A server for the running loop; `should_exit` stops it. With a certificate: HTTPS."""
    for name, path in (("http_tls_certificate", certificate), ("http_tls_key", key)):
        if (certificate or key) and not os.access(path, os.R_OK):
            raise StartError(f"{name} = {path!r}: HTTPS wants both files, readable")
    config = uvicorn.Config(
        app,
        loop="none",  # the caller's loop runs already
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        ssl_certfile=certificate or None,
        ssl_keyfile=key or None,
    )
    return _Server(config)


def listening_socket(address: Address) -> socket.socket:
    """Bound and ready; connections taken from it inherit its options."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_FOR_MS)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise AddressTakenError(f"{address}: {error.strerror}") from error
    return listener
