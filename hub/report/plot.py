"""A chart on paper: columns, and a share as a line above them."""

from collections.abc import Iterator
from itertools import pairwise

from fpdf import FPDF

from hub.report.page import Chart

HEIGHT_MM = 42.0
_LEFT_MM, _RIGHT_MM, _BELOW_MM = 11.0, 9.0, 9.0
_LABELS = 12
"""More beside one another run into each other."""
_COLUMN, _LINE, _GRID, _TEXT = (205, 213, 219), (29, 122, 71), (225, 225, 225), 90


def draw(sheet: FPDF, chart: Chart, font: str) -> None:
    """Where the sheet stands, over its whole width; the sheet then stands below it."""
    if not chart.labels:
        return
    if sheet.will_page_break(HEIGHT_MM + _BELOW_MM + 4):
        sheet.add_page()
    top, left = sheet.get_y() + 5, sheet.l_margin + _LEFT_MM
    width = sheet.w - sheet.r_margin - _RIGHT_MM - left
    each = width / len(chart.labels)
    most = max(4, *chart.columns)
    most += most % 2
    sheet.set_font(font, size=6.5)
    sheet.set_text_color(_TEXT)
    _legend(sheet, chart, left, top - 5)
    sheet.set_line_width(0.1)
    sheet.set_draw_color(*_GRID)
    for share in (0, 25, 50, 75, 100):
        y = top + HEIGHT_MM * (1 - share / 100)
        sheet.line(left, y, left + width, y)
        sheet.text(sheet.l_margin, y + 0.8, f"{share} %")
        if share in (0, 50, 100):
            sheet.text(left + width + 1.5, y + 0.8, f"{most * share / 100:g}")
    sheet.set_fill_color(*_COLUMN)
    for n, count in enumerate(chart.columns):
        high = HEIGHT_MM * count / most
        sheet.rect(left + each * (n + 0.15), top + HEIGHT_MM - high, each * 0.7, high, style="F")
    sheet.set_draw_color(*_LINE)
    sheet.set_line_width(0.45)
    for run in _runs(chart.percent):
        places = [(left + each * (n + 0.5), top + HEIGHT_MM * (1 - p / 100)) for n, p in run]
        for (x, y), (next_x, next_y) in pairwise(places):
            sheet.line(x, y, next_x, next_y)
        for x, y in places:
            sheet.ellipse(x - 0.5, y - 0.5, 1, 1, style="D")
    step = -(-len(chart.labels) // _LABELS)
    for n in range(0, len(chart.labels), step):
        sheet.text(left + each * n, top + HEIGHT_MM + 3.5, chart.labels[n])
    sheet.set_text_color(0)
    sheet.set_draw_color(0)
    sheet.set_fill_color(255)
    sheet.set_line_width(0.2)
    sheet.set_y(top + HEIGHT_MM + _BELOW_MM - 2)


def _legend(sheet: FPDF, chart: Chart, left: float, y: float) -> None:
    sheet.set_fill_color(*_COLUMN)
    sheet.rect(left, y, 3, 2, style="F")
    sheet.text(left + 4, y + 1.9, chart.columns_name)
    at = left + 10 + sheet.get_string_width(chart.columns_name)
    sheet.set_draw_color(*_LINE)
    sheet.set_line_width(0.45)
    sheet.line(at, y + 1, at + 4, y + 1)
    sheet.text(at + 5, y + 1.9, chart.percent_name)


def _runs(values: tuple[float | None, ...]) -> Iterator[list[tuple[int, float]]]:
    """Neighbours that have a value, with their places: the line has a gap where there is none."""
    run: list[tuple[int, float]] = []
    for n, value in enumerate((*values, None)):
        if value is not None:
            run.append((n, value))
        elif run:
            yield run
            run = []
