"""What a key of the settings is made of."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, PlainSerializer
from pydantic_settings import NoDecode


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port to listen on."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST:PORT`, with IPv6 hosts in brackets.

        >>> Address.parse("[::1]:1883")
        Address(host='::1', port=1883)
        """
        match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+)):(\d{1,5})", text)
        if match is None or not 1 <= int(match[3]) <= 65535:
            message = "HOST:PORT with a port from 1 to 65535, for example 127.0.0.1:8080"
            raise ValueError(message)
        return cls(match[1] or match[2], int(match[3]))

    def __str__(self) -> str:
        """The text `parse` reads."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def reachable(self) -> Self:
        """The address for a client on this machine, also if we listen on every interface."""
        local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return type(self)(local, self.port)


def _address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


def time_zone_name(name: str) -> str:
    """The name, if it is one of the IANA time zone database. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "a name of the IANA time zone database, for example Asia/Shanghai"
        raise ValueError(message) from None
    return name


ListenAddress = Annotated[Address, NoDecode, BeforeValidator(_address), PlainSerializer(str)]


def _address_or_none(value: object) -> object:
    return None if value in ("", None) else _address(value)


OptionalAddress = Annotated[
    Address | None,
    NoDecode,
    BeforeValidator(_address_or_none),
    PlainSerializer(lambda address: "" if address is None else str(address)),
]
"""Empty: not at all."""


def setting(default: Any, what: str, *, source: str, unit: str = "", **limits: Any) -> Any:
    """A key with what an operator should know of it: meaning, unit, where the default is from."""
    return Field(default, description=what, json_schema_extra={"unit": unit, "source": source},
                 **limits)  # fmt: skip
