"""`python -m hub.api.roles_page [--check]`: writes docs/roles.md from the table and the routes."""

import argparse
import sys
from pathlib import Path

from hub.api.access import MAY, MEANING, Deed, Sight
from hub.api.app import deeds

PATH = Path(__file__).parents[2] / "docs" / "roles.md"

_HEAD = """\
# Roles

Who may do what. Written by `python -m hub.api.roles_page` from the table in `hub/api/access.py`,
from which the checks of the routes and the tests come too.

An account has one role and belongs to one area. It sees and changes what lies in that area and
below; for everything else the hub answers as if it were not there (404). A role that lacks a deed
is told so (403).
"""
_SIGHTS = {
    Sight.AREA: "their area and below",
    Sight.KIN: "only the people they are linked to, and those people's homes",
    Sight.OWN: "only incidents they are a responder of",
}


def page() -> str:
    """The document."""
    parts = [_HEAD, "## The roles\n", _table(("role", "who that is", "sees", "token"), _roles())]
    parts += ["## What each may do\n", _table(("deed", *MAY), _deeds())]
    parts += ["## What each deed is for\n", _table(("deed", "meaning", "routes"), _routes())]
    return "\n".join(parts)


def _roles() -> list[tuple[str, ...]]:
    return [
        (name, role.meaning, _SIGHTS[role.sight], "yes" if role.by_token else "")
        for name, role in MAY.items()
    ]


def _deeds() -> list[tuple[str, ...]]:
    return [
        (deed.value, *("yes" if deed in role.deeds else "" for role in MAY.values()))
        for deed in Deed
    ]


def _routes() -> list[tuple[str, ...]]:
    found: dict[Deed, list[str]] = {deed: [] for deed in Deed}
    for (method, path), deed in sorted(deeds().items(), key=lambda i: i[0][::-1]):
        found[deed].append(f"`{method} {path.removeprefix('/api/v1')}`")
    return [(deed.value, MEANING[deed], "<br>".join(found[deed])) for deed in Deed]


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or with --check say whether it is stale. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hub.api.roles_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if it is stale")
    check, wanted = parser.parse_args(arguments).check, page()
    if not check:
        PATH.write_text(wanted, encoding="utf-8", newline="\n")
    elif not PATH.is_file() or PATH.read_text(encoding="utf-8") != wanted:
        sys.stderr.write("stale: docs/roles.md (run `python -m hub.api.roles_page`)\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
