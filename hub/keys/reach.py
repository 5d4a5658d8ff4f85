"""Who goes there, how soon, and whom the hub calls from memory while the database is away."""

from pydantic import BaseModel

from hub.keys.key import setting

_CONTACT = r"(https?://[^\s;,=]+|(sms|tel):\+?[0-9-]{3,20})"


class ReachKeys(BaseModel):
    """Who goes there, how soon, and whom the hub calls while the database is away."""

    routing_url: str = setting(
        "",
        "A routing service with OSRM's table API, for example `http://osrm.example:5000`. It is "
        "told where homes and responders are. Empty: travel times are estimated.",
        source="no address can be guessed, and positions leave the hub only by decision",
        pattern=r"^(https?://\S+)?$",
    )
    routing_timeout_ms: int = setting(
        800,
        "How long the routing service may take; then the estimate is shown.",
        source="ours: whoever looks for a responder must not wait a second longer",
        unit="ms",
        ge=50,
        le=10_000,
    )
    fallback_by_area: str = setting(
        "",
        "Fallback contacts of single areas and all below them, in place of `webhook_url`: "
        "`east=https://second.example/hook;west=tel:+8654312349,sms:+8613800000000`. `sms:` and "
        "`tel:` go through the SMS and voice gateways; of several, the next is tried when one "
        "fails.",
        source="no address can be guessed",
        pattern=rf"^(\s*[a-z0-9-]{{1,64}}={_CONTACT}(,{_CONTACT})*\s*;?)*$",
    )
    fallback_after_s: int = setting(
        30,
        "With the database away: how long the desks may leave an alarm unanswered before the "
        "fallback contact is called from memory.",
        source="an unaccepted SOS reaches the next tier after 30 s, as on the urgent ladder",
        unit="s",
        ge=5,
        le=3600,
    )
    fallback_again_s: int = setting(
        60,
        "And how long after that it is called again, until somebody has it.",
        source="the last rung of the urgent ladder",
        unit="s",
        ge=10,
        le=3600,
    )
    fallback_tries: int = setting(
        4,
        "How often one call to the fallback contact is tried before the next rung.",
        source="ours: 2, 4 and 8 s apart, all within the next rung",
        unit="tries",
        ge=1,
        le=10,
    )
