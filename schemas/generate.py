"""`python -m schemas.generate [--check]`: write, or compare, what is derived from the contract."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from schemas import asyncapi, examples
from schemas.jsonschema import KINDS, schema
from schemas.vocabulary import DEVICE_CLASSES, MEASURES

FOLDER = Path(__file__).parent / "generated"


def files() -> dict[str, str]:
    """Every generated file by name, as text."""
    documents: dict[str, Any] = {
        f"{lane}-{kind}.schema.json": schema(lane, kind, struct) for lane, kind, struct in KINDS
    }
    documents["asyncapi.json"] = asyncapi.document(examples.load("valid"))
    documents["vocabulary.json"] = {
        "measures": [dataclasses.asdict(measure) for measure in MEASURES],
        "device_classes": [dataclasses.asdict(row) for row in DEVICE_CLASSES.values()],
    }
    return {
        file: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for file, content in documents.items()
    }


def stale(folder: Path) -> list[str]:
    """The files in `folder` that are missing, differ, or should not be there."""
    wanted = files()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(
        file for file in wanted.keys() | found.keys() if wanted.get(file) != found.get(file)
    )


def write(folder: Path) -> None:
    """Make `folder` hold exactly the generated files."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = files()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for file, text in wanted.items():
        (folder / file).write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """Write the files, or with --check name those that are stale. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if files are stale")
    if parser.parse_args(arguments).check:
        names = stale(folder)
        for file in names:
            print(f"stale: {folder.parent.name}/{folder.name}/{file} (run `make schemas`)")
        return 1 if names else 0
    write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
