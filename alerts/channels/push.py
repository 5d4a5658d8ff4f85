"""Web push: encrypted for one browser, signed with the hub's VAPID key (RFC 8030, 8291, 8292)."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx
import msgspec
from py_vapid import Vapid02
from pywebpush import WebPusher

from alerts.browser import Browser
from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Clock, Sent

PAYLOAD_MAX_BYTES = 3000
"""Ours; push services take 4096 bytes encrypted."""
SIGNED_FOR_S = 12 * 3600
"""RFC 8292 allows a day."""
RETRY_AFTER_OTHERWISE_S = 30.0
_GONE = frozenset({404, 410})
_RETRYABLE = frozenset({408, 425})


class PushChannel:
    """A 2xx means that the push service has it. There are no receipts."""

    name = ChannelName.PUSH

    def __init__(
        self,
        client: httpx.AsyncClient,
        key: Vapid02,
        contact: str,
        clock: Clock,
        forget: Callable[[str], Awaitable[None]],
    ) -> None:
        """`forget` is told the endpoint of a browser that took its permission back."""
        self._client = client
        self._key = key
        self._contact = contact
        self._clock = clock
        self._forget = forget

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """`address` is a `Browser` as JSON. Raises SendFailed, SendRefused or RateLimited."""
        return await self.show(message, msgspec.json.decode(address, type=Browser),
                               topic=notification.reference)  # fmt: skip

    async def show(self, message: Message, browser: Browser, *, topic: str) -> Sent:
        """One message on one browser; a later one with the same tag takes its place."""
        body = msgspec.json.encode(dict(message.data))
        if len(body) > PAYLOAD_MAX_BYTES:
            raise SendRefused(f"more than {PAYLOAD_MAX_BYTES} bytes")
        headers = self._headers(message, browser, str(message.data.get("tag") or topic))
        try:
            answer = await self._client.post(
                browser.endpoint, content=self._encrypted(body, browser), headers=headers
            )
        except httpx.HTTPError as error:
            raise SendFailed(type(error).__name__) from error
        if answer.is_success:
            return Sent(f"HTTP {answer.status_code}")
        if answer.status_code in _GONE:
            await self._forget(browser.endpoint)
            raise SendRefused(f"HTTP {answer.status_code}: the browser took its permission back")
        if answer.status_code == 429:
            raise RateLimited(_seconds(answer.headers.get("retry-after")), "HTTP 429")
        if answer.is_server_error or answer.status_code in _RETRYABLE:
            raise SendFailed(f"HTTP {answer.status_code}")
        raise SendRefused(f"HTTP {answer.status_code}")

    def _headers(self, message: Message, browser: Browser, tag: str) -> dict[str, str]:
        parts = urlsplit(browser.endpoint)
        until = int(self._clock.now().timestamp()) + SIGNED_FOR_S
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "sub": self._contact, "exp": until}
        signed: dict[str, str] = self._key.sign(claims)
        return {
            **signed,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(message.data.get("ttl_s", 900)),
            "Urgency": str(message.data.get("urgency", "high")),
            "Topic": collapse_key(tag),
        }

    @staticmethod
    def _encrypted(body: bytes, browser: Browser) -> bytes:
        keys = {"p256dh": browser.p256dh, "auth": browser.auth}
        try:
            pusher = WebPusher({"endpoint": browser.endpoint, "keys": keys})
            return bytes(pusher.encode(body)["body"])
        except (ValueError, TypeError, KeyError) as error:
            raise SendRefused(f"the browser's keys are no keys: {error}") from error


def collapse_key(tag: str) -> str:
    """A Topic: at most 32 characters of the URL-safe alphabet (RFC 8030, 5.4).

    >>> len(collapse_key("an incident's id of whatever length"))
    32
    """
    return base64.urlsafe_b64encode(hashlib.sha256(tag.encode()).digest()[:24]).decode()


def _seconds(retry_after: str | None) -> float:
    try:
        return max(0.0, float(retry_after or ""))
    except ValueError:
        return RETRY_AFTER_OTHERWISE_S
