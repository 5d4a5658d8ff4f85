"""What an installer does with a device from the command line, on the database directly.

It works while the API is down, and is written to the audit log like what is done on the page; the
actor is the account of this machine.
"""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row

from hub.clock import SystemClock
from hub.credential import Credential, new_credential
from hub.desk import NewDevice
from hub.embedded.database import database_url
from hub.errors import HubError
from hub.qr import DeviceSetup, device_broker_url
from hub.register_nouns import MODEL_LENGTH
from hub.settings import Settings
from hub.store import devices
from hub.store.cases import log_values
from hub.store.reach import Cursor
from hub.view import View
from hub.voice_number import dialled
from schemas import topics
from schemas.ids import is_id
from schemas.vocabulary import DeviceKind

Result = TypeVar("Result")

NEWEST = 2**63 - 1
HISTORY_SHOWN = 100


class RegistrationError(HubError):
    """This cannot be registered."""


class Installer:
    """Each method is one transaction. Raises RegistrationError, or what hub.desk names."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def add(
        self, device_id: str, kind: str, premises_id: str, person_id: str | None,
        label: str | None, model: str | None = None, voice_number: str | None = None,
    ) -> DeviceSetup:  # fmt: skip
        """Register a device."""
        device = NewDevice(
            id=_id(device_id),
            area_id="",  # that of its home
            premises_id=premises_id,
            person_id=person_id,
            kind=_kind(kind),
            label=label or "",
            model=_model(model),
            voice_number=_number(voice_number),
        )
        credential = new_credential()
        line = self._line("provision", id=device_id)
        row = self._run(lambda c: devices.add(c, device, credential, line))
        return self._setup(row, credential)

    def describe(self, device_id: str, changes: Mapping[str, str]) -> View:
        """Change label, model or the number one talks through; an empty text takes it away."""
        wanted: dict[str, str | None] = dict(changes)
        if "model" in changes:
            wanted["model"] = _model(changes["model"])
        if "voice_number" in changes:
            wanted["voice_number"] = _number(changes["voice_number"])

        def line(told: View) -> dict[str, Any]:
            return self._line("change", id=device_id, **told)

        return self._run(lambda c: devices.describe(c, device_id, wanted, line))

    def rotate(self, device_id: str) -> DeviceSetup:
        """Draw a new secret; the old one ends, and with it the connection."""
        credential = new_credential()
        line = self._line("rotate", id=device_id)
        return self._setup(
            self._run(lambda c: devices.rotate(c, device_id, credential, line)), credential
        )

    def revoke(self, device_id: str) -> None:
        """Never let it in again."""
        line = self._line("revoke", id=device_id)
        self._run(lambda c: devices.revoke(c, device_id, line))

    def move(self, device_id: str, premises_id: str, person_id: str | None) -> str:
        """To another home or person; its topic prefix from now on."""
        line = self._line("move", id=device_id, to=premises_id, person=person_id)
        row = self._run(lambda c: devices.move(c, device_id, premises_id, person_id, line))
        return topics.device_prefix(row["area_id"], row["premises_id"], row["device_id"])

    def swap(
        self, device_id: str, new_id: str, kind: str | None, model: str | None = None,
        voice_number: str | None = None,
    ) -> DeviceSetup:  # fmt: skip
        """Put a new device in the place of a broken one."""
        credential = new_credential()
        wanted = {"kind": _kind(kind) if kind else None, "model": _model(model),
                  "voice_number": _number(voice_number)}  # fmt: skip
        line = self._line("swap", id=device_id, by=_id(new_id))
        return self._setup(
            self._run(lambda c: devices.swap(c, device_id, new_id, credential, wanted, line)),
            credential,
        )

    def history(self, device_id: str) -> list[View]:
        """What was so of it, newest first."""
        return self._run(lambda c: devices.history(c, device_id, NEWEST, HISTORY_SHOWN))

    def listed(self, premises_id: str | None, after: str) -> list[View]:
        """Devices by id, a page at a time."""
        return list(self._run(lambda c: devices.listed(c, premises_id, after)))

    def _setup(self, row: View, credential: Credential) -> DeviceSetup:
        prefix = topics.device_prefix(row["area_id"], row["premises_id"], row["device_id"])
        broker_url = device_broker_url(self._settings)
        return DeviceSetup(broker_url, row["device_id"], credential.secret, prefix)

    def _line(self, action: str, **detail: Any) -> dict[str, Any]:
        detail = {"noun": "device", **detail, "host": os.uname().nodename}
        actor = ("operator", getpass.getuser(), None)
        return log_values(SystemClock().now(), "", None, action, None, detail, actor)

    def _run(self, work: Callable[[Cursor], Awaitable[Result]]) -> Result:
        async def run() -> Result:
            url = self._settings.database_url or database_url(self._settings.data_dir)
            async with (
                await psycopg.AsyncConnection.connect(url) as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                return await work(cursor)

        try:
            return asyncio.run(run())
        except UniqueViolation as error:
            raise RegistrationError(error.diag.message_detail or "the id is taken") from None
        except psycopg.Error as error:
            raise RegistrationError(str(error).splitlines()[0]) from error


def credential_lines(setup: DeviceSetup) -> list[str]:
    """What to tell whoever sets the device up, once."""
    host, _, port = setup.broker_url.partition("://")[2].rpartition(":")
    tls = " --cafile CA.pem" if setup.broker_url.startswith("mqtts") else ""
    attempt = (
        f"mosquitto_pub -h {host.strip('[]')} -p {port}{tls} -i {setup.device_id} "
        f"-u {setup.device_id} -P {setup.secret} -q 1 -t {setup.topic_prefix}/alarm/press "
        '-m \'{"action":"emergency"}\''
    )
    return [
        f"device     {setup.device_id}",
        f"broker     {setup.broker_url}",
        f"username   {setup.device_id}   (also the client id)",
        f"password   {setup.secret}   (shown only now)",
        f"prefix     {setup.topic_prefix}",
        f"code       {setup.text()}",
        f"try        {attempt}",
    ]


def _id(device_id: str) -> str:
    if not is_id(device_id):
        raise RegistrationError(f"id = {device_id!r}; allowed: 1 to 64 of a-z, 0-9 and -")
    return device_id


def _model(model: str | None) -> str | None:
    if model is not None and len(model.strip()) > MODEL_LENGTH:
        raise RegistrationError(f"model: at most {MODEL_LENGTH} characters")
    return (model or "").strip() or None


def _number(written: str | None) -> str | None:
    if not written:
        return None
    try:
        return dialled(written)
    except ValueError as error:
        raise RegistrationError(f"voice number = {written!r}; allowed: {error}") from None


def _kind(kind: str) -> str:
    kinds = {k.value: k for k in DeviceKind}
    known = kinds.get(kind.replace("-", "_"))
    if known is None:
        raise RegistrationError(f"kind = {kind!r}; allowed: {', '.join(kinds)}")
    return known.value
