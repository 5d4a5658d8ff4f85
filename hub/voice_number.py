"""The number at which one talks through a device: of its SIM card, or a SIP address. Pure."""

import re

VOICE_NUMBER = r"^(sip:[!-?A-~]{1,64}@[!-?A-~]{1,128}|\+?[0-9 ()-]{3,30})$"
"""E.164 allows 15 digits (ITU-T E.164); people write them with spaces, brackets and hyphens. A SIP
address is printable ASCII (RFC 3261, 25.1): what counts as a space differs between engines."""

_form = re.compile(VOICE_NUMBER)


def dialled(written: str) -> str:
    """A number as it is dialled. Raises ValueError with what is allowed.

    >>> dialled("+86 (139) 0013-9000"), dialled("sip:home-7@pbx.example.org")
    ('+8613900139000', 'sip:home-7@pbx.example.org')
    """
    if not _form.fullmatch(written):
        raise ValueError("3 to 30 digits, +, brackets, spaces and hyphens, or sip:name@host")
    if written.startswith("sip:"):
        return written
    return "".join(sign for sign in written if sign.isdigit() or sign == "+")
