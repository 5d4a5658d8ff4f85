"""The key behind the addresses that providers call back."""

import hashlib
import hmac

from hub.embedded.folder import HubFolder
from hub.embedded.secrets import load_secrets
from hub.settings import Settings


def callback_key(settings: Settings) -> bytes:
    """The key of the settings; else one that follows from the secrets the hub drew at its first
    start, the same in every process on its data folder."""
    if settings.callback_secret:
        return settings.callback_secret.encode()
    drawn = load_secrets(HubFolder(settings.data_dir)).issuer_seed
    return hmac.new(drawn.encode(), b"call-backs of providers", hashlib.sha256).digest()
