"""From bytes to a JSON object: strictly for telemetry, as far as it goes for alarms."""

import json
from typing import Any

import msgspec

MAX_PAYLOAD_BYTES = 65_536
"""A 10 s window of three axes at 100 Hz is about 20 kB of JSON; no message is three times that."""

MAX_REASON_LENGTH = 200
"""A reason is one line on an operator's screen; payloads must not travel inside it."""

_MAX_INTEGER_DIGITS = 400
"""Longer integers become infinite: Python refuses to read 4300 digits, and no field wants them."""


class Malformed(Exception):
    """The payload cannot be read as a message of its kind; the reason is fit for an operator."""

    def __init__(self, reason: str) -> None:
        self.reason = printable(reason)
        super().__init__(self.reason)


def printable(text: str) -> str:
    """`text` on one bounded line that every terminal and database can hold."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[
        :MAX_REASON_LENGTH
    ]


_STRICT = msgspec.json.Decoder()


def read_object(payload: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises `Malformed` for anything else."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Malformed(f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are allowed")
    try:
        value = _STRICT.decode(payload)
    except RecursionError:
        raise Malformed("not JSON: nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Malformed(f"a JSON object is wanted, not {type(value).__name__}")
    return value


def read_damaged_object(payload: bytes) -> dict[str, Any]:
    """Read what small devices send for JSON: NaN, C string ends, raw control characters, half a
    surrogate pair, a byte order mark, names in GBK. Raises `Malformed` if there is no object in it.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Malformed(f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are allowed")
    text = payload.decode("utf-8", "replace").strip("\ufeff\0 \t\r\n")
    try:
        value = json.loads(text, strict=False, parse_int=_read_integer)
    except RecursionError:
        raise Malformed("not JSON: nested too deeply") from None
    except ValueError as error:
        raise Malformed(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Malformed(f"a JSON object is wanted, not {type(value).__name__}")
    return value


def _read_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)
