"""Write the settings as a commented TOML file, so that page and code cannot disagree."""

from pathlib import Path

from pydantic.fields import FieldInfo

from hub.settings import Settings, masked


def render_toml(settings: Settings | None = None) -> str:
    """The commented configuration file: all defaults, and where given what differs from them."""
    lines = [
        "# Carebell's settings. Every key is optional and shown with its default.",
        "# Use: CAREBELL_CONFIG=carebell.toml carebell up",
        "# A variable CAREBELL_<KEY> in the environment wins over this file.",
        "# This file is written by `carebell config`; a test compares it with the code.",
    ]
    for key, field in Settings.model_fields.items():
        lines += ["", *_about(field)]
        default = field.get_default(call_default_factory=True)
        lines.append(f"# {key} = {_toml(default)}")
        effective = default if settings is None else getattr(settings, key)
        if effective != default and effective != Path(str(default)).absolute():
            lines.append(f"{key} = {_toml(masked(key, effective))}")
    return "\n".join(lines) + "\n"


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
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
