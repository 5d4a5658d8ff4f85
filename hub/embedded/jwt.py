"""The few NATS JSON Web Tokens that an auth callout reads and writes (NATS ADR-14, ADR-26).

Not a general JWT library: NATS has its own algorithm name, its own claims and no `exp` check on
our side, and the whole of it is two functions.
"""

import base64
import hashlib
from typing import Any, TypeVar

import msgspec
import nkeys

Claims = TypeVar("Claims")

_HEADER = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"ed25519-nkey"}').rstrip(b"=")
_PARTS = 3


class Signer:
    """Signs claims as one NATS account."""

    def __init__(self, seed: str) -> None:
        """Take the account's seed (`SA...`)."""
        self._keys = nkeys.from_seed(bytearray(seed.encode()))
        self.issuer: str = self._keys.public_key.decode()

    def sign(self, claims: dict[str, Any], issued_at_s: int) -> str:
        """Return the token for these claims; issuer, instant and id are added here."""
        body = claims | {"iat": issued_at_s, "iss": self.issuer}
        # The id is the hash of the claims without the id (github.com/nats-io/jwt, claims.go).
        digest = hashlib.sha256(msgspec.json.encode(body)).digest()
        body["jti"] = base64.b32encode(digest).decode().rstrip("=")
        payload = base64.urlsafe_b64encode(msgspec.json.encode(body)).rstrip(b"=")
        signed = _HEADER + b"." + payload
        signature = base64.urlsafe_b64encode(self._keys.sign(signed)).rstrip(b"=")
        return (signed + b"." + signature).decode()


def read_claims(token: bytes, decoder: msgspec.json.Decoder[Claims]) -> Claims:
    """Return the claims of a token, without checking who signed it.

    Enough for the callout: only the broker itself can publish where it listens, and the key with
    which the broker signs is a new one at every start. Raises `msgspec.MsgspecError` if the token
    cannot be read.
    """
    parts = token.split(b".")
    if len(parts) != _PARTS:
        message = "not a token of three parts"
        raise msgspec.ValidationError(message)
    try:
        payload = base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4))
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from error
    return decoder.decode(payload)
