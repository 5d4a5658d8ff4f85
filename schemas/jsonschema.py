"""JSON Schema 2020-12 of every kind, from the message structs and their docstrings.

The schema says what a device should send. The hub reads more than that (see `codec`): an alarm
that fails its schema still raises.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from typing import Any

import msgspec

from schemas.codec import ALARM_TYPES, COMMAND_TYPES, TELEMETRY_TYPES
from schemas.fields import ALSO
from schemas.topics import Lane

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]

KINDS: tuple[tuple[Lane, str, type[msgspec.Struct]], ...] = (
    *((Lane.ALARM, kind, struct) for kind, struct in ALARM_TYPES.items()),
    *((Lane.TELEMETRY, kind, struct) for kind, struct in TELEMETRY_TYPES.items()),
    *((Lane.COMMAND, kind, struct) for kind, struct in COMMAND_TYPES.items()),
)
"""Every lane, kind and struct of the contract."""


def schema(lane: Lane, kind: str, struct: type[msgspec.Struct]) -> Json:
    """The self-contained schema of one kind."""
    parts = components((struct,), "#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "$id": f"urn:carebell:care:v1:{lane}:{kind}",
        **parts.pop(struct.__name__),
        **({"$defs": parts} if parts else {}),
    }


def components(structs: tuple[type[Any], ...], ref_template: str) -> dict[str, Json]:
    """The schemas of `structs` and all that they hold, by name, with every docstring in place."""
    _, parts = msgspec.json.schema_components(structs, ref_template=ref_template)
    python_types = {python_type.__name__: python_type for python_type in _reachable(structs)}
    return {name: _completed(part, python_types[name]) for name, part in sorted(parts.items())}


def _reachable(annotations: tuple[Any, ...]) -> Iterator[type[Any]]:
    """Every struct and enum met when following the fields of `annotations`."""
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            yield annotation
        elif isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
            yield annotation
            fields = msgspec.structs.fields(annotation)
            yield from _reachable(tuple(field.type for field in fields))
        else:
            yield from _reachable(getattr(annotation, "__args__", ()))


def _completed(part: Json, python_type: type[Any]) -> Json:
    notes = _notes(python_type)
    description = inspect.cleandoc(python_type.__doc__ or "")
    if issubclass(python_type, Enum):
        values = [member.value for member in python_type]
        lines = [f"`{m.value}`: {notes[m.name]}" for m in python_type if m.name in notes]
        return {
            "title": part["title"],
            "description": "\n".join((description, *lines)),
            "type": "string",
            "enum": values,
        }
    required = part.get("required", [])
    properties = {
        name: _property(shape, notes.get(name), nullable=name not in required)
        for name, shape in part["properties"].items()
    }
    completed = {
        "title": part["title"],
        "description": description,
        "type": "object",
        "properties": properties,
    }
    return {**completed, "required": required} if required else completed


def _property(shape: Json, note: str | None, *, nullable: bool) -> Json:
    """One field: its docstring, null where it may be left out, and no keyword beside a `$ref`
    (draft 7, which AsyncAPI builds on, ignores them there)."""
    shape = dict(shape)
    default = shape.pop("default", None)
    choices = [_choice(choice) for choice in shape.pop("anyOf", None) or [shape]]
    null = {"type": "null"}
    if nullable and null not in choices:
        choices = [*choices, null]
    bare = note is None and default is None
    alone = len(choices) == 1 and (bare or "$ref" not in choices[0])
    completed: Json = dict(choices[0]) if alone else {"anyOf": choices}
    if note is not None:
        completed = {"description": note, **completed}
    if default is not None:
        completed["default"] = default
    return completed


def _choice(shape: Json) -> Json:
    """Say which other type the codec reads in the place of this one."""
    if ALSO not in shape:
        return shape
    return {**{k: v for k, v in shape.items() if k != ALSO}, "type": [shape["type"], shape[ALSO]]}


def _notes(python_type: type[Any]) -> dict[str, str]:
    """The docstrings under the fields of a class, which Python itself does not keep."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(python_type)))
    statements = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    notes: dict[str, str] = {}
    for field, note in pairwise(statements):
        if not (isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant)):
            continue
        match field:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                notes[name] = inspect.cleandoc(str(note.value.value))
            case _:
                continue
    return notes
