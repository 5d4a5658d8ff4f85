"""A browser that may be written to by web push."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Browser:
    """A subscription, as a browser made it; the keys are base64url."""

    endpoint: str
    p256dh: str
    auth: str
