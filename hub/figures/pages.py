"""`python -m hub.figures.pages [--check]`: docs/metrics.md, the dashboard, the rules."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from hub.figures.dashboard import RULES, dashboard
from hub.figures.table import BY_NAME, FIGURES

ROOT = Path(__file__).resolve().parents[2]
_WRITTEN = "written by `python -m hub.figures.pages`"


def pages() -> Iterator[tuple[Path, str]]:
    """Each file and what must be in it."""
    yield ROOT / "docs" / "metrics.md", metrics_page()
    text = json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"
    yield ROOT / "config" / "grafana" / "carebell.json", text
    yield ROOT / "config" / "prometheus" / "alerts.yaml", rules_page()


def metrics_page() -> str:
    """One row a figure, grouped by the part it speaks of."""
    lines = [
        "# Metrics",
        "",
        f"What `/metrics` shows, {_WRITTEN} from",
        "`hub/figures/table.py`. A figure that is not known just now (the database is away, the",
        "broker is somebody else's) is left out; it is never 0 instead. Labels come from closed",
        "sets (docs/adr/0004).",
        "",
        "Let Prometheus ask `http_listen` for `/metrics` every 15 s. Rules are in",
        "`config/prometheus/alerts.yaml`, a Grafana dashboard in `config/grafana/carebell.json`.",
    ]
    parts = dict.fromkeys(figure.part for figure in FIGURES)
    for part in parts:
        lines += ["", f"## {part}", "", "| metric | kind, unit | meaning | what to do |",
                  "|---|---|---|---|"]  # fmt: skip
        for figure in (f for f in FIGURES if f.part == part):
            labels = "; ".join(f"`{name}`: {values}" for name, values in figure.labels)
            meaning = figure.meaning + (f" Labels: {labels}." if labels else "")
            lines.append(
                f"| `{figure.shown_as}` | {figure.kind}, {figure.unit} | {meaning} "
                f"| {figure.when} |"
            )
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Prometheus rules; YAML takes JSON's strings."""
    lines = [f"# Rules for Prometheus, {_WRITTEN} from hub/figures/dashboard.py.", "groups:",
             "  - name: carebell", "    rules:"]  # fmt: skip
    for rule in RULES:
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {json.dumps(rule.query)}",
            f"        for: {rule.lasting}",
            f"        labels: {{severity: {rule.severity}}}",
            "        annotations:",
            f"          summary: {json.dumps(rule.summary)}",
            f"          description: {json.dumps(BY_NAME[rule.figure].when)}",
        ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with --check say which is stale. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hub.figures.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if one is stale")
    check = parser.parse_args(arguments).check
    stale = 0
    for path, wanted in pages():
        if path.is_file() and path.read_text(encoding="utf-8") == wanted:
            continue
        stale += 1
        if check:
            sys.stderr.write(f"stale: {path.relative_to(ROOT)} (run `{_WRITTEN[12:-1]}`)\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted, encoding="utf-8", newline="\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
