"""House rules that no linter knows, over every file git would take.

Run by `make check` as `python -m tests.house`: sizes of modules and functions, names that say
nothing, and traces of one developer's machine or package mirror that would break another's.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MODULE_LINES_MAX = 500  # question at 300; longer than this, nobody finds anything
FUNCTION_LINES_MAX = 70  # a screenful
EMPTY_NAME = re.compile(r"(Manager|Helper|Util|Utils|Data|Info|Base)$")

REGISTRY = re.compile(
    r"py(pi|thonho[s]ted)\.org|regis[t]ry\.(np[m]js|yar[n]pkg)\.|de[b]\.de[b]ian\.org|prox[y]\.golang\.org"
    r"|--(extra-)?index-url|--find-links"
)
MACHINE_PATHS = tuple(
    f"{folder}/" for folder in (ROOT, Path.home(), Path(sys.prefix)) if folder != Path("/")
)


def tracked_files() -> list[Path]:
    """List what is committed or would be: tracked files and new ones that are not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = (ROOT / name for name in sorted(set(listing.stdout.split("\0"))) if name)
    return [path for path in paths if path.is_file()]


def complaints_about_text(path: Path, text: str) -> Iterator[str]:
    """Find package registries and paths of this machine."""
    if path == Path(__file__).resolve():
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if REGISTRY.search(line):
            yield f"{number}: names a package registry; the installer's own settings choose it"
        for machine_path in MACHINE_PATHS:
            if machine_path in line:
                yield f"{number}: names a path of this machine: {machine_path}"


def complaints_about_module(text: str) -> Iterator[str]:
    """Find modules and functions too long to read, and names that say nothing."""
    lines = text.count("\n")
    if lines > MODULE_LINES_MAX:
        yield f"1: {lines} lines; split above {MODULE_LINES_MAX}"
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    yield f"{node.lineno}: {node.name}: {length} lines, above {FUNCTION_LINES_MAX}"
            case ast.ClassDef() if EMPTY_NAME.search(node.name):
                yield f"{node.lineno}: the name {node.name} does not say what it is"


def complaints() -> Iterator[str]:
    """Go through every file."""
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and sounds
        found = list(complaints_about_text(path, text))
        if path.suffix == ".py":
            found.extend(complaints_about_module(text))
        for complaint in found:
            yield f"{path.relative_to(ROOT)}:{complaint}"


def main() -> None:
    """Print every complaint; fail if there is one."""
    found = list(complaints())
    print("\n".join(found) if found else "House rules kept.")
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
