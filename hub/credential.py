"""A device's secret, and the two hashes that are kept of it."""

import base64
import hashlib
import secrets
from dataclasses import dataclass

SECRET_BYTES = 16
"""128 random bits: nobody guesses them, so one round of SHA-256 is enough in the register. With
argon2, letting 10,000 devices in again after a power cut would take half an hour of CPU."""
MOSQUITTO_ROUNDS = 101
"""What mosquitto_passwd uses (2.0); against guessing, the 128 bits help and rounds do not."""
_MOSQUITTO_SALT_BYTES = 12


@dataclass(frozen=True, slots=True)
class Credential:
    """A new secret. Only the hashes are stored."""

    secret: str
    sha256: str
    mosquitto_hash: str
    """As a line of Mosquitto's password file wants it: `$7$rounds$salt$hash`, PBKDF2-SHA512."""


def new_credential() -> Credential:
    """Draw one."""
    secret = secrets.token_hex(SECRET_BYTES)
    return Credential(secret, hashlib.sha256(secret.encode()).hexdigest(), mosquitto_hash(secret))


def mosquitto_hash(password: str, salt: bytes | None = None) -> str:
    """A password as Mosquitto 2 checks it. The same salt gives the same line: Mosquitto hangs up
    on whoever's line has changed."""
    salt = salt or secrets.token_bytes(_MOSQUITTO_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, MOSQUITTO_ROUNDS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${MOSQUITTO_ROUNDS}${'$'.join(parts)}"
