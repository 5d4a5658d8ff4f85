"""What an operator can set: one model, from which `config/carebell.toml` is written too.

A value comes from the command line, else from the environment (`CAREBELL_<KEY>`), else from the
TOML file named by `CAREBELL_CONFIG`, else it is the default. A key nobody knows or a value that
makes no sense stops the start: a misspelt key must not silently leave the default in force.

The keys themselves live in `hub/keys`, one module a noun: a new one is added there.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from hub.errors import SettingsError
from hub.keys.assurance import AssuranceKeys
from hub.keys.broker import BrokerKeys
from hub.keys.channels import ChannelKeys
from hub.keys.courier import CourierKeys
from hub.keys.database import DatabaseKeys
from hub.keys.history import HistoryKeys
from hub.keys.http import HttpKeys
from hub.keys.ingest import IngestKeys
from hub.keys.key import Address
from hub.keys.ladder import LadderKeys
from hub.keys.page import PageKeys
from hub.keys.place import PlaceKeys
from hub.keys.reach import ReachKeys
from hub.keys.record import RecordKeys

__all__ = [
    "CONFIG_VARIABLE", "GROUPS", "Address", "Settings", "load_settings", "masked", "origin",
    "require_files", "values_in_file",
]  # fmt: skip

ENVIRONMENT_PREFIX = "CAREBELL_"
CONFIG_VARIABLE = "CAREBELL_CONFIG"

GROUPS: tuple[type[BaseModel], ...] = (
    PlaceKeys, HttpKeys, PageKeys, BrokerKeys, DatabaseKeys, IngestKeys, LadderKeys,
    ChannelKeys, CourierKeys, HistoryKeys, ReachKeys, RecordKeys, AssuranceKeys,
)  # fmt: skip
"""In the order of the configuration file."""


class Settings(
    PlaceKeys, HttpKeys, PageKeys, BrokerKeys, DatabaseKeys, IngestKeys, LadderKeys, ChannelKeys,
    CourierKeys, HistoryKeys, ReachKeys, RecordKeys, AssuranceKeys, BaseSettings,
):  # fmt: skip
    """Every key, its default, unit and source."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True, validate_default=True
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
        return init_settings, env_settings, InitSettingsSource(settings_cls, values_in_file())

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a child process that must see exactly the same."""
        return {
            f"{ENVIRONMENT_PREFIX}{key.upper()}": str(value)
            for key, value in self.model_dump().items()
        }


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` that are not None win. Raises `SettingsError`."""
    given = {key: value for key, value in overrides.items() if value is not None}
    complaints = _unknown_variables(os.environ) + _not_numbers(values_in_file())
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        complaints += [_complaint(str(e["loc"][0]), e["input"], e["type"], e["msg"], given)
                       for e in error.errors()]  # fmt: skip
        raise SettingsError(*complaints) from None
    complaints += _contradictions(settings)
    if complaints:
        raise SettingsError(*complaints)
    return settings


def _not_numbers(in_file: Mapping[str, object]) -> list[str]:
    """A number that is `true` in the file: Python takes it for 1."""
    return [
        f"{key} = {str(value).lower()} ({os.environ[CONFIG_VARIABLE]}): a number is wanted; "
        f"{Settings.model_fields[key].description}"
        for key, value in in_file.items()
        if isinstance(value, bool)
        and key in Settings.model_fields
        and Settings.model_fields[key].annotation in (int, float)
    ]


_TOGETHER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mqtt_tls_listen", ("mqtt_tls_certificate", "mqtt_tls_key")),
    ("mqtt_tls_certificate", ("mqtt_tls_listen",)),
    ("mqtt_tls_key", ("mqtt_tls_listen",)),
    ("mqtt_tls_client_ca", ("mqtt_tls_listen",)),
    ("http_tls_certificate", ("http_tls_key",)),
    ("http_tls_key", ("http_tls_certificate",)),
    ("broker_certificate", ("broker_key",)),
    ("broker_key", ("broker_certificate",)),
    ("broker_auth_listen", ("broker_auth_secret",)),
    ("smtp_url", ("smtp_from",)),
    ("smtp_from", ("smtp_url",)),
)
"""What is set, and what it does nothing without."""


