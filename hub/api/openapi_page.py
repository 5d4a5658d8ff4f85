"""`python -m hub.api.openapi_page [--check]`: writes hub/web/openapi.json, from which the page's
types are made."""

import argparse
import json
import sys
from pathlib import Path

from fastapi import FastAPI

from hub.api.app import ROUTERS, described

PATH = Path(__file__).parents[1] / "web" / "openapi.json"


def page() -> str:
    """The document, without the version: a release alone changes no type."""
    app = FastAPI(title="Carebell", version="v1")
    for router in ROUTERS:
        app.include_router(router)
    return json.dumps(described(app), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the document, or with --check say whether it is stale. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hub.api.openapi_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if it is stale")
    check, wanted = parser.parse_args(arguments).check, page()
    if not check:
        PATH.write_text(wanted, encoding="utf-8", newline="\n")
    elif not PATH.is_file() or PATH.read_text(encoding="utf-8") != wanted:
        sys.stderr.write("stale: hub/web/openapi.json (run `python -m hub.api.openapi_page`)\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
