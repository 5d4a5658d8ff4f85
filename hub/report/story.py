"""A case as a page: what stands in a report and in which order. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.alarm import Category
from alerts.evidence import sentence
from alerts.wording import OUTCOMES, kind_words
from hub.report import words
from hub.report.case import Case
from hub.report.page import Page, Section, Table
from hub.service_report import ANSWER_WITHIN_S
from hub.view import View

_TEXT_MAX = 400
"""Characters of one cell; the JSON has all of it."""
_QUIET = frozenset({"next_deadline_at", "alarm_id", "notification_id", "delivery_id", "noun"})
"""Details that tell people nothing."""
_NO_ADDRESS = frozenset({"desk", "device"})
"""Ways that have no number or address that would tell people anything."""


def page_of(case: Case, language: str) -> Page:
    """The report in one language, its times in the home's zone."""
    return _Story(case, language).page()


class _Story:
    def __init__(self, case: Case, language: str) -> None:
        self._case = case
        self._language = language
        try:
            self._zone = ZoneInfo(case.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            self._zone = ZoneInfo("UTC")

    def page(self) -> Page:
        case = self._case
        incident = case.incident
        what = self._kind(incident)
        who = (case.person or {}).get("name") or (case.premises or {}).get("address") or ""
        title = self._h("drill" if incident.get("drill") else "title")
        made = f"{self._h('made')} {self._time(case.made_at)} ({case.time_zone}), {case.made_by}"
        sections = [
            self._summary(what), self._whom(), self._times(), self._people(), self._hand_offs(),
            self._calls(), self._alarms(), self._findings(), self._notifications(),
            self._timeline(), self._observations(), self._seal(),
        ]  # fmt: skip
        subtitle = " · ".join(
            part for part in (what, who, self._time(incident["opened_at"])) if part
        )
        footer = f"Carebell {case.release} · {incident['incident_id']} · {made}"
        return Page(self._language, title, subtitle, tuple(s for s in sections if s), footer)

    # ---- small words ----------------------------------------------------------------------

    def _h(self, key: str) -> str:
        return words.heading(key, self._language)

    def _said(self, key: str | None) -> str:
        return words.said(words.STATES, key, self._language)

    def _time(self, moment: datetime | None) -> str:
        if moment is None:
            return self._h("not_yet")
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _pairs(self, *pairs: tuple[str, object]) -> tuple[tuple[str, str], ...]:
        return tuple((self._h(key), str(value)) for key, value in pairs if value not in (None, ""))

    def _table(
        self, rows: Sequence[View], head: Sequence[str], widths: Sequence[int],
        cells: Callable[[View], Sequence[object]],
    ) -> Table:  # fmt: skip
        told = tuple(tuple(_short(str(cell or "")) for cell in cells(row)) for row in rows)
        return Table(tuple(self._h(key) for key in head), told, tuple(widths))

    def _kind(self, row: Mapping[str, Any]) -> str:
        category = Category(row.get("category") or "personal")
        detail = row.get("action")
        return kind_words(row["kind"], detail, category, self._language)

    # ---- sections --------------------------------------------------------------------------

    def _summary(self, what: str) -> Section:
        incident = self._case.incident
        note = ""
        if self._case.left_out:
            lists = ", ".join(self._h(key) for key in self._case.left_out)
            note = self._h("left_out").format(what=lists)
        if incident.get("silent"):
            note = f"{self._h('silent')}. {note}"
        return Section(
            self._h("summary"),
            self._pairs(
                ("incident", incident["incident_id"]), ("kind", what),
                ("priority", self._said(incident["priority"])),
                ("state", self._said(incident["state"])),
                ("outcome", self._outcome(incident["outcome"])),
                ("note", incident["note"]), ("owner", incident["owner_name"]),
                ("area", " / ".join(self._case.area_path)), ("follows", incident["follows"]),
            ),
            note=note.strip(),
        )  # fmt: skip

    def _whom(self) -> Section:
        person, home, device = (self._case.person or {}, self._case.premises or {},
                                self._case.device or {})  # fmt: skip
        position = self._case.incident.get("position") or {}
        where = None
        if position.get("latitude") is not None:
            where = f"{position['latitude']:.5f}, {position['longitude']:.5f} (WGS-84"
            where += f", ±{position['accuracy_m']:.0f} m)" if position.get("accuracy_m") else ")"
        kind = words.said(words.DEVICE_KINDS, device.get("kind"), self._language)
        parts = (kind, device.get("model"), device.get("label"), device.get("device_id"))
        return Section(
            self._h("person"),
            self._pairs(
                ("name", person.get("name")), ("birth_year", person.get("birth_year")),
                ("address", home.get("address")),
                ("device", " · ".join(str(part) for part in parts if part)), ("position", where),
            ),
        )  # fmt: skip

    def _times(self) -> Section:
        case, incident = self._case, self._case.incident
        opened = incident["opened_at"]
        rang, answer = case.rang_at, case.answered
        answered = self._h("not_yet") if incident["state"] != "resolved" else self._h("nobody")
        if answer is not None:
            answered = f"{self._time(answer['at'])} {self._h('by')} {answer['actor_name'] or ''}"
            if rang is not None:
                took_s = max(0.0, (answer["at"] - rang).total_seconds())
                answered += f"; {self._h('after')} {_span(took_s)}; " + ", ".join(
                    f"{self._h('target')} {limit} s: {self._met(took_s <= limit)}"
                    for limit in ANSWER_WITHIN_S
                )
        attended, target = incident["attended_at"], incident["arrive_by"]
        there = self._time(attended) if attended else self._h("not_yet")
        if attended is not None:
            there += f"; {self._h('after')} {_span((attended - opened).total_seconds())}"
        if target is not None:
            wanted = _span((target - opened).total_seconds())
            there += f"; {self._h('target')} {wanted}"
            if attended is not None or case.made_at > target:
                there += f": {self._met(attended is not None and attended <= target)}"
        over = incident["resolved_at"]
        ended = self._time(over)
        if over is not None:
            ended += f"; {self._h('after')} {_span((over - opened).total_seconds())}"
        return Section(
            self._h("times"),
            self._pairs(("opened", self._time(opened)), ("rang", self._time(rang)),
                        ("answered", answered), ("attended", there), ("resolved", ended)),
        )  # fmt: skip

    def _met(self, met: bool) -> str:
        return self._h("met" if met else "missed")

    def _people(self) -> Section | None:
        return self._listed(
            "people", self._case.responders, ("who", "answer", "time", "arrived"), (30, 20, 25, 25),
            lambda r: (r["name"], self._said(r["answer"]), self._time(r["answered_at"]),
                       self._time(r["arrived_at"])),
        )  # fmt: skip

    def _hand_offs(self) -> Section | None:
        return self._listed(
            "hand_offs", self._case.hand_offs, ("time", "service", "reference", "by", "arrived"),
            (24, 20, 20, 16, 20),
            lambda r: (self._time(r["at"]), f"{self._said(r['service'])} {r['number']}",
                       r["reference"], r["by_name"], self._time(r["arrived_at"])),
        )  # fmt: skip

    def _calls(self) -> Section | None:
        return self._listed(
            "calls", self._case.calls, ("time", "what", "answer"), (30, 35, 35),
            lambda r: (self._time(r["asked_at"]), r["whom"], self._said(r["result"] or r["state"])),
        )  # fmt: skip

    def _alarms(self) -> Section | None:
        return self._listed(
            "alarms", self._case.alarms, ("time", "what", "device", "why"), (24, 24, 20, 32),
            lambda r: (self._time(r["received_at"]), self._kind(r), r["device_id"],
                       self._why(r["grouping_reason"], {"flags": r["flags"], "text": r["text"]})),
        )  # fmt: skip

    def _findings(self) -> Section | None:
        return self._listed(
            "findings", self._case.findings, ("time", "what", "why"), (24, 26, 50),
            lambda r: (self._time(r["at"]), self._kind({"kind": r["kind"]}),
                       self._found(r)),
        )  # fmt: skip

    def _found(self, row: View) -> str:
        """What became of a finding, and what it rests on: in words where the hub has them."""
        known = sentence(row["kind"], row["evidence"], self._language) if row["evidence"] else None
        return self._why(row["reason"], {"text": known or row["text"]})

    def _notifications(self) -> Section | None:
        return self._listed(
            "notifications", self._case.notifications, ("time", "to", "way", "what", "delivery"),
            (21, 20, 11, 18, 30),
            lambda r: (
                self._time(r["created_at"]), self._name(r["recipient"]), self._said(r["channel"]),
                f"{self._said(r['kind'])}: {self._reason(words.fate(r))}", self._deliveries(r),
            ),
        )  # fmt: skip

    def _deliveries(self, row: View) -> str:
        lines = [
            " ".join(
                part
                for part in (
                    self._time(d["began_at"])[11:], self._said(d["channel"]),
                    "" if d["channel"] in _NO_ADDRESS else d["address"],
                )
                if part
            )
            + f"; {self._time(d['at'])[11:]} {self._reason(d['state'])}"
            for d in row["deliveries"]
        ]  # fmt: skip
        return "\n".join(lines) or self._reason(row["reason"]) or row["detail"]

    def _timeline(self) -> Section | None:
        return self._listed(
            "timeline", list(_folded(self._case.log)), ("time", "who", "what", "why"),
            (22, 18, 20, 40),
            lambda r: (self._time(r["at"]), self._who(r),
                       words.action_words(r["action"], self._language), self._happened(r)),
        )  # fmt: skip

    def _happened(self, row: View) -> str:
        """Why and how, for one line of the timeline."""
        detail = row["detail"]
        match row["action"]:
            case "send":
                return self._sent(row)
            case "finding":
                known = sentence(detail.get("kind", ""), detail.get("evidence") or {},
                                 self._language)  # fmt: skip
                return self._why(row["reason"], {"text": known or detail.get("text")})
            case "call_home":
                return self._said(detail.get("kind"))
        if (refusal := detail.get("refusal")) in words.REFUSALS:
            rest = {key: value for key, value in detail.items() if key != "refusal"}
            return "; ".join(filter(None, (words.said(words.REFUSALS, refusal, self._language),
                                           self._why(None, rest))))  # fmt: skip
        told = self._why(row["reason"], detail)
        if row.get("until") is not None:
            began, ended = self._time(row["at"]), self._time(row["until"])
            same_day = began[:10] == ended[:10]
            often = words.times(row["count"], ended[11:] if same_day else ended, self._language)
            told = "; ".join(filter(None, (told, often)))
        return told

    def _sent(self, row: View) -> str:
        """A message in one line: whether it went, which way, to whom; a failure in full."""
        detail = row["detail"]
        if row["reason"] not in words.WENT:
            return self._why(row["reason"], detail)
        whom = self._name(detail.get("recipient", ""))
        address = "" if detail.get("channel") in _NO_ADDRESS else detail.get("address", "")
        way = f"{self._said(detail.get('channel'))}: {whom} {address}".strip()
        number = {key: detail.get(key) for key in ("provider_id",)}
        return "; ".join(part for part in (self._reason(row["reason"]), way,
                                           self._why(None, number)) if part)  # fmt: skip

    def _observations(self) -> Section | None:
        if self._case.observations is None:
            return Section(self._h("observations"), note=self._h("not_permitted"))
        return self._listed(
            "observations",
            self._case.observations,
            ("time", "measure", "value", "quality"),
            (30, 35, 20, 15),
            lambda r: (self._time(r["at"]), r["measure"], r["value"], r["quality"]),
        )

    def _seal(self) -> Section:
        state = self._case.seal
        head = state.get("head") or self._h("none")
        table = self._table(
            self._case.log, ("entry", "block", "sealed", "digest"), (8, 8, 20, 64),
            self._sealed,
        )  # fmt: skip
        return Section(
            self._h("seal"), self._pairs(("head", head)), table, note=self._h("seal_note")
        )

    def _sealed(self, row: View) -> tuple[object, ...]:
        seal = row["seal"]
        if seal is None:
            return (row["entry_id"], "", self._h("unsealed"), "")
        state = "" if seal["as_sealed"] else f"{self._h('differs')}: "
        return (row["entry_id"], seal["block"], self._time(seal["sealed_at"]),
                f"{state}{seal['digest']}")  # fmt: skip

    # ---- cells -----------------------------------------------------------------------------

    def _listed(
        self, key: str, rows: Sequence[View], head: Sequence[str], widths: Sequence[int],
        cells: Callable[[View], Sequence[object]],
    ) -> Section | None:  # fmt: skip
        if not rows:
            return None
        note = self._h("goes_on") if key in self._case.left_out else ""
        return Section(self._h(key), table=self._table(rows, head, widths, cells), note=note)

    def _who(self, row: View) -> str:
        if row["actor_kind"] == "hub":
            return self._said("hub")
        known = row["actor_name"] or self._case.names.get(row["actor_id"] or "")
        return str(known or row["actor_id"] or self._said(row["actor_kind"]))

    def _name(self, recipient: str) -> str:
        """Whom people know; an id where the register does not know them any more."""
        found = self._case.names.get(recipient)
        return found or words.target(recipient, self._language)

    def _reason(self, reason: str | None) -> str:
        return words.said(words.REASONS, reason, self._language)

    def _why(self, reason: str | None, detail: Mapping[str, Any]) -> str:
        parts = [self._reason(reason)]
        for key, value in detail.items():
            if key in _QUIET or value is False or value in (None, "", [], {}):
                continue
            called = words.said(words.DETAILS, key, self._language)
            parts.append(f"{called}: {self._value(value, key)}")
        return "; ".join(part for part in parts if part)

    def _value(self, value: object, key: str = "") -> str:
        if isinstance(value, Mapping):
            return self._values(value, key)
        if isinstance(value, list):
            return ", ".join(self._value(each, key) for each in value)
        if value is True:
            return words.yes(self._language)
        return self._word(value, key)

    def _values(self, value: Mapping[str, Any], key: str) -> str:
        if key == "nobody":
            return f"{self._name(value['who'])} ({self._reason(value['reason'])})"
        if key == "whom" and value.get("name"):
            return str(value["name"])
        return ", ".join(f"{k} {self._value(v)}" for k, v in value.items())

    def _word(self, value: object, key: str) -> str:
        text = str(value)
        match key:
            case "told":
                way, _, whom = text.partition(":")
                return f"{self._said(way)}: {self._name(whom)}"
            case "recipient" | "whom":
                return self._name(text)
            case "flags":
                return words.said(words.FLAGS, text, self._language)
            case "kind":
                return self._kind({"kind": text})
            case "outcome":
                return self._outcome(text) or text
            case "note" | "text" | "reference":
                return text  # what people typed is not ours to translate
        known = words.REASONS.get(text) or words.STATES.get(text)
        return text if known is None else known[0 if self._language.startswith("en") else 1]

    def _outcome(self, outcome: str | None) -> str | None:
        told = next((w for o, w in OUTCOMES.items() if o == outcome), None)
        return told["en" if self._language.startswith("en") else "zh-CN"] if told else None


def _folded(log: Sequence[View]) -> Iterator[View]:
    """The log with the looks of one who looks on as one line: whoever has an incident open reads it
    again with every change. The proof below lists each of them."""
    looks: list[View] = []
    for row in log:
        if looks and not _same_look(looks[0], row):
            yield _as_one(looks)
            looks = []
        if row["action"] == "look":
            looks.append(row)
        else:
            yield row
    if looks:
        yield _as_one(looks)


def _same_look(one: View, other: View) -> bool:
    return all(one[key] == other[key] for key in ("action", "actor_kind", "actor_id", "detail"))


def _as_one(looks: Sequence[View]) -> View:
    if len(looks) == 1:
        return looks[0]
    return {**looks[0], "count": len(looks), "until": looks[-1]["at"]}


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}…"


def _span(seconds: float) -> str:
    """A length of time: `1:02:03`, as in every language.

    >>> _span(62.4), _span(3723)
    ('0:01:02', '1:02:03')
    """
    return str(timedelta(seconds=int(max(0.0, seconds))))
