"""The hub's VAPID key: made once, kept in the data folder, the same for every process."""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from hub.errors import FolderUnusableError

KEY_FILE = "push-key.pem"


def push_key(data_dir: Path) -> Vapid02:
    """Read the key, or make it. A new one would make every browser's subscription worthless, so
    whoever comes second takes what the first one wrote."""
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return Vapid02.from_pem(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FolderUnusableError(
            f"{path}: {error}", "Without it no browser can be written to: restore it from a backup."
        ) from error


def public_key(key: Vapid02) -> str:
    """What a browser subscribes with: the point, base64url without padding."""
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _make(path: Path) -> None:
    fresh = Vapid02()
    fresh.generate_keys()
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fresh.private_pem())
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
