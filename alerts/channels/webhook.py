"""A signed HTTP POST to whoever the area's configuration names."""

import hashlib
import hmac

import httpx
import msgspec

from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Sent

SIGNATURE_HEADER = "Carebell-Signature"
"""`sha256=` and the hex HMAC-SHA-256 of the body with the shared secret."""

_RETRYABLE = frozenset({408, 425})
_LIMITED = frozenset({429, 503})
"""With a `Retry-After`; without one 503 is trouble like any other."""
USUAL_WAIT_S = 5.0
"""Ours: for a 429 that does not say how long."""


class WebhookChannel:
    """Posts the notification as JSON; a 2xx answer is the provider's word."""

    name = ChannelName.WEBHOOK

    def __init__(self, client: httpx.AsyncClient, secret: str) -> None:
        self._client = client
        self._secret = secret.encode()

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """Raises SendFailed for network trouble and 5xx, RateLimited for 429, SendRefused for any
        other status."""
        body = msgspec.json.encode(
            {
                "notification_id": notification.id,
                "incident_id": notification.incident_id,
                "kind": notification.kind,
                **notification.body,
                "message": dict(message.data),
            }
        )
        headers = {"content-type": "application/json", "idempotency-key": notification.reference}
        if self._secret:
            digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            headers[SIGNATURE_HEADER] = f"sha256={digest}"
        try:
            answer = await self._client.post(address, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise SendFailed(f"{type(error).__name__}: {error}") from error
        said = f"HTTP {answer.status_code}"
        if answer.is_success:
            return Sent(said)
        wait = answer.headers.get("retry-after", "")
        if answer.status_code == 429 or (answer.status_code in _LIMITED and wait.isdigit()):
            raise RateLimited(float(wait) if wait.isdigit() else USUAL_WAIT_S, said)
        if answer.status_code in _RETRYABLE or answer.is_server_error:
            raise SendFailed(said)
        raise SendRefused(said)
