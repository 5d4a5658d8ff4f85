"""How a provider proves that a call-back is its own: a token in the address it was given.

Every provider can call an address back, few can sign. The token is an HMAC of the provider's name
under a key of this installation, so a leaked address is worth one provider, and another key makes
all of them worthless. Who can sign does so besides (`Carebell-Signature`, docs/callbacks.md).
"""

import hashlib
import hmac

TOKEN_LENGTH = 32
"""Characters of the hex digest: 128 bit."""
PATH = "/api/v1/callbacks"


def token_of(key: bytes, provider: str) -> str:
    """What stands at the end of a provider's call-back address."""
    return hmac.new(key, provider.encode(), hashlib.sha256).hexdigest()[:TOKEN_LENGTH]


def callback_url(public_url: str, key: bytes, provider: str) -> str:
    """Where a provider reports back; empty where nobody outside reaches the hub."""
    return f"{public_url}{PATH}/{provider}/{token_of(key, provider)}" if public_url else ""


def is_right(key: bytes, provider: str, token: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(token_of(key, provider).encode(), token.encode())
