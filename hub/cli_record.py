"""`carebell incident`, `figures`, `visits` and `rounds`: the record at the machine."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.csv_file import csv_of
from hub.errors import HubError
from hub.service_report import (
    FIRST_DAY,
    LAST_DAY,
    LONGEST_DAYS,
    SERVICE_COLUMNS,
    By,
    Concern,
    Question,
)
from hub.settings import Settings, load_settings
from hub.visits import Overdue

if TYPE_CHECKING:
    from hub.desk import Entry
    from hub.report.case import Case
    from hub.store.reach import Reach
    from hub.view import View

incident_app = typer.Typer(help="One incident.", no_args_is_help=True)
visits_app = typer.Typer(help="Visits to people.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Default: standard output.")
]


class CaseFormat(StrEnum):
    """What a report is written as."""

    HTML = "html"
    PDF = "pdf"
    JSON = "json"


class CaseLanguage(StrEnum):
    """What a report is written in."""

    CHINESE = "zh-CN"
    ENGLISH = "en"


class NoSuchIncident(HubError):
    """There is no such incident."""


class NoSuchArea(HubError):
    """There is no such area."""


class NotBroughtIn(HubError):
    """Rows are wrong; nothing was brought in."""


@incident_app.command("report")
def report(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="Of the incident, or an alarm.")],
    *,
    data: DataOption = None,
    output: Annotated[CaseFormat, typer.Option("--format")] = CaseFormat.HTML,
    language: Annotated[CaseLanguage, typer.Option()] = CaseLanguage.CHINESE,
    out: OutOption = None,
) -> None:
    """Write everything that is known of an incident; the export is logged."""
    import msgspec

    from hub.report.html import html_of
    from hub.report.printing import PdfPrinter
    from hub.report.story import page_of

    with told_in_words():
        settings = load_settings(data_dir=data)
        case = _case(settings, incident_id, output)
        if output is CaseFormat.JSON:
            content = msgspec.json.encode(case)
        elif output is CaseFormat.HTML:
            content = html_of(page_of(case, language.value)).encode()
        else:
            printer = PdfPrinter(settings.report_font, SystemClock().now)
            content = asyncio.run(printer.pdf(page_of(case, language.value)))
        _write(out, content)


@visits_app.command("import")
def import_visits(
    file: Annotated[Path, typer.Argument(help="CSV; see docs/how-to/record.md.")],
    *,
    data: DataOption = None,
    commit: Annotated[bool, typer.Option("--commit", help="Else only say what would be.")] = False,
) -> None:
    """Bring in visits: all of the file, or nothing where a row is wrong."""
    from hub.store.visits import PostgresVisits
    from hub.visits import Brought, read_file

    with told_in_words():
        settings, brought = load_settings(data_dir=data), Brought()
        now = SystemClock().now()
        try:
            with file.open(encoding="utf-8-sig", newline="") as content:
                visits = list(read_file(content, now, brought))
        except OSError as error:
            raise NotBroughtIn(f"{file}: {error.strerror}") from None
        entry = _entry(settings, "import", {"noun": "visits", "rows": len(visits)})
        _over_reports(
            settings,
            lambda reach: PostgresVisits(reach).bring_in(
                visits, None, brought, entry, commit=commit
            ),
        )
        for row, what in sorted(brought.mistakes):
            typer.echo(f"row {row}: {what}", err=True)
        if brought.mistake_count:
            raise NotBroughtIn(f"{brought.mistake_count} of {brought.rows} rows are wrong")
        done = "brought in" if commit else "would be brought in (--commit)"
        typer.echo(f"{brought.added} visits {done}, {brought.known} known already")


ROUNDS_AT_ONCE = 5_000
"""People of one question to the database."""


def rounds(
    *,
    data: DataOption = None,
    overdue: Annotated[Overdue | None, typer.Option(help="Only who is behind with it.")] = None,
    area: Annotated[str | None, typer.Option(help="With all below; default: everything.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As a file (RFC 4180).")] = False,
    bom: Annotated[bool, typer.Option("--bom", help="With a byte order mark.")] = False,
    out: OutOption = None,
) -> None:
    """Everybody's last button test and last visit, with the proof of each; who is overdue."""
    from hub.store.visits import PostgresVisits
    from hub.visits import ROUND_COLUMNS, Round

    with told_in_words():
        settings = load_settings(data_dir=data)
        now = SystemClock().now()
        days = (settings.button_test_every_days, settings.visit_every_days)
        tests_before, visits_before = (now - timedelta(days=each) for each in days)
        detail = {"noun": "rounds", "overdue": overdue.value if overdue else None, "area_id": area}
        look = _entry(settings, "look", detail)

        async def work(reach: "Reach") -> "list[View]":
            areas = None if area is None else await _below(reach, area)
            found: list[View] = []
            while True:
                after = found[-1]["person_id"] if found else ""
                asked = Round(areas, tests_before, visits_before, overdue, after, ROUNDS_AT_ONCE)
                some = await PostgresVisits(reach).rounds(asked, None if found else look)
                found += some
                if len(some) < ROUNDS_AT_ONCE:
                    return found

        rows = _over_reports(settings, work)
        if as_csv:
            _write(out, csv_of(ROUND_COLUMNS, rows, bom=bom))
            return
        for row in rows:
            last = ((row["last_test_at"], row["test_overdue"], row["has_button"]),
                    (row["last_visit_at"], row["visit_overdue"], True))  # fmt: skip
            told = (f"{at:%Y-%m-%d}" if at else ("never" if due else "-") for at, _, due in last)
            marks = ("OVERDUE" if late else "" for _, late, _ in last)
            cells = (f"{day} {mark}".strip() for day, mark in zip(told, marks, strict=True))
            typer.echo("\t".join((row["person_id"], row["name"], row["state"], *cells)))
        counts = (sum(row[name] for row in rows) for name in ("test_overdue", "visit_overdue"))
        tests, visits = counts
        typer.echo(f"{len(rows)} people; overdue: {tests} with the test of the button (every "
                   f"{days[0]} days), {visits} with a visit (every {days[1]} days)")  # fmt: skip


