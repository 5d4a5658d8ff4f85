"""The signature that ours carry and that gateways may carry: HMAC-SHA-256 of the body."""

import hashlib
import hmac

SIGNATURE_HEADER = "Carebell-Signature"
"""`sha256=` and the hex digest, as on the hub's own requests (docs/callbacks.md)."""


def is_signed(body: bytes, secret: str, given: str) -> bool:
    """Whether the signature fits; without a secret none does. Compared in constant time."""
    if not secret:
        return False
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={digest}".encode(), given.encode())
