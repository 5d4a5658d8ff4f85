"""A decoder's complaint about a scenario as somebody who writes scenarios would say it: where, what
stands there, and what may. Pure."""

import re
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")


def in_words(complaint: str, written: object, schema: dict[str, Any]) -> str:
    """The complaint about what was `written`, which does not follow the `schema`.

    >>> in_words("Expected `str` matching regex 'x' - at `$.step[0].at`",
    ...     {"step": [{"at": "soon"}]}, {})
    "step 1, at: 'soon' is no duration; write 500ms, 12s, 2m, 1h or 7d"
    """
    what, _, place = complaint.partition(" - at ")
    path = [name or int(index) for name, index in _STEP.findall(place.strip("`").removeprefix("$"))]
    where = ", ".join(_steps(path))
    return (
        f"{where}: {_what(what, path, written, schema)}"
        if where
        else _what(what, path, written, schema)
    )


def _what(what: str, path: list[str | int], written: object, schema: dict[str, Any]) -> str:
    value = _follow(written, path)
    may = _allowed(schema, path)
    unknown = _UNKNOWN.search(what)
    if unknown is not None:
        return f"unknown field {unknown[1]!r}; allowed are {', '.join(may)}"
    if "enum value" in what:
        return f"{value!r} is none of {', '.join(may)}"
    if "matching regex" in what:
        return f"{value!r} is no duration; write 500ms, 12s, 2m, 1h or 7d"
    if "missing required" in what or value is None:
        return what
    return f"{value!r}: {what}"


def _steps(path: list[str | int]) -> list[str]:
    """The first row is called 1."""
    steps: list[str] = []
    for step in path:
        if isinstance(step, int):
            steps[-1] += f" {step + 1}"
        else:
            steps.append(step)
    return steps


def _follow(written: object, path: list[str | int]) -> object:
    """What stands at a place; None: nothing."""
    for step in path:
        if isinstance(written, dict):
            written = written.get(step)
        elif isinstance(written, list) and isinstance(step, int) and step < len(written):
            written = written[step]
        else:
            return None
    return written


def _allowed(schema: dict[str, Any], path: list[str | int]) -> list[str]:
    """The names or values that may stand at a place."""
    node = _plain(schema, schema)
    for step in path:
        inner = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        node = _plain(inner or {}, schema)
    return [str(each) for each in node.get("enum", ())] or sorted(node.get("properties", ()))


def _plain(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema without references and without "or nothing"."""
    if "$ref" in node:
        return _plain(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]], schema)
    for choice in node.get("anyOf", ()):
        found = _plain(choice, schema)
        if "enum" in found or "properties" in found or "items" in found:
            return found
    return node
