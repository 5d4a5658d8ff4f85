"""Mail by SMTP, plain and as simple HTML."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from alerts.errors import SendFailed, SendRefused
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Clock, Sent

ANSWER_WITHIN_S = 10.0
"""Ours: below the courier's patience of 15 s."""
_PORTS: Mapping[str, int] = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, from its URL."""

    host: str
    port: int
    tls: bool
    start_tls: bool
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Read `smtp+starttls://USER:PASSWORD@HOST:PORT`.

        >>> Server.parse("smtps://mail.example.org").port
        465
        """
        parts = urlsplit(url)
        return cls(
            parts.hostname or "localhost",
            parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "smtps",
            start_tls=parts.scheme == "smtp+starttls",
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class EmailChannel:
    """`sent` means that the server took it; whether it was read nobody knows."""

    name = ChannelName.EMAIL

    def __init__(self, server: Server, sender: str, service: str, clock: Clock) -> None:
        self._server = server
        self._sender = sender
        self._service = service
        self._clock = clock

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """Raises SendFailed (4xx, network) or SendRefused (5xx)."""
        if not _ADDRESS.fullmatch(address):
            raise SendRefused("no mail address")
        server = self._server
        try:
            _, word = await aiosmtplib.send(
                self._mail(notification, message, address),
                sender=self._sender,
                recipients=[address],
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls,
                start_tls=server.start_tls,
                timeout=ANSWER_WITHIN_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _trouble(error.recipients[0].code, error.recipients[0].message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _trouble(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise SendFailed(f"{type(error).__name__}: {error}") from error
        return Sent(word.strip()[:200])

    def _mail(self, notification: Notification, message: Message, address: str) -> EmailMessage:
        mail = EmailMessage()
        domain = self._sender.rpartition("@")[2]
        mail["From"] = formataddr((self._service, self._sender))
        mail["To"] = address
        mail["Subject"] = " ".join(message.subject.split())
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{notification.reference}.{notification.attempts}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        if notification.incident_id:
            thread = f"<incident-{notification.incident_id}@{domain}>"
            mail["References"] = thread
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        return mail


def _trouble(code: int, message: str) -> SendFailed | SendRefused:
    """RFC 5321: 4yz may pass later, 5yz will not."""
    said = f"{code} {message}"[:300]
    return SendRefused(said) if code >= 500 else SendFailed(said)
