"""Where a broker is, who we are there, and how the line is encrypted: read from one URL.

    mqtts://user:password@host:8883?ca=/path/ca.pem&certificate=...&key=...&pin=1

`ca`: the authority of the broker's certificate; `certificate` and `key`: what we show; `pin`: trust
exactly the certificate in `ca`, whatever name it bears (the hub's way to its own broker).
"""

import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from hub.errors import StartError

PLAIN_PORT, TLS_PORT = 1883, 8883


@dataclass(frozen=True, slots=True)
class BrokerLine:
    """A broker's address and our credentials there."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    encrypted: bool = False
    ca: str = ""
    certificate: str = ""
    key: str = ""
    pinned: bool = False

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a broker URL."""
        parts = urlsplit(url)
        encrypted = parts.scheme == "mqtts"
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return cls(
            parts.hostname or "127.0.0.1",
            parts.port or (TLS_PORT if encrypted else PLAIN_PORT),
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            encrypted,
            query.get("ca", ""),
            query.get("certificate", ""),
            query.get("key", ""),
            query.get("pin") == "1",
        )

    def url(self) -> str:
        """The text `parse` reads."""
        fields = {"ca": self.ca, "certificate": self.certificate, "key": self.key,
                  "pin": "1" if self.pinned else ""}  # fmt: skip
        query = urlencode({name: value for name, value in fields.items() if value})
        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "mqtts" if self.encrypted else "mqtt"
        address = f"{scheme}://{login if self.username else ''}{host}:{self.port}"
        return f"{address}?{query}" if query else address

    def tls(self) -> ssl.SSLContext | None:
        """How to encrypt; None for a plain line. Raises StartError if a file cannot be used."""
        if not self.encrypted:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca or None)
            if self.pinned:
                context.check_hostname = False
                context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key or None)
        except OSError as error:
            named = ", ".join(name for name in (self.ca, self.certificate, self.key) if name)
            raise StartError(f"{named}: not usable for TLS: {error}") from error
        return context
