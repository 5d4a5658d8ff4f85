"""Named SQL: each query stands in a `.sql` file under `-- name: ...` with a line of purpose."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def load(file: str) -> dict[str, LiteralString]:
    """The queries of `hub/store/sql/{file}.sql` by name. They are our own text, hence literal."""
    text = (files("hub.store") / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {
        name: cast("LiteralString", body.strip())
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