def _contradictions(settings: Settings) -> list[str]:
    """What would not do what it says: a certificate without its key, mail without a sender."""
    return [
        f"{key} = {str(masked(key, str(getattr(settings, key))))!r}: wants {other} as well; "
        f"{Settings.model_fields[other].description}"
        for key, others in _TOGETHER
        for other in others
        if getattr(settings, key) and not getattr(settings, other)
    ]


_FILES = (
    "http_tls_certificate",
    "http_tls_key",
    "mqtt_tls_certificate",
    "mqtt_tls_key",
    "mqtt_tls_client_ca",
    "broker_ca",
    "broker_certificate",
    "broker_key",
)


def require_files(settings: Settings) -> None:
    """Stop the start of a whole hub over a file it could not read: a child would only come back
    again and again. Raises SettingsError."""
    complaints = [
        f"{key} = {getattr(settings, key)!r}: no file that can be read; "
        f"{Settings.model_fields[key].description}"
        for key in _FILES
        if getattr(settings, key) and not os.access(getattr(settings, key), os.R_OK)
    ]
    if complaints:
        raise SettingsError(*complaints)


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Without their values: a misspelt key may hold a secret."""
    known = {f"{ENVIRONMENT_PREFIX}{key.upper()}" for key in Settings.model_fields}
    return [
        f"{name} (environment): unknown key{_nearest(name.upper(), known)}"
        for name in sorted(environ)
        if name.upper().startswith(ENVIRONMENT_PREFIX)
        and name.upper() not in known | {CONFIG_VARIABLE}
    ]


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"


def _complaint(
    key: str, value: object, kind: str, message: str, given: Mapping[str, object]
) -> str:
    """Key, value, where it was found, and what is allowed."""
    if key in given:
        where = "command line"
    elif f"{ENVIRONMENT_PREFIX}{key.upper()}" in os.environ:
        where = "environment"
    else:
        where = os.environ.get(CONFIG_VARIABLE, "")
    if kind == "extra_forbidden":
        return f"{key} ({where}): unknown key{_nearest(key, set(Settings.model_fields))}"
    field = Settings.model_fields[key]
    allowed = f"{message.removeprefix('Value error, ')}; {field.description}"
    return f"{key} = {masked(key, value)!r} ({where}): {allowed}"


def origin(key: str, given: Mapping[str, object], in_file: Mapping[str, object]) -> str:
    """Which of the four places a value came from, in the order in which they win."""
    variable = f"{ENVIRONMENT_PREFIX}{key.upper()}"
    if given.get(key) is not None:
        return "command line"
    if any(name.upper() == variable for name in os.environ):
        return f"environment ({variable})"
    return f"file ({os.environ[CONFIG_VARIABLE]})" if key in in_file else "default"


def values_in_file() -> dict[str, object]:
    """What the file named by `CAREBELL_CONFIG` says; nothing without one. Raises SettingsError."""
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        return {}
    try:
        # Notepad begins UTF-8 with a mark that TOML does not know.
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"{CONFIG_VARIABLE} = {path!r}: no such file") from None
    except OSError as error:
        raise SettingsError(f"{CONFIG_VARIABLE} = {path!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8: save it with that encoding") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None


def masked(key: str, value: object) -> object:
    """The value without what must stay secret: messages and files are read over shoulders.

    Passwords in addresses, a user who needs none, all of an address's query, and the path of a
    webhook or watcher: the robots of DingTalk, WeCom and Feishu take whoever knows it for their
    owner.
    """
    if key.endswith(("_secret", "_password", "_token")) and value:
        return "***"
    if key == "apprise_urls" and value:
        return "***"
    if not isinstance(value, str) or "://" not in value:
        return value
    value = re.sub(r"(://[^:/@\s]*:)\S+@", r"\1***@", value)
    value = re.sub(r"(://)[^:/@\s]+@", r"\1***@", value)
    value = re.sub(r"\?\S+", "?***", value)
    opens = "webhook" in key or key == "dead_man_url"
    return re.sub(r"(://[^/\s]+/)[^\s]+", r"\1***", value) if opens else value
