"""A page as one HTML file that needs nothing else: no script, no foreign host; to be printed."""

from html import escape

from hub.report.page import Chart, Page, Section, Table

_STYLE = """
body { font: 10.5pt/1.45 "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei",
  system-ui, sans-serif; color: #111; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: .5rem 0; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.15em; margin: 1.6em 0 .4em;
  border-bottom: 1px solid #999; break-after: avoid; }
p.subtitle, p.note, footer { color: #444; } footer { margin-top: 2em; font-size: .85em; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr;
  gap: .15rem 1rem; margin: 0; }
dt { color: #444; } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
table { border-collapse: collapse; width: 100%; font-size: .92em; table-layout: fixed; }
thead { display: table-header-group; } tr { break-inside: avoid; }
th, td { border: 1px solid #bbb; padding: .2rem .4rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; white-space: pre-line; } th { background: #eee; }
@page { size: A4; margin: 15mm; } @media print { body { margin: 0; max-width: none; } }
"""


def html_of(page: Page) -> str:
    """The whole file."""
    body = "\n".join(_section(section) for section in page.sections)
    return (
        f'<!doctype html>\n<html lang="{escape(page.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(page.title)}</h1>\n<p class="subtitle">{escape(page.subtitle)}</p>\n'
        f"{body}\n<footer>{escape(page.footer)}</footer>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = [f"<section>\n<h2>{escape(section.heading)}</h2>"]
    if section.note:
        parts.append(f'<p class="note">{escape(section.note)}</p>')
    if section.pairs:
        pairs = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in section.pairs)
        parts.append(f"<dl>{pairs}</dl>")
    if section.chart is not None and section.chart.labels:
        parts.append(_chart(section.chart))
    if section.table is not None:
        parts.append(_table(section.table))
    return "\n".join(parts) + "\n</section>"


def _chart(chart: Chart) -> str:
    """Columns and a line, 100 units high; the table below says the same in figures."""
    wide, most = len(chart.labels), max(4, *chart.columns)
    columns = "".join(
        f'<rect x="{n + 0.15}" y="{100 - 100 * count / most:.1f}" width="0.7"'
        f' height="{100 * count / most:.1f}" fill="#cdd5db"/>'
        for n, count in enumerate(chart.columns)
    )
    points = [(n + 0.5, 100 - share) for n, share in enumerate(chart.percent) if share is not None]
    line = " ".join(f"{x},{y:.1f}" for x, y in points)
    name = f"{chart.columns_name} ({chart.labels[0]} – {chart.labels[-1]}); {chart.percent_name}, %"
    return (
        f'<figure><svg viewBox="0 0 {wide} 100" preserveAspectRatio="none" width="100%"'
        f' height="180" role="img" aria-label="{escape(name)}">{columns}'
        f'<polyline points="{line}" fill="none"'
        ' stroke="#1d7a47" stroke-width="2" vector-effect="non-scaling-stroke"/></svg>'
        f"<figcaption>{escape(name)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    whole = sum(table.widths)
    columns = "".join(f'<col style="width:{100 * part / whole:.1f}%">' for part in table.widths)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return f"<table><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>\n{rows}\n</table>"
