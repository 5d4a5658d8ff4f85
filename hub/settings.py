"""What an operator can set: one model, from which `config/carebell.toml` is written too.

A value comes from the command line, else from the environment (`CAREBELL_<KEY>`), else from the
TOML file named by `CAREBELL_CONFIG`, else it is the default. A key nobody knows or a value that
makes no sense stops the start: a misspelt key must not silently leave the default in force.
"""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from hub.errors import SettingsError
from schemas.ids import ID_PATTERN

ENVIRONMENT_PREFIX = "CAREBELL_"
CONFIG_VARIABLE = "CAREBELL_CONFIG"


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


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "a name of the IANA time zone database, for example Asia/Shanghai"
        raise ValueError(message) from None
    return name


ListenAddress = Annotated[Address, NoDecode, BeforeValidator(_address), PlainSerializer(str)]


def _setting(default: Any, what: str, *, source: str, unit: str = "", **limits: Any) -> Any:
    """A key with what an operator should know of it: meaning, unit, where the default is from."""
    return Field(default, description=what, json_schema_extra={"unit": unit, "source": source},
                 **limits)  # fmt: skip


class Settings(BaseSettings):
    """Every key, its default, unit and source."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True, validate_default=True
    )

    http_listen: ListenAddress = _setting(
        Address("127.0.0.1", 8080),
        "Where the page and the API listen.",
        source="this machine only, until somebody decides otherwise",
    )
    mqtt_listen: ListenAddress = _setting(
        Address("127.0.0.1", 1883),
        "Where the embedded broker listens for devices.",
        source="1883 is MQTT's registered port (IANA); this machine only until decided otherwise",
    )
    data_dir: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = _setting(
        Path("carebell-data"),
        "The folder that holds everything the hub keeps; relative to where it is started.",
        source="visible beside the source tree, easy to find and to delete",
    )
    broker_url: str = _setting(
        "",
        "A broker somebody operates: mqtt://USER:PASSWORD@HOST:PORT. Empty: the embedded one.",
        source="one machine is the default size",
        pattern=r"^(mqtts?://\S+)?$",
    )
    database_url: str = _setting(
        "",
        "A PostgreSQL somebody operates: postgresql://... Empty: the embedded one.",
        source="one machine is the default size",
        pattern=r"^(postgres(ql)?://\S*)?$",
    )
    root_area_id: str = _setting(
        "city",
        "The area at the top of the tree; what belongs nowhere else rings here.",
        source="level names of Chinese practice: city, county, street, community",
        pattern=f"^{ID_PATTERN}$",
    )
    language: Literal["zh-CN", "en"] = _setting(
        "zh-CN",
        "What the hub speaks where a person or account has no language of their own.",
        source="first deployments are in mainland China",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = _setting(
        "Asia/Shanghai",
        "The zone of premises that name none; storage is always UTC.",
        source="mainland China has one zone",
    )
    hotline_number: str = _setting(
        "12349",
        "The number a person is told to call when the hub cannot help.",
        source="12349 is China's number for services to older people; cities differ (96580)",
        pattern=r"^[0-9+-]{3,20}$",
    )
    mqtt_max_unacknowledged: int = _setting(
        8192,
        "How many messages the broker hands to one hub session before it waits for PUBACKs.",
        source="60,000 messages/s measured at 20,000, 28,000 at the broker's default of 1,024; "
        "8,192 covers 1.6 s at 5,000 messages/s",
        unit="messages",
        ge=1,
        le=65535,
    )
    mqtt_ack_wait_s: int = _setting(
        5,
        "After how long the broker sends a message again that the hub did not answer.",
        source="longer than any healthy commit, short beside the 30 s in which a press must move "
        "on (the broker's default is 30 s)",
        unit="s",
        ge=1,
        le=300,
    )

    batch_max_messages: int = _setting(
        1000,
        "How many telemetry messages go into one transaction at most.",
        source="measured: larger batches gain nothing, smaller ones cost a commit each",
        unit="messages",
        ge=1,
        le=20000,
    )
    batch_linger_ms: int = _setting(
        20,
        "How long a telemetry batch waits for more messages.",
        source="50 commits/s at most leave the disk to the alarm lane, whose batches never wait",
        unit="ms",
        ge=0,
        le=1000,
    )
    catch_up_messages_per_s: int = _setting(
        6000,
        "How fast telemetry that waited in the broker is taken in after an outage.",
        source="measured on two cores: at full speed (12,000) the broker answers a fresh press "
        "after up to 250 ms, at this rate within about 50",
        unit="messages/s",
        ge=100,
        le=1_000_000,
    )
    webhook_url: str = _setting(
        "",
        "The area's fallback contact: an address that is sent a signed POST when nobody "
        "acknowledges. Empty: there is nobody, which is recorded.",
        source="no address can be guessed",
        pattern=r"^(https?://\S+)?$",
    )
    webhook_secret: str = _setting(
        "",
        "The secret that signs what is posted to `webhook_url` (HMAC-SHA-256).",
        source="empty: unsigned",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line over environment over file; no dotenv file that acts unseen."""
        del dotenv_settings, file_secret_settings
        path = os.environ.get(CONFIG_VARIABLE)
        if not path:
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(path))

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a child process that must see exactly the same."""
        return {
            f"{ENVIRONMENT_PREFIX}{key.upper()}": str(value)
            for key, value in self.model_dump().items()
        }


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` that are not None win. Raises `SettingsError`."""
    given = {key: value for key, value in overrides.items() if value is not None}
    complaints = _unknown_variables(os.environ)
    path = os.environ.get(CONFIG_VARIABLE)
    if path and not Path(path).is_file():
        complaints.append(f"{CONFIG_VARIABLE} = {path!r}: no such file")
        raise SettingsError(*complaints)
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks the values
    except TOMLDecodeError as error:
        raise SettingsError(*complaints, f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        complaints += [_complaint(str(e["loc"][0]), e["input"], e["type"], e["msg"], given)
                       for e in error.errors()]  # fmt: skip
        raise SettingsError(*complaints) from None
    if complaints:
        raise SettingsError(*complaints)
    return settings


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {f"{ENVIRONMENT_PREFIX}{key.upper()}" for key in Settings.model_fields}
    return [
        f"{name} = {environ[name]!r} (environment): unknown key{_nearest(name, known)}"
        for name in sorted(environ)
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known | {CONFIG_VARIABLE}
    ]


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"


def _complaint(
    key: str, value: object, kind: str, message: str, given: Mapping[str, object]
) -> str:
    """Key, value, where it was found, and what is allowed."""
    if key in given:
        origin = "command line"
    elif f"{ENVIRONMENT_PREFIX}{key.upper()}" in os.environ:
        origin = "environment"
    else:
        origin = os.environ.get(CONFIG_VARIABLE, "")
    if kind == "extra_forbidden":
        allowed = "unknown key" + _nearest(key, set(Settings.model_fields))
    else:
        field = Settings.model_fields[key]
        allowed = f"{message.removeprefix('Value error, ')}; {field.description}"
    return f"{key} = {masked(key, value)!r} ({origin}): {allowed}"


def masked(key: str, value: object) -> object:
    """The value without what must stay secret: messages and files are read over shoulders."""
    if key.endswith("_secret") and value:
        return "***"
    return re.sub(r"(://[^:/@\s]*:)[^@\s]+@", r"\1***@", value) if isinstance(value, str) else value