def figures(
    *,
    data: DataOption = None,
    by: Annotated[By, typer.Option(help="What they are told apart by.")] = By.TOTAL,
    area: Annotated[str | None, typer.Option(help="With all below; default: everything.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="YYYY-MM-DD; a month ago.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="YYYY-MM-DD, included.")] = None,
    concern: Annotated[Concern, typer.Option(help="Which incidents.")] = Concern.PEOPLE,
    as_csv: Annotated[bool, typer.Option("--csv", help="As a file (RFC 4180).")] = False,
    bom: Annotated[bool, typer.Option("--bom", help="With a byte order mark.")] = False,
    out: OutOption = None,
) -> None:
    """Answered in time, attended in time, dwell time, false alarms ... from the log."""
    from hub.store.service_figures import PostgresServiceFigures

    with told_in_words():
        settings = load_settings(data_dir=data)
        ends = _day(until) or SystemClock().now().date() + timedelta(days=1)
        begins = _day(since) or ends - timedelta(days=30)
        if begins > ends or (ends - begins).days > LONGEST_DAYS:
            raise typer.BadParameter(f"--from before --to, at most {LONGEST_DAYS} days")

        async def work(reach: "Reach") -> Any:
            seat = area or settings.root_area_id
            areas = None if area is None else await _below(reach, area)
            question = Question(seat, areas, begins, ends, concern)
            return await PostgresServiceFigures(reach).service(question, by, None)

        report = _over_reports(settings, work)
        if as_csv:
            _write(out, csv_of(SERVICE_COLUMNS, report.rows, bom=bom))
            return
        typer.echo(f"{begins} to {ends}, days of {report.time_zone}, as of {report.as_of or '-'}")
        for row in report.rows:
            _tell(row)


def _tell(row: Mapping[str, Any]) -> None:
    def share(part: str, whole: str) -> str:
        percent = f" ({100 * row[part] / row[whole]:.1f} %)" if row[whole] else ""
        return f"{row[part]} of {row[whole]}{percent}"

    typer.echo(f"{row['label'] or row['key'] or 'all'}: {row['incidents']} incidents, "
               f"{row['open']} open")  # fmt: skip
    typer.echo(f"  answered within 60 s {share('answered_60', 'rang')}, within 180 s "
               f"{share('answered_180', 'rang')}; p50 {row['answer_p50_s']} s, "
               f"p90 {row['answer_p90_s']} s, p99 {row['answer_p99_s']} s")  # fmt: skip
    typer.echo(f"  attended within target {share('attended_within', 'attended_of')}; "
               f"first send p50 {row['dwell_p50_s']} s")  # fmt: skip
    typer.echo(f"  false alarms {share('false_alarms', 'resolved')}; rang again {row['rerang']}; "
               f"undelivered {row['undelivered']}")  # fmt: skip


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        day = date.fromisoformat(text)
        if FIRST_DAY <= day <= LAST_DAY:
            return day
    message = f"{text}: a day as 2026-03-02 is wanted"
    raise typer.BadParameter(message)


async def _below(reach: "Reach", area: str) -> list[str] | None:
    from hub.api.access import AreaTree
    from hub.store.desk import PostgresDesk

    tree = AreaTree("", await PostgresDesk(reach).areas())
    if not tree.knows(area):
        raise NoSuchArea(area)
    return tree.below(area)


def _case(settings: Settings, incident_id: str, output: CaseFormat) -> "Case":
    from hub.store.incident_record import PostgresCases

    look = _entry(settings, "report", {"by": "command line", "format": output.value})
    now = SystemClock().now()
    case: Case | None = _over_reports(
        settings,
        lambda reach: PostgresCases(reach).case(incident_id, now, look, observations=True),
    )
    if case is None:
        raise NoSuchIncident(incident_id)
    return case


def _entry(settings: Settings, action: str, detail: dict[str, Any]) -> "Entry":
    """A line of the log by whoever is logged in at the machine."""
    import getpass

    from alerts.people import Account
    from hub.desk import Entry
    from schemas.ids import AccountId, AreaId

    area_id = AreaId(settings.root_area_id)
    user = getpass.getuser()
    who = Account(AccountId(user), user, "operator", area_id, settings.language)
    return Entry(SystemClock().now(), area_id, who, action, detail)


def _over_reports(settings: Settings, work: Callable[["Reach"], Any]) -> Any:
    import psycopg

    from hub.at_the_machine import CONNECT_WITHIN_S, NotReachable
    from hub.embedded.database import database_url
    from hub.store.reach import Reach
    from hub.store.service_figures import REPORT_PATIENCE_S

    url = settings.database_url or database_url(settings.data_dir)
    try:  # whoever may wait long for an answer need not wait long to hear that there is none
        psycopg.connect(url, connect_timeout=int(CONNECT_WITHIN_S)).close()
    except psycopg.OperationalError:
        raise NotReachable from None

    async def run() -> Any:
        reach = Reach(url, SystemClock(), patience_s=REPORT_PATIENCE_S)
        await reach.open()
        try:
            return await work(reach)
        finally:
            await reach.close()

    return asyncio.run(run())


def _write(out: Path | None, content: bytes) -> None:
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        out.write_bytes(content)
        typer.echo(str(out))
