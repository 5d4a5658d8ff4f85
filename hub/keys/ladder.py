"""Reaching a human."""

from pydantic import BaseModel

from hub.keys.key import setting


class LadderKeys(BaseModel):
    """Reaching a human."""

    webhook_url: str = setting(
        "",
        "The area's fallback contact: an address that is sent a signed POST when nobody "
        "acknowledges. Empty: there is nobody, which is recorded.",
        source="no address can be guessed",
        pattern=r"^(https?://\S+)?$",
    )
    webhook_secret: str = setting(
        "",
        "The secret that signs what is posted to `webhook_url` (HMAC-SHA-256).",
        source="empty: unsigned",
    )
