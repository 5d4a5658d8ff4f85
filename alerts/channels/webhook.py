"""A signed HTTP POST to whoever the area's configuration names."""

import hashlib
import hmac

import httpx
import msgspec

from alerts.errors import SendFailed, SendRefused
from alerts.notification import Notification
from alerts.policy import ChannelName

SIGNATURE_HEADER = "Carebell-Signature"
"""`sha256=` and the hex HMAC-SHA-256 of the body with the shared secret."""

_RETRYABLE = frozenset({408, 425, 429})


class WebhookChannel:
    """Posts the notification as JSON; a 2xx answer is the provider's word."""

    name = ChannelName.WEBHOOK

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str) -> None:
        self._client = client
        self._url = url
        self._secret = secret.encode()

    async def send(self, notification: Notification) -> str:
        """Raises SendFailed for network trouble and 5xx, SendRefused for any other status."""
        body = msgspec.json.encode(
            {
                "notification_id": notification.id,
                "incident_id": notification.incident_id,
                "kind": notification.kind,
                **notification.body,
            }
        )
        headers = {"content-type": "application/json", "idempotency-key": str(notification.id)}
        if self._secret:
            digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            headers[SIGNATURE_HEADER] = f"sha256={digest}"
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise SendFailed(f"{type(error).__name__}: {error}") from error
        if answer.is_success:
            return f"HTTP {answer.status_code}"
        if answer.status_code in _RETRYABLE or answer.is_server_error:
            raise SendFailed(f"HTTP {answer.status_code}")
        raise SendRefused(f"HTTP {answer.status_code}")
