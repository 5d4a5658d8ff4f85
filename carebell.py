"""The launcher: the one top-level module of ours that an installed Carebell shows to Python.

A wheel ships the import packages (`hub`, `alerts`, `schemas`, `device_sim`, `config`) inside one
folder, because names that common would otherwise collide with other people's in site-packages.
This module makes that folder importable, first on the path, and hands over to the command line.
In a source tree there is no such folder and the packages lie beside this file. See docs/adr/0001.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the `carebell` command; `carebell simulate` is the device simulator's own.

    The hub never imports the simulator, which is why the fork in the road is here.
    """
    parts = Path(__file__).resolve().parent / "carebell_parts"
    if parts.is_dir() and str(parts) not in sys.path:
        sys.path.insert(0, str(parts))

    if sys.argv[1:2] == ["simulate"]:
        from device_sim.cli import app as simulator  # noqa: PLC0415 - importable only now

        simulator(sys.argv[2:], prog_name="carebell simulate")
        return

    from hub.cli import app  # noqa: PLC0415 - importable only once the path is set

    app()


if __name__ == "__main__":
    main()
