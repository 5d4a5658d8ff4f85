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
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
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
    "values_in_file",
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
    except tomllib.TOMLDecodeError as error:
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
        where = "command line"
    elif f"{ENVIRONMENT_PREFIX}{key.upper()}" in os.environ:
        where = "environment"
    else:
        where = os.environ.get(CONFIG_VARIABLE, "")
    if kind == "extra_forbidden":
        allowed = "unknown key" + _nearest(key, set(Settings.model_fields))
    else:
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
    """What the file named by `CAREBELL_CONFIG` says; nothing without one."""
    path = os.environ.get(CONFIG_VARIABLE)
    return tomllib.loads(Path(path).read_text(encoding="utf-8")) if path else {}


def masked(key: str, value: object) -> object:
    """The value without what must stay secret: messages and files are read over shoulders.

    Passwords in addresses, all of an address's query, and the path of a webhook: the robots of
    DingTalk, WeCom and Feishu take whoever knows it for their owner.
    """
    if key.endswith(("_secret", "_password", "_token")) and value:
        return "***"
    if key == "apprise_urls" and value:
        return "***"
    if not isinstance(value, str) or "://" not in value:
        return value
    value = re.sub(r"(://[^:/@\s]*:)[^@\s]+@", r"\1***@", value)
    value = re.sub(r"\?\S+", "?***", value)
    return re.sub(r"(://[^/\s]+/)[^\s]+", r"\1***", value) if "webhook" in key else value
