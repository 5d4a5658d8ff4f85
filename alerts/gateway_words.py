"""What a vendor's answers and call-backs mean, in our words. Pure; the pointers are the file's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from jsonpointer import JsonPointerException, resolve_pointer

from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.gateway import CallBack, Vendor
from alerts.ports import Sent

RETRYABLE = frozenset({408, 425})
LIMITED = 429
RETRY_AFTER_OTHERWISE_S = 30.0
"""Ours, where a provider limits and does not say for how long."""
BODY_MAX = 65_536
CALL_BACKS_MAX = 500
"""In one request: Aliyun sends up to a hundred receipts together."""
STATES = ("delivered", "failed", "answered", "busy", "no_answer", "completed")

Event = Literal["status", "digits", "inbound"]


@dataclass(frozen=True, slots=True)
class Word:
    """One thing a vendor told us by call-back."""

    event: Event
    id: str | None
    """The vendor's own."""
    reference: str | None
    """What we gave it, where it gives that back."""
    state: str | None = None
    digits: str | None = None
    sender: str | None = None
    text: str | None = None


def taken(vendor: Vendor, status: int, body: bytes, retry_after: str | None) -> Sent:
    """What the vendor said to a request.

    Raises RateLimited, SendFailed (again later) or SendRefused (never with this vendor).
    """
    said = _read(body)
    rules = vendor.answer
    code = at(said, rules.code)
    detail = f"{vendor.name}: HTTP {status}"
    for word in (code, at(said, rules.detail)):
        if word is not None:
            detail += f" {str(word)[:200]}"
    if status == LIMITED or (code is not None and str(code) in rules.limited):
        raise RateLimited(_seconds(retry_after), detail)
    if status >= 500 or status in RETRYABLE:
        raise SendFailed(detail)
    if status >= 300 or (code is not None and str(code) in rules.refused):
        raise SendRefused(detail)
    if rules.code and rules.ok and str(code) not in rules.ok:
        raise SendFailed(detail)
    provider_id = at(said, rules.id)
    return Sent(
        detail,
        provider_id=None if provider_id is None else str(provider_id),
        receipt_within_s=vendor.receipt_within_s,
    )


def call_backs(rules: CallBack, content_type: str, body: bytes) -> list[Word]:
    """What a call-back tells; what it does not name is not invented. Raises ValueError."""
    if len(body) > BODY_MAX:
        raise ValueError(f"more than {BODY_MAX} bytes")
    if "form" in content_type:
        said: Any = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    else:
        try:
            said = json.loads(body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
    found = at(said, rules.each) if rules.each else said
    items = found if isinstance(found, list) else [found]
    if len(items) > CALL_BACKS_MAX:
        raise ValueError(f"more than {CALL_BACKS_MAX} in one call-back")
    return [word for item in items for word in _words(rules, item)]


def _words(rules: CallBack, item: Any) -> Iterator[Word]:
    whose = {"id": _text(item, rules.id), "reference": _text(item, rules.reference)}
    digits, text = _text(item, rules.digits), _text(item, rules.text)
    sender = _text(item, rules.sender)
    if digits is not None:
        yield Word("digits", digits=digits, sender=sender, **whose)
    if text is not None and sender is not None:
        yield Word("inbound", text=text, sender=sender, **whose)
    state = _text(item, rules.state)
    ours = state if state in STATES and not rules.states else rules.states.get(state or "")
    if ours is not None:
        yield Word("status", state=ours, **whose)


def at(said: Any, pointer: str) -> Any:
    """What stands at a pointer; None where there is nothing, or no pointer.

    >>> at({"messages": [{"id": 7}]}, "/messages/0/id")
    7
    """
    if not pointer:
        return None
    try:
        return resolve_pointer(said, pointer, None)
    except (JsonPointerException, TypeError):
        return None


def _text(said: Any, pointer: str) -> str | None:
    value = at(said, pointer)
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, Mapping | list) else str(value)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body[:BODY_MAX])
    except ValueError:
        return {}


def _seconds(retry_after: str | None) -> float:
    """Of a Retry-After header; a date there counts as not said."""
    try:
        return max(0.0, float(retry_after or ""))
    except ValueError:
        return RETRY_AFTER_OTHERWISE_S
