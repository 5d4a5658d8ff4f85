"""Signatures on call-backs: the one that ours carry and gateways may carry (HMAC-SHA-256 of the
body), and Twilio's own."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit, urlunsplit

SIGNATURE_HEADER = "Carebell-Signature"
"""`sha256=` and the hex digest, as on the hub's own requests (docs/callbacks.md)."""
TWILIO_HEADER = "X-Twilio-Signature"
_USUAL_PORTS = {"https": 443, "http": 80}


def is_signed(body: bytes, secret: str, given: str) -> bool:
    """Whether the signature fits; without a secret none does. Compared in constant time."""
    if not secret:
        return False
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={digest}".encode(), given.encode())


def is_twilios(url: str, body: bytes, token: str, given: str) -> bool:
    """Whether Twilio signed this form for that address (Twilio, "Webhooks Security": Base64 of the
    HMAC-SHA-1 under the account's token over the address and every field, sorted by name).

    Some of its products write the port into the address, others leave it out: both are tried, as
    its own libraries do. Compared in constant time.
    """
    if not token:
        return False
    fields = sorted(set(parse_qsl(body.decode(errors="replace"), keep_blank_values=True)))
    said = "".join(name + value for name, value in fields)
    wanted = given.encode()
    right = False
    for address in (url, _with_port(url), _without_port(url)):
        digest = hmac.new(token.encode(), (address + said).encode(), hashlib.sha1).digest()
        right |= hmac.compare_digest(base64.b64encode(digest), wanted)
    return right


def _with_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.port is not None:
        return url
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{_USUAL_PORTS[parts.scheme]}"))


def _without_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.port is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition(":")[0]))
