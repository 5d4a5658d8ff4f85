"""A report as headings, pairs and tables: what every printer is given. Plain values."""

from dataclasses import dataclass
from typing import Protocol

from hub.errors import HubError


class NotPrinted(HubError):
    """The report could not be printed."""


class NoFont(NotPrinted):
    """No font with Chinese characters is there: set report_font, or install fonts-noto-cjk."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; widths are parts of the page's."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns with a share as a line above them; both have one value a label."""

    labels: tuple[str, ...]
    columns: tuple[int, ...]
    columns_name: str
    percent: tuple[float | None, ...]
    """None is a gap: a share of nothing is no share."""
    percent_name: str


@dataclass(frozen=True, slots=True)
class Section:
    """One part under a heading."""

    heading: str
    pairs: tuple[tuple[str, str], ...] = ()
    table: Table | None = None
    chart: Chart | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report."""

    language: str
    title: str
    subtitle: str
    sections: tuple[Section, ...]
    footer: str


class Printer(Protocol):
    """Makes a PDF of a page, beside the process that asks. Raises NotPrinted."""

    async def pdf(self, page: Page) -> bytes: ...
