"""What a password must be, and how one is drawn for somebody. Pure but for the drawing.

Length decides, not a mixture of characters, and what everybody tries first is refused (NIST
SP 800-63B, 5.1.1.2).
"""

import secrets

MIN_LENGTH = 10
"""Ours, above the 8 of NIST; guesses are throttled besides."""
MAX_LENGTH = 1024
"""Nobody types more; hashing must not be handed megabytes."""
MIN_DIFFERENT = 5
"""Characters that differ: `1212121212` is a pattern, not a password."""
_FIRST_TRIED = (
    "password", "passw0rd", "qwertyuiop", "1234567890", "0123456789", "iloveyou", "administrator",
    "carebell", "letmein", "welcome", "abcdefghij", "woaini", "changeme",
)  # fmt: skip
"""With nothing or only digits and punctuation beside them."""
_DRAWN_FROM = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is read for something else on paper or over the telephone."""
_DRAWN_LENGTH = 16
"""31^16, about 2^79: nobody guesses it in the days until it is changed."""


def complaint(password: str, username: str, name: str = "") -> str | None:
    """Why this is no password for this account; None if it is one."""
    folded = password.casefold()
    if len(password) < MIN_LENGTH:
        return f"at least {MIN_LENGTH} characters are wanted"
    if len(password) > MAX_LENGTH:
        return f"at most {MAX_LENGTH} characters are read"
    if len(set(folded)) < MIN_DIFFERENT:
        return f"at least {MIN_DIFFERENT} different characters are wanted"
    for own in (username, name):
        if len(own) >= 3 and own.casefold() in folded:
            return "it must not contain the name of its account"
    letters = "".join(c for c in folded if c.isalpha())
    if folded in _FIRST_TRIED or (letters in _FIRST_TRIED and letters):
        return "it is among the first that anybody would try"
    return None


def drawn() -> str:
    """A password for somebody who is to choose their own at the first log-in."""
    return "".join(secrets.choice(_DRAWN_FROM) for _ in range(_DRAWN_LENGTH))
