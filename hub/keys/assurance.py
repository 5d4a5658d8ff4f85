"""The hub watches over itself."""

from typing import Literal

from pydantic import BaseModel

from hub.keys.key import setting


class AssuranceKeys(BaseModel):
    """The hub watches over itself."""

    synthetic_press_every_s: int = setting(
        60,
        "How often the hub presses a button of its own and awaits the receipt, the row and the "
        "live feed. 0: never.",
        source="ours: somebody knows within three minutes that a press would not arrive",
        unit="s",
        ge=0,
        le=300,
    )
    dead_man_url: str = setting(
        "",
        "An address outside the hub that is asked every minute while all is well, and rings by "
        "itself when that stops. Empty: nobody outside would notice that the hub is gone.",
        source="no address can be guessed",
        pattern=r"^(https?://\S+)?$",
    )
    dead_man_method: Literal["GET", "POST"] = setting(
        "GET",
        "POST also hands over the sealed head of the audit log, for somebody to keep elsewhere.",
        source="every watcher of this kind takes GET",
    )
    verify_contacts_every_days: int = setting(
        180,
        "A number that nobody answered a test message from for so long counts as not proven. "
        "0: nobody is reminded of it.",
        source="ours: twice a year; people change their telephones every two to three",
        unit="days",
        ge=0,
        le=3650,
    )
    probe_recipients: str = setting(
        "",
        "Whom each provider proves itself to when it had nothing to send: `channel=recipient` "
        "pairs with commas, e.g. `sms=account:boss,email=account:boss`. Empty: a provider that "
        "dies at night is noticed with the first message.",
        source="no recipient can be guessed",
        pattern=r"^((sms|voice|email|push)=(account|contact|responder):[a-z0-9-]{1,64}"
        r"(,(sms|voice|email|push)=(account|contact|responder):[a-z0-9-]{1,64})*)?$",
    )
    probe_every_s: int = setting(
        3600,
        "How long a provider may have had nothing to send before it must prove itself.",
        source="ours: 24 messages a day and channel at most",
        unit="s",
        ge=300,
        le=86_400,
    )
