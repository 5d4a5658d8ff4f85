"""The figures of the service as a page to be printed. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.alarm import Category
from alerts.rendering import ENGLISH, language_of
from alerts.wording import kind_words
from hub.report import words
from hub.report.page import Chart, Page, Section, Table
from hub.service_report import Question, Report
from hub.view import View

_PEOPLE_SHOWN = 50
_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Report of the service", "服务报表"),
    "summary": ("Summary", "概要"),
    "day": ("Day", "日期"),
    "area": ("Area (with all below)", "区域（含下级）"),
    "dispatcher": ("Who answered first", "首先接警的值班员"),
    "by_day": ("By day", "按天"),
    "by_area": ("By area", "按区域"),
    "by_dispatcher": ("By dispatcher", "按值班员"),
    "false": ("False alarms by model of device and by detector", "误报：按设备型号与检测方法"),
    "pressers": ("People who press by mistake again and again", "多次误按的人"),
    "rounds": ("Button tests and visits", "按钮测试与走访"),
    "incidents": ("Incidents", "警情"),
    "tests": ("Tests", "测试"),
    "answered_60": ("Answered within 60 s", "60 秒内接警"),
    "answered_180": ("Answered within 180 s", "180 秒内接警"),
    "p90": ("Nine in ten within", "九成在此时间内"),
    "attended": ("Attended within the target", "按时到达"),
    "false_alarms": ("False alarms", "误报"),
    "dwell": ("Until the first notification, nine in ten", "到首次通知（九成）"),
    "undelivered": ("Notifications that reached nobody", "未送达的通知"),
    "kind": ("Device", "设备"),
    "model": ("Model", "型号"),
    "detector": ("Detector", "检测方法"),
    "devices": ("Devices", "设备数"),
    "judged": ("Judged", "已判定"),
    "name": ("Name", "姓名"),
    "mistaken": ("By mistake", "误按"),
    "last": ("Last time", "最近一次"),
    "people": ("People", "服务人数"),
    "tested": ("Tested in time", "已按时测试"),
    "visited": ("Visited in time", "已按时走访"),
    "nobody": ("nobody answered", "无人接警"),
    "none": ("None in this time.", "这段时间没有。"),
    "of": ("{part} of {whole}", "{part} / {whole}"),
    "counted": ("Counted up to", "统计截至"),
    "made": ("made", "制作"),
    "drills": (
        (
            "Drills are never counted; tests stand apart. Aims: 97.5 % within 60 s and 99 % within "
            "180 s (UK Telecare Services Association)."
        ),
        "演练不计入，测试单列。目标：60 秒内 97.5%，180 秒内 99%（英国远程照护服务协会）。",
    ),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What is printed; rows as the API shows them."""

    question: Question
    area_name: str
    total: Report
    days: Sequence[View]
    areas: Sequence[View]
    dispatchers: Sequence[View]
    false_alarms: Sequence[View]
    pressers: Sequence[View]
    rounds: Sequence[View]
    made_at: datetime
    made_by: str


def page_of_service(figures: Figures, language: str) -> Page:
    """The report in one language."""
    return _Printed(figures, language).page()


