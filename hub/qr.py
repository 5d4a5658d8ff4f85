"""What a device is told when it is provisioned, as one line of text and as a QR code.

The content is a URL, so that every phone shows what it is and no reader needs a format of ours:

    mqtts://button-1:5f2c...@hub.example.org:8883/care/v1/city/home-1/button-1?v=1

scheme and host with port: the broker; user name: the device's id, to be used as MQTT client id and
user name; password: its secret; path without the leading slash: its topic prefix; `v`: of this
format, 1. Ids are `[a-z0-9-]`, secrets hexadecimal: nothing in it needs escaping. Whoever has the
code has the device's credential: it is shown once, printed at most, never stored by the hub.
"""

import io
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import segno

from hub.settings import Settings

FORMAT = 1
ERROR_CORRECTION = "m"
"""15 % may be scratched; the whole fits into a code of 45 modules, 2 cm on a label."""
QUIET_ZONE_MODULES = 4
"""ISO/IEC 18004: readers want four modules of white around."""


@dataclass(frozen=True, slots=True)
class DeviceSetup:
    """What a device needs to connect."""

    broker_url: str
    """mqtt(s)://HOST:PORT"""
    device_id: str
    secret: str
    topic_prefix: str

    def text(self) -> str:
        """The content of the code."""
        broker = urlsplit(self.broker_url)
        login = f"{self.device_id}:{self.secret}"
        return f"{broker.scheme}://{login}@{broker.netloc}/{self.topic_prefix}?v={FORMAT}"

    def svg(self) -> str:
        """The code as an SVG image without XML declaration, to stand in a page."""
        out = io.BytesIO()
        self._code().save(
            out, kind="svg", border=QUIET_ZONE_MODULES, scale=4, xmldecl=False, svgns=True
        )
        return out.getvalue().decode()

    def png(self) -> bytes:
        """The code as a PNG image."""
        out = io.BytesIO()
        self._code().save(out, kind="png", border=QUIET_ZONE_MODULES, scale=8)
        return out.getvalue()

    def terminal(self) -> str:
        """The code for a terminal, two modules a character."""
        out = io.StringIO()
        self._code().terminal(out, border=2, compact=True)
        return out.getvalue()

    def _code(self) -> segno.QRCode:
        return segno.make_qr(self.text(), error=ERROR_CORRECTION)


@dataclass(frozen=True, slots=True)
class PhoneSetup(DeviceSetup):
    """A phone opens its page by the code: `https://HUB/press/#DEVICE:SECRET@PREFIX`. What stands
    behind the `#` stays in the phone: it is in no request and no log."""

    page_url: str = ""

    def text(self) -> str:
        """The content of the code."""
        return f"{self.page_url}/press/#{self.device_id}:{self.secret}@{self.topic_prefix}"


def read_setup(text: str) -> DeviceSetup:
    """The content of a code, read as an installer's phone would. Raises ValueError."""
    url = urlsplit(text)
    if url.scheme not in ("mqtt", "mqtts") or url.query != f"v={FORMAT}" or not url.username:
        message = "not the set-up of a device"
        raise ValueError(message)
    return DeviceSetup(
        broker_url=f"{url.scheme}://{url.netloc.rpartition('@')[2]}",
        device_id=unquote(url.username),
        secret=unquote(url.password or ""),
        topic_prefix=url.path.lstrip("/"),
    )


def page_url(settings: Settings) -> str:
    """Where the pages are opened, as people are told. Browsers give a page position and storage
    that lasts over https only, so a hub that phones use wants `public_url`."""
    if settings.public_url:
        return settings.public_url
    scheme = "https" if settings.http_tls_certificate else "http"
    return f"{scheme}://{settings.http_listen.reachable()}"


def device_broker_url(settings: Settings) -> str:
    """Where devices connect, as they are told."""
    if settings.mqtt_public_url:
        return settings.mqtt_public_url
    if settings.broker_url:
        broker = urlsplit(settings.broker_url)
        port = broker.port or (8883 if broker.scheme == "mqtts" else 1883)
        return f"{broker.scheme}://{broker.hostname}:{port}"
    if settings.mqtt_tls_listen is not None:
        return f"mqtts://{settings.mqtt_tls_listen.reachable()}"
    return f"mqtt://{settings.mqtt_listen.reachable()}"
