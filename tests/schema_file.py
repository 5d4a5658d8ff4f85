"""`python -m tests.schema_file [--check]`: `hub/store/schema.sql`, the sum of the migrations.

Nobody applies that file; it is there to be read, and to show in a change what a migration does.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import hub.store
from hub.embedded.database import binaries
from tests.integration.desk_database import TEMPLATE, running_database

PATH = Path(hub.store.__file__).parent / "schema.sql"

_HEAD = """\
-- The schema as it is after every migration of hub/store/migrations: to be read, never applied.
-- Written by `python -m tests.schema_file`.
"""
_NOISE = re.compile(r"^(SET |SELECT pg_catalog\.set_config|--|\\(un)?restrict)")


def dumped(database_url: str) -> str:
    """The schema of a migrated database, without what differs from server to server."""
    line = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges"]
    line += ["--exclude-table=schema_migration", database_url]
    dump = subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout
    kept = [row.rstrip() for row in dump.splitlines() if not _NOISE.match(row)]
    body = re.sub(r"\n{2,}", "\n\n", "\n".join(kept)).strip()
    return f"{_HEAD}\n{body.replace('public.', '')}\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with --check say whether it is stale. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.schema_file", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if it is stale")
    check = parser.parse_args(arguments).check
    with running_database() as server:
        wanted = dumped(server.url(TEMPLATE))
    if not check:
        PATH.write_text(wanted, encoding="utf-8", newline="\n")
    elif not PATH.is_file() or PATH.read_text(encoding="utf-8") != wanted:
        print("stale: hub/store/schema.sql (run `python -m tests.schema_file`)")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
