"""A page as PDF. Runs as a process of its own (`python -m hub.report.pdf FONT`): laying out and
cutting a font of 20,000 characters takes 1.3 s of a core and 130 MiB for two pages (measured, see
docs/how-to/record.md), which a process that passes presses on cannot spare. Reads the page as
JSON, writes the PDF.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from fontTools.ttLib import TTCollection
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

from hub.report.page import Page, Section, Table
from hub.report.plot import draw

FONT = "text"
SIMPLIFIED = ("SC", "CJKsc", "SimSun", "SimHei", "Hei")
"""How the faces of a collection are called that have the Chinese forms of characters."""
MARGIN_MM = 15
ROWS_AT_ONCE = 600
"""Rows of one table: 25 pages; what is longer stands in the JSON."""


class _Sheet(FPDF):
    """A4 with the number of the page below."""

    said = ""

    def footer(self) -> None:
        """Called by fpdf at the end of every page."""
        self.set_y(-12)
        self.set_font(FONT, size=7)
        self.set_text_color(90)
        self.cell(0, 4, f"{self.said}    {self.page_no()} / {{nb}}", align="C")
        self.set_text_color(0)


def pdf_of(page: Page, font: Path, made_at: datetime) -> bytes:
    """The whole file; the font's used characters are in it, so that it reads everywhere."""
    sheet = _Sheet(format="A4")
    sheet.set_creation_date(made_at)
    sheet.set_title(page.title)
    sheet.set_lang(page.language)
    sheet.set_creator("Carebell")
    sheet.said = page.footer
    sheet.add_font(FONT, fname=font, collection_font_number=_face(font))
    sheet.set_margin(MARGIN_MM)
    sheet.set_auto_page_break(auto=True, margin=MARGIN_MM + 2)
    sheet.add_page()
    _line(sheet, page.title, 17, 8)
    _line(sheet, page.subtitle, 9, 5)
    for section in page.sections:
        _section(sheet, section)
    return bytes(sheet.output())


def _section(sheet: FPDF, section: Section) -> None:
    sheet.ln(3)
    if sheet.will_page_break(24):
        sheet.add_page()
    _line(sheet, section.heading, 12, 7)
    sheet.set_draw_color(150)
    sheet.line(sheet.l_margin, sheet.get_y(), sheet.w - sheet.r_margin, sheet.get_y())
    sheet.ln(1)
    if section.note:
        _line(sheet, section.note, 8, 4)
    if section.pairs:
        _table(sheet, Table((), section.pairs, (28, 72)), borders=False)
    if section.chart is not None:
        draw(sheet, section.chart, FONT)
    if section.table is not None and section.table.rows:
        _table(sheet, section.table, borders=True)


def _table(sheet: FPDF, table: Table, *, borders: bool) -> None:
    sheet.set_font(FONT, size=8.5)
    layout = "ALL" if borders else "NONE"
    head = FontFace(fill_color=(235, 235, 235))
    with sheet.table(
        borders_layout=layout, col_widths=table.widths, line_height=4.4, text_align="LEFT",
        headings_style=head, first_row_as_headings=bool(table.head), padding=0.6, v_align="TOP",
    ) as grid:  # fmt: skip
        for cells in (*((table.head,) if table.head else ()), *table.rows[:ROWS_AT_ONCE]):
            row = grid.row()
            for cell in cells:
                row.cell(cell)


def _line(sheet: FPDF, text: str, size: float, height: float) -> None:
    sheet.set_font(FONT, size=size)
    sheet.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _face(font: Path) -> int:
    """Which face of a collection has simplified Chinese; the first of any other file."""
    if font.suffix.lower() not in (".ttc", ".otc"):
        return 0
    faces = TTCollection(str(font), lazy=True)
    names = [str(face["name"].getDebugName(4)) for face in faces]
    fitting = (n for n, name in enumerate(names) if any(part in name for part in SIMPLIFIED))
    return next(fitting, 0)


def main(arguments: list[str]) -> int:
    """Page from standard input, PDF to standard output."""
    os.nice(10)  # presses come first
    font, made_at = Path(arguments[0]), datetime.fromtimestamp(float(arguments[1]), UTC)
    page = msgspec.json.decode(sys.stdin.buffer.read(), type=Page)
    sys.stdout.buffer.write(pdf_of(page, font, made_at))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
