"""Has a page printed by a process of its own, one at a time, within bounds."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import msgspec

from hub.report.page import NoFont, NotPrinted, Page

PRINTED_WITHIN_S = 60.0
"""A report of 1,800 rows, 67 pages, takes seven seconds (docs/how-to/record.md)."""
WAITING_LIMIT = 8
"""Reports that wait for their turn."""
_PACKAGES = str(Path(__file__).parents[2])
"""Where this package lies: in a clone, or in the folder of an installed hub."""
_FOLDERS = ("usr/share/fonts", "usr/local/share/fonts")
_NAMES = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf", "SourceHanSansCN-Regular.otf", "NotoSansSC-Regular.ttf",
)  # fmt: skip
_INSTALLED = ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf")
"""The font that comes with the hub: it has every character, some in their Japanese form."""


class PdfPrinter:
    """Implements `hub.report.page.Printer`."""

    def __init__(self, report_font: str, now: Callable[[], datetime]) -> None:
        self._wanted = report_font
        self._now = now
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def pdf(self, page: Page) -> bytes:
        """The PDF. Raises NoFont, NotPrinted."""
        font = font_file(self._wanted)
        if self._waiting >= WAITING_LIMIT:
            raise NotPrinted("too many reports wait; try again")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._print(page, font)
        finally:
            self._waiting -= 1

    async def _print(self, page: Page, font: Path) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "hub.report.pdf", str(font), str(self._now().timestamp()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": _PACKAGES},
        )  # fmt: skip
        try:
            async with asyncio.timeout(PRINTED_WITHIN_S):
                printed, _ = await process.communicate(msgspec.json.encode(page))
        except TimeoutError:
            raise NotPrinted("it took too long") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0 or not printed.startswith(b"%PDF"):
            raise NotPrinted(f"the printing process ended with {process.returncode}")
        return printed


def font_file(wanted: str) -> Path:
    """The font to print with. Raises NoFont."""
    for path in (Path(wanted),) if wanted else _candidates():
        if path.is_file():
            return path
    raise NoFont(wanted)


def _candidates() -> Iterator[Path]:
    for folder in _FOLDERS:
        for name in _NAMES:
            yield from sorted(Path("/", folder).rglob(name))
    module, name = _INSTALLED
    spec = find_spec(module)
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).with_name(name)