class _Printed:
    def __init__(self, figures: Figures, language: str) -> None:
        self._of = figures
        self._language = language
        self._place = 0 if language_of(language) == ENGLISH else 1

    def page(self) -> Page:
        asked, report = self._of.question, self._of.total
        zone = ZoneInfo(report.time_zone)
        subtitle = f"{self._of.area_name} · {asked.since} – {asked.until} ({report.time_zone})"
        made = f"{self._of.made_at.astimezone(zone):%Y-%m-%d %H:%M}"
        footer = f"Carebell · {subtitle} · {self._h('made')} {made}, {self._of.made_by}"
        sections = (
            self._summary(zone), self._by_day(), self._by("area", self._of.areas),
            self._by("dispatcher", self._of.dispatchers), self._false(), self._pressers(),
            self._rounds(),
        )  # fmt: skip
        return Page(self._language, self._h("title"), subtitle, sections, footer)

    def _h(self, key: str) -> str:
        return _WORDS[key][self._place] if key in _WORDS else key.replace("_", " ")

    def _share(self, row: View, percent: str, part: str, whole: str) -> str:
        """97.5 % with what it is made of: 100 % of two is not 100 % of two thousand."""
        if not row[whole]:
            return "–"
        counts = self._h("of").format(part=row[part], whole=row[whole])
        return f"{row[percent]} % ({counts})"

    def _service(self, row: View) -> tuple[str, ...]:
        return (
            self._share(row, "answered_60_percent", "answered_60", "rang"),
            self._share(row, "answered_180_percent", "answered_180", "rang"),
            _seconds(row["answer_p90_s"]),
            self._share(row, "attended_within_percent", "attended_within", "attended_of"),
            self._share(row, "false_alarm_percent", "false_alarms", "resolved"),
        )

    def _summary(self, zone: ZoneInfo) -> Section:
        rows, as_of = self._of.total.rows, self._of.total.as_of
        note = self._h("drills")
        if as_of is not None:
            note = f"{self._h('counted')} {as_of.astimezone(zone):%Y-%m-%d %H:%M}. {note}"
        if not rows:
            return Section(self._h("summary"), note=f"{self._h('none')} {note}")
        row = rows[0]
        names = ("answered_60", "answered_180", "p90", "attended", "false_alarms")
        pairs = [("incidents", str(row["incidents"])), ("tests", str(row["tests"]))]
        pairs += zip(names, self._service(row), strict=True)
        pairs += [
            ("dwell", _seconds(row["dwell_p90_s"])),
            ("undelivered", self._h("of").format(part=row["undelivered"], whole=row["told"])),
        ]
        told = tuple((self._h(key), value) for key, value in pairs)
        return Section(self._h("summary"), told, note=note)

    def _by_day(self) -> Section:
        asked = self._of.question
        known = {row["key"]: row for row in self._of.days}
        span = range((asked.until - asked.since).days + 1)
        days = [asked.since + timedelta(days=n) for n in span]
        rows = [known.get(day.isoformat()) for day in days]
        chart = Chart(
            labels=tuple(f"{day.month}/{day.day}" for day in days),
            columns=tuple(row["incidents"] if row else 0 for row in rows),
            columns_name=self._h("incidents"),
            percent=tuple(row["answered_60_percent"] if row else None for row in rows),
            percent_name=self._h("answered_60"),
        )
        return self._by("day", list(reversed(self._of.days)), chart)

    def _by(self, what: str, rows: Sequence[View], chart: Chart | None = None) -> Section:
        heading = self._h(f"by_{what}")
        if not rows:
            return Section(heading, note=self._h("none"))
        head = (what, "incidents", "answered_60", "answered_180", "p90", "attended", "false_alarms")
        return Section(
            heading,
            table=self._table(
                head, (14, 8, 17, 17, 11, 17, 16), rows,
                lambda row: (
                    row["label"] or row["key"] or self._h("nobody"), row["incidents"],
                    *self._service(row),
                ),
            ),
            chart=chart,
        )  # fmt: skip

    def _false(self) -> Section:
        rows = self._of.false_alarms
        if not rows:
            return Section(self._h("false"), note=self._h("none"))
        head = ("kind", "model", "detector", "devices", "incidents", "judged", "false_alarms")
        return Section(
            self._h("false"),
            table=self._table(
                head, (14, 16, 22, 9, 9, 9, 21), rows,
                lambda row: (
                    words.said(words.DEVICE_KINDS, row["device_kind"], self._language) or "–",
                    row["device_model"] or "–", self._kind(row["detector"]), row["devices"],
                    row["incidents"], row["judged"],
                    self._share(row, "false_alarm_percent", "false_alarms", "judged"),
                ),
            ),
        )  # fmt: skip

    def _pressers(self) -> Section:
        rows = self._of.pressers[:_PEOPLE_SHOWN]
        if not rows:
            return Section(self._h("pressers"), note=self._h("none"))
        return Section(
            self._h("pressers"),
            table=self._table(
                ("name", "mistaken", "last"), (50, 25, 25), rows,
                lambda row: (
                    row["name"],
                    self._h("of").format(part=row["false_presses"], whole=row["presses"]),
                    row["last_day"],
                ),
            ),
        )  # fmt: skip

    def _rounds(self) -> Section:
        return Section(
            self._h("rounds"),
            table=self._table(
                ("area", "people", "tested", "visited"), (40, 12, 24, 24), self._of.rounds,
                lambda row: (
                    row["name"], row["people"],
                    self._share(row, "tested_percent", "tested", "with_button"),
                    self._share(row, "visited_percent", "visited", "to_visit"),
                ),
            ),
        )  # fmt: skip

    def _kind(self, detector: str) -> str:
        return kind_words(detector, None, Category.TECHNICAL, self._language) if detector else "–"

    def _table(
        self, head: Sequence[str], widths: Sequence[int], rows: Sequence[View],
        cells: Callable[[View], Sequence[Any]],
    ) -> Table:  # fmt: skip
        told = tuple(tuple(str(cell) for cell in cells(row)) for row in rows)
        return Table(tuple(self._h(key) for key in head), told, tuple(widths))


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} s" if value < 60 else f"{value / 60:.1f} min"
