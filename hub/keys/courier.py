"""How fast it is sent, and how answers come back."""

from pydantic import BaseModel

from hub.keys.key import setting


class CourierKeys(BaseModel):
    """How fast it is sent, and how answers come back."""

    sms_per_minute: int = setting(
        0,
        "Short messages begun in a minute, where a contract or line allows no more; what is more "
        "waits, most urgent first. 0: as many as there are; a vendor that says `429` is heeded "
        "all the same.",
        source="contracts differ",
        unit="messages a minute",
        ge=0,
        le=100_000,
    )
    calls_per_minute: int = setting(
        0,
        "Calls begun in a minute, as for short messages.",
        source="contracts differ",
        unit="calls a minute",
        ge=0,
        le=10_000,
    )
    mails_per_minute: int = setting(
        0,
        "Mails begun in a minute, as for short messages.",
        source="mail servers differ",
        unit="mails a minute",
        ge=0,
        le=100_000,
    )
    callback_secret: str = setting(
        "",
        "The key behind the addresses that gateways call back. Empty: one that was drawn at the "
        "first start. Set the same one everywhere if API and worker have no common data folder; "
        "another one makes every address that was given out worthless.",
        source="drawn, so that no two installations have the same",
        pattern=r"^$|^\S{16,200}$",
    )
