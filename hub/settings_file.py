"""Write the settings as a commented TOML file, so that page and code cannot disagree."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from pydantic.fields import FieldInfo

from hub.settings import GROUPS, Settings, masked, origin, values_in_file


@dataclass(frozen=True, slots=True)
class Value:
    """One key as it is in force, fit to be shown."""

    key: str
    value: object
    default: object
    origin: str


def render_defaults() -> str:
    """The commented configuration file with every default."""
    head = (
        "# Carebell's settings. Every key is optional and shown with its default.",
        "# Use: CAREBELL_CONFIG=carebell.toml carebell up",
        "# A variable CAREBELL_<KEY> in the environment wins over this file.",
        "# This file is written by `carebell config defaults`; a test compares it with the code.",
    )
    return _file(head, lambda key, field: [f"# {key} = {_toml(_default(field))}"])


def render_effective(settings: Settings, given: Mapping[str, object]) -> str:
    """Every value in force and where it came from; secrets masked.

    `given` is what the command line said. What is printed is TOML again, but a masked value has to
    be filled in before it is used.
    """
    values = {value.key: value for value in effective(settings, given)}

    def line(key: str, _: FieldInfo) -> list[str]:
        value = values[key]
        return [
            f"# Default: {_toml(value.default)}. In force from: {value.origin}.",
            f"{key} = {_toml(value.value)}",
        ]

    return _file(("# The settings in force here, and where each came from.",), line)


def effective(settings: Settings, given: Mapping[str, object]) -> Iterator[Value]:
    """Every value in force, in the order of the file."""
    in_file = values_in_file()
    for key, field in _fields():
        shown = masked(key, getattr(settings, key))
        yield Value(key, shown, _default(field), origin(key, given, in_file))


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    return chain.from_iterable(group.model_fields.items() for group in GROUPS)


def _file(head: tuple[str, ...], line: Callable[[str, FieldInfo], list[str]]) -> str:
    lines = list(head)
    for group in GROUPS:
        lines += ["", f"# ---- {str(group.__doc__).rstrip('.')} ----"]
        for key, field in group.model_fields.items():
            lines += ["", *_about(field), *line(key, field)]
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> object:
    return field.get_default(call_default_factory=True)


def _about(field: FieldInfo) -> list[str]:
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError(field)
    limits = ", ".join(
        f"{word} {getattr(limit, name)}"
        for name, word in (("ge", "at least"), ("le", "at most"))
        for limit in field.metadata
        if hasattr(limit, name)
    )
    unit = f"# Unit: {extra['unit']}" + (f"; {limits}." if limits else ".")
    about = [f"# {field.description}"]
    return [*about, *([unit] if extra["unit"] else []), f"# Source: {extra['source']}."]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = ("" if value is None else str(value)).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
