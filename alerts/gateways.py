"""Vendors of one way, asked in order: the next one at once when the one before fails.

A vendor that hung or failed is asked last for a while, so that the next ring does not wait for it
again. What is not known (a vendor that took the request and died) is asked of the next one all the
same: told twice is better than not told (docs/adr/0025).
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.gateway import TemplateFault, Vendor, request
from alerts.gateway_words import taken
from alerts.messages import Message
from alerts.ports import Clock, Sent

ANSWER_WITHIN_S = 4.5
"""Ours: three vendors that hang still fit into the 15 s a courier gives an attempt."""
ASIDE_S = 60
"""Ours: how long a vendor that failed is asked after the others."""
ANSWER_MAX_BYTES = 65_536


class Gateways:
    """Asks until one vendor takes it."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        vendors: tuple[Vendor, ...],
        clock: Clock,
        callback_url: Callable[[Vendor], str],
        nonce: Callable[[], str],
    ) -> None:
        self._client = client
        self._vendors = vendors
        self._clock = clock
        self._callback_url = callback_url
        self._nonce = nonce
        self._failed_at: dict[str, datetime] = {}

    async def send(
        self, reference: str, message: Message, to: str, *, bridge_to: str | None = None
    ) -> Sent:
        """Raises SendRefused if every vendor refused, RateLimited if one would take it later, else
        SendFailed."""
        troubles: list[Exception] = []
        for vendor in self._in_order():
            if bridge_to is not None and not vendor.bridges:
                troubles.append(SendRefused(f"{vendor.name} connects no second number"))
                continue
            try:
                sent = await self._ask(vendor, reference, message, to, bridge_to)
            except (SendFailed, RateLimited) as error:
                self._failed_at[vendor.name] = self._clock.now()
                troubles.append(error)
            except SendRefused as error:
                troubles.append(error)
            else:
                self._failed_at.pop(vendor.name, None)
                return sent
        raise _worst(troubles)

    def _in_order(self) -> list[Vendor]:
        now = self._clock.now()

        def aside(vendor: Vendor) -> bool:
            failed_at = self._failed_at.get(vendor.name)
            return failed_at is not None and 0 <= (now - failed_at).total_seconds() < ASIDE_S

        return sorted(self._vendors, key=aside)

    async def _ask(
        self, vendor: Vendor, reference: str, message: Message, to: str, bridge_to: str | None
    ) -> Sent:
        context = self._context(vendor, reference, message, to, bridge_to)
        try:
            asked = request(vendor, context)
        except TemplateFault as error:
            raise SendRefused(f"{vendor.name}: {error}") from error
        try:
            answer = await self._client.request(
                asked.method, asked.url, headers=dict(asked.headers), content=asked.content,
                timeout=ANSWER_WITHIN_S, follow_redirects=False,
            )  # fmt: skip
        except httpx.HTTPError as error:
            raise SendFailed(f"{vendor.name}: {type(error).__name__}") from error
        return taken(
            vendor,
            answer.status_code,
            answer.content[:ANSWER_MAX_BYTES],
            answer.headers.get("retry-after"),
        )

    def _context(
        self, vendor: Vendor, reference: str, message: Message, to: str, bridge_to: str | None
    ) -> Mapping[str, Any]:
        now = self._clock.now()
        facts = {name: message.data.get(name) or "" for name in ("what", "who", "address", "link")}
        return {
            **facts,
            "kind": vendor.way,
            "to": to,
            "text": message.text,
            "say": list(message.spoken),
            "language": message.language,
            "digits": message.data.get("digits", ""),
            "bridge_to": bridge_to,
            "key": f"{reference}-{hashlib.sha256(to.encode()).hexdigest()[:8]}",
            "reference": reference,
            "callback_url": self._callback_url(vendor),
            "now_s": int(now.timestamp()),
            "date": now.strftime("%Y-%m-%d"),
            "utc": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "nonce": self._nonce(),
        }


def _worst(troubles: list[Exception]) -> Exception:
    """What decides how it goes on: what passes by itself, before what never will."""
    limited = [error for error in troubles if isinstance(error, RateLimited)]
    said = "; ".join(str(error) for error in troubles) or "no vendor"
    if any(isinstance(error, SendFailed) for error in troubles):
        return SendFailed(said)
    if limited:
        return RateLimited(min(error.retry_after_s for error in limited), said)
    return SendRefused(said)
