"""Keys and passwords that the hub draws for itself at its first start.

Nothing has a default password: every installation has its own, in one file of mode 0600.
"""

import secrets
from enum import StrEnum
from pathlib import Path

import msgspec
import nkeys

from hub.embedded.folder import HubFolder, write_private
from hub.errors import FolderUnusableError


class InternalUser(StrEnum):
    """The hub's own users at the embedded broker; the broker checks these itself."""

    INGEST = "hub-ingest"
    API = "hub-api"
    WORKER = "hub-worker"
    CALLOUT = "auth"
    SYSTEM = "sys"


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `secrets.json`."""

    issuer_seed: str
    """NATS account seed with which the callout signs what a device may do."""
    broker_passwords: dict[str, str]
    administrator_password: str
    """The first administrator's; of no use once they have changed it."""


def load_or_draw_secrets(folder: HubFolder) -> Secrets:
    """Read the secrets, or draw and keep them at the first start (supervisor only)."""
    if folder.secrets.exists():
        return load_secrets(folder)
    drawn = Secrets(
        issuer_seed=nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_ACCOUNT).decode(),
        broker_passwords={user.value: secrets.token_urlsafe(24) for user in InternalUser},
        administrator_password=secrets.token_urlsafe(12),
    )
    write_private(folder.secrets, msgspec.json.format(msgspec.json.encode(drawn)))
    return drawn


def load_secrets(folder: HubFolder) -> Secrets:
    """Read the secrets that an earlier start drew."""
    try:
        return _decode(folder.secrets)
    except (OSError, msgspec.MsgspecError) as error:
        raise FolderUnusableError(
            f"{folder.secrets}: {error}",
            "It is written at the first `carebell up`. Without it the embedded broker knows none "
            "of its users: restore it from a backup, or start on an empty folder.",
        ) from error


def _decode(path: Path) -> Secrets:
    return msgspec.json.decode(path.read_bytes(), type=Secrets)
