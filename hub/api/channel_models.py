"""What consent, web push and calls to homes look like outside."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alerts.consent import Audience, DataType
from alerts.home_call import CallKind
from hub.api.models import Moment
from hub.voice_number import VOICE_NUMBER


class ConsentItem(BaseModel):
    """One cell: whether an audience may be told one kind of data."""

    audience: Audience
    data: DataType
    allowed: bool
    decided: bool
    """False: the default."""
    fixed: bool
    """Cannot be changed: it is the service itself."""
    decided_at: Moment | None = None
    by_name: str | None = None
    ground: str = ""


class ConsentView(BaseModel):
    """Every cell of the table."""

    model_config = ConfigDict(title="Consent")

    person_id: str
    items: list[ConsentItem]


class ConsentChange(BaseModel):
    """One decision; null takes it back."""

    model_config = ConfigDict(extra="forbid")

    audience: Audience
    data: DataType
    allowed: bool | None


class ConsentBody(BaseModel):
    """Decisions, and how they were given."""

    model_config = ConfigDict(extra="forbid")

    changes: list[ConsentChange] = Field(min_length=1, max_length=30)
    ground: str = Field(min_length=1, max_length=200)
    """A form's number, "by telephone on Monday", a relative with power of attorney."""


def _of_a_push_service(endpoint: str) -> str:
    """The hub will post there: no address inside one's own network, as far as its name tells.

    >>> _of_a_push_service("https://push.example.org/x")
    'https://push.example.org/x'
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    named = "." in host and any(c.isalpha() for c in host.rpartition(".")[2])
    own = host.endswith((".local", ".internal", ".localhost", ".lan"))
    if parts.scheme != "https" or not named or own or parts.username or ":" in host:
        message = "the https address of a push service"
        raise ValueError(message)
    return endpoint


class PushKeys(BaseModel):
    """As a browser gives them."""

    p256dh: str = Field(min_length=80, max_length=100, pattern=r"^[A-Za-z0-9_-]+=*$")
    auth: str = Field(min_length=20, max_length=30, pattern=r"^[A-Za-z0-9_-]+=*$")


class SubscriptionBody(BaseModel):
    """`PushSubscription.toJSON()`; what else a browser says is ignored."""

    endpoint: Annotated[str, AfterValidator(_of_a_push_service)] = Field(max_length=1024)
    keys: PushKeys


class EndpointBody(BaseModel):
    """Which browser."""

    endpoint: str = Field(max_length=1024)


class SubscriptionView(BaseModel):
    """One of your browsers."""

    model_config = ConfigDict(title="PushSubscription")

    endpoint: str
    agent: str
    since: Moment


class PushView(BaseModel):
    """What a browser subscribes with, and which ones do."""

    model_config = ConfigDict(title="Push")

    public_key: str
    """Empty: this hub sends no web push."""
    items: list[SubscriptionView]


class CallBody(BaseModel):
    """Talk: your telephone rings first. Check-in: a robot asks."""

    model_config = ConfigDict(extra="forbid")

    kind: CallKind = CallKind.TALK


class CallView(BaseModel):
    """One call to the home."""

    model_config = ConfigDict(title="HomeCall")

    call_id: str
    kind: CallKind
    whom: str
    by_name: str
    state: Literal["asked", "placed", "ringing", "answered", "ended"]
    result: Literal["answered", "well", "help", "no_reply", "busy", "failed"] | None
    asked_at: Moment
    ended_at: Moment | None
    detail: str


class CallList(BaseModel):
    """The newest first."""

    number: str | None
    """Where the home is called: the device's SIM or SIP number, else the home's, else theirs.
    Null: there is none, or it is a silent alarm and nothing may ring there."""
    items: list[CallView]


class VoiceNumberBody(BaseModel):
    """The SIM or SIP number of a device one can talk through; null: it has none any more."""

    model_config = ConfigDict(extra="forbid")

    voice_number: str | None = Field(pattern=VOICE_NUMBER)


class VoiceNumberView(BaseModel):
    """As it is dialled."""

    model_config = ConfigDict(title="VoiceNumber")

    device_id: str
    voice_number: str | None
