"""An alarm before the emergency: what is wrong with the help itself, said before anybody presses.

One table of conditions. `alerts.watches` says which of them hold just now; here it is decided how
long one must hold before it rings, and how long it must be gone before it is over. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from alerts.alarm import Priority, Subject, SubjectKind


class Concern(StrEnum):
    """What can be wrong; the kind of the technical incident it opens, and its reason."""

    NOBODY_REACHABLE = "nobody_reachable"
    NOBODY_ON_DUTY = "nobody_on_duty"
    ROTA_GAP_SOON = "rota_gap_soon"
    ROTA_GAP = "rota_gap"
    INCIDENTS_ORPHANED = "incidents_orphaned"
    POLICY_NAMES_GONE = "policy_names_gone"
    NO_RESPONDER = "no_responder"
    CONTACTS_UNVERIFIED = "contacts_unverified"
    LOOP_STANDS = "loop_stands"
    PROVIDER_FAILS = "provider_fails"
    SYNTHETIC_MISSING = "synthetic_press_missing"
    INGEST_SILENT = "ingest_silent"
    QUEUE_STANDS = "queue_stands"
    DATABASE_STRAINED = "database_strained"
    DISK_FILLS = "disk_fills"
    WATCHER_UNREACHABLE = "watcher_unreachable"


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of the table. Times are ours unless a source is named."""

    concern: Concern
    priority: Priority
    subject: SubjectKind
    holds_s: int
    """So long without a break before it rings."""
    clears_s: int
    """So long gone before it is over; between the two it neither rings nor ends."""
    english: str
    chinese: str
    why: str
    """Where the times come from."""
    by_day: bool = False
    """It waits for the day: nobody is to be woken for what can only be done in office hours."""


DAY_FROM_H, DAY_UNTIL_H = 8, 18
"""Ours: local hours in which somebody can telephone and plan."""

_HIGH, _MEDIUM, _LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW
_AREA, _HUB = SubjectKind.AREA, SubjectKind.HUB

TABLE: tuple[Condition, ...] = (
    Condition(
        Concern.NOBODY_REACHABLE, _HIGH, _AREA, 120, 10,
        "nobody could answer an alarm in {area}: {reason_en}",
        "{area}无人能接警：{reason_zh}",
        "a desk that is reloaded or restarted is back within two minutes; an alarm centre must "
        "answer within 60 s (UK Telecare Services Association), so not longer",
    ),
    Condition(
        Concern.NOBODY_ON_DUTY, _MEDIUM, _HUB, 0, 0,
        "the rota has nobody on duty for {area} until {until}",
        "{area}在 {until} 之前排班为空",
        "the rota is exact",
    ),
    Condition(
        Concern.ROTA_GAP_SOON, _MEDIUM, _HUB, 60, 0,
        "within a day nobody is on duty for {area}: {first_from} to {first_until}",
        "一天之内{area}将无人值班：{first_from} 至 {first_until}",
        "a minute, so that somebody who replaces one shift by another is not interrupted",
    ),
    Condition(
        Concern.ROTA_GAP, _LOW, _HUB, 900, 0,
        "the rota of {area} has holes within a week ({count}), the first {first_from} to "
        "{first_until}",
        "{area}一周内排班有 {count} 处空缺，最早 {first_from} 至 {first_until}",
        "a quarter of an hour, the time in which a week is planned; by day, because only then "
        "somebody can be asked to fill it",
        by_day=True,
    ),
    Condition(
        Concern.INCIDENTS_ORPHANED, _MEDIUM, _HUB, 300, 0,
        "{count} incidents of {area} belong to somebody who is gone: {owners}",
        "{area}有 {count} 件未结事件的负责人已离岗：{owners}",
        "five minutes for a hand-over after the end of a shift; the incident's own lease rings "
        "besides",
    ),
    Condition(
        Concern.POLICY_NAMES_GONE, _MEDIUM, _HUB, 60, 0,
        "ladders of {area} name somebody who cannot be called any more: {named}",
        "{area}的呼叫流程中有已停用或不存在的人员：{named}",
        "a minute, so that an account that is replaced by another one interrupts nobody; by day, "
        "because the ladder goes on without them and only an administrator can write another name",
        by_day=True,
    ),
    Condition(
        Concern.NO_RESPONDER, _LOW, _HUB, 3600, 0,
        "{count} people in {area} have nobody who could be reached to go there",
        "{area}有 {count} 位老人没有可联系到的上门人员",
        "an hour: whoever registers somebody enters the contacts after the person",
        by_day=True,
    ),
    Condition(
        Concern.CONTACTS_UNVERIFIED, _LOW, _HUB, 86_400, 0,
        "{count} contacts in {area} were not proven by a test message in time",
        "{area}有 {count} 个联系方式未按期用测试消息验证",
        "a day to send the test message and to be answered",
        by_day=True,
    ),
    Condition(
        Concern.LOOP_STANDS, _HIGH, _HUB, 0, 0,
        "the {loop} stands still for {age_s} s",
        "{loop} 循环已停止 {age_s} 秒",
        "the patience is each loop's own",
    ),
    Condition(
        Concern.PROVIDER_FAILS, _HIGH, _HUB, 0, 60,
        "channel {channel} fails: {failed} of {tried} in a quarter of an hour",
        "{channel} 通道故障：一刻钟内 {tried} 次中失败 {failed} 次",
        "the share is over a quarter of an hour already; a minute of success ends it",
    ),
    Condition(
        Concern.SYNTHETIC_MISSING, _HIGH, _HUB, 0, 0,
        "the hub's own press did not arrive: {stage_en}",
        "系统自检呼叫未走完全程：{stage_zh}",
        "three in a row are awaited already",
    ),
    Condition(
        Concern.INGEST_SILENT, _HIGH, _HUB, 15, 5,
        "ingest says nothing for {age_s} s: no press would ring",
        "接警进程已 {age_s} 秒无响应：呼叫将无法接入",
        "fifteen of its heartbeats",
    ),
    Condition(
        Concern.QUEUE_STANDS, _HIGH, _HUB, 30, 30,
        "messages wait {age_s} s for the hub's answer",
        "消息已等待 {age_s} 秒未被处理",
        "half a minute of it: a batch that is tried again takes seconds",
    ),
    Condition(
        Concern.DATABASE_STRAINED, _MEDIUM, _HUB, 120, 60,
        "the database is strained: {detail_en}",
        "数据库负荷异常：{detail_zh}",
        "two minutes: a backup or a report is over by then or must be looked at",
    ),
    Condition(
        Concern.DISK_FILLS, _HIGH, _HUB, 60, 60,
        "the disk of the hub's folder is full to {percent} %",
        "系统数据盘已使用 {percent}%",
        "a minute: a backup writes and deletes",
    ),
    Condition(
        Concern.WATCHER_UNREACHABLE, _MEDIUM, _HUB, 600, 0,
        "the outside watcher was not reached for {age_s} s",
        "外部看护地址已 {age_s} 秒无法到达",
        "ten of its minutes: networks hiccup, and it rings by itself meanwhile",
    ),
)  # fmt: skip

BY_CONCERN: Mapping[Concern, Condition] = {row.concern: row for row in TABLE}


@dataclass(frozen=True, slots=True)
class Seen:
    """A condition that holds at this moment."""

    concern: Concern
    area_id: str
    """Whose desks are told."""
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What its sentence needs, and the list behind it."""
    about: str = ""
    """Which loop, which channel ...; empty: the area."""
    priority: Priority | None = None
    """Where it is not the table's."""

    @property
    def subject(self) -> Subject:
        """What the incident is about. Concerns about one area have subjects of their own: one that
        is over must not stay open because of another, or under its name."""
        row = BY_CONCERN[self.concern]
        if row.subject is SubjectKind.AREA:
            return Subject(SubjectKind.AREA, self.area_id)
        name = self.concern.value.replace("_", "-")
        return Subject(row.subject, f"{name}-{self.about or self.area_id}"[:64])


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition that is remembered between two looks."""

    seen: Seen
    since: datetime
    raised_at: datetime | None = None
    gone_since: datetime | None = None

    @property
    def key(self) -> tuple[Concern, Subject]:
        """The same for the whole episode."""
        return self.seen.concern, self.seen.subject


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look changes: everything that is remembered now, and what rings or ends."""

    standing: tuple[Standing, ...]
    raises: tuple[Standing, ...]
    clears: tuple[Standing, ...]
    forgotten: tuple[Standing, ...]
    """Over before it rang."""


def weigh(
    standing: Iterable[Standing],
    seen: Iterable[Seen],
    looked: frozenset[Concern],
    now: datetime,
    *,
    by_day: bool,
) -> Verdict:
    """What to remember, raise and clear after a look.

    `looked`: what this look was able to judge; everything else stays as it is, because not having
    looked proves nothing. `by_day`: it is an hour at which somebody can act.
    """
    before = {one.key: one for one in standing}
    here = {(one.concern, one.subject): one for one in seen if one.concern in looked}
    kept: list[Standing] = []
    raises: list[Standing] = []
    clears: list[Standing] = []
    forgotten: list[Standing] = []
    for key, one in here.items():
        known = before.pop(key, None)
        current = Standing(one, now) if known is None else replace(known, seen=one, gone_since=None)
        if current.raised_at is None and _rings(current, now, by_day=by_day):
            current = replace(current, raised_at=now)
            raises.append(current)
        kept.append(current)
    for old in before.values():
        if old.seen.concern not in looked:
            kept.append(old)
            continue
        gone = replace(old, gone_since=old.gone_since or now)
        row = BY_CONCERN[old.seen.concern]
        if now - (gone.gone_since or now) < timedelta(seconds=row.clears_s):
            kept.append(gone)
        elif gone.raised_at is None:
            forgotten.append(gone)
        else:
            clears.append(gone)
    return Verdict(tuple(kept), tuple(raises), tuple(clears), tuple(forgotten))


AGAIN_AFTER: Mapping[Priority, timedelta] = {
    Priority.HIGH: timedelta(minutes=15),
    Priority.MEDIUM: timedelta(hours=4),
    Priority.LOW: timedelta(days=7),
}
"""Ours: when what somebody resolved though it still holds is said again. A resolve may be a
mistake, and must not silence a condition for ever; a list that takes weeks to mend comes weekly."""


def again(one: Standing, now: datetime) -> Standing:
    """A condition whose incident a human resolved while it went on: a new episode in due time."""
    waited = now - (one.raised_at or now)
    return Standing(one.seen, now) if waited >= AGAIN_AFTER[priority_of(one.seen)] else one


def priority_of(one: Seen) -> Priority:
    """How urgent it is."""
    return one.priority or BY_CONCERN[one.concern].priority


def sentence(concern: Concern, values: Mapping[str, Any], *, chinese: bool) -> str:
    """What is wrong, in one line; a value that is missing is a dash.

    >>> sentence(Concern.LOOP_STANDS, {"loop": "courier", "age_s": 40}, chinese=False)
    'the courier stands still for 40 s'
    """
    row = BY_CONCERN[concern]
    worded = _Dashes({**values, **_worded(values, chinese=chinese)})
    return (row.chinese if chinese else row.english).format_map(worded)


def named(seen: Iterable[Seen], areas: Mapping[str, str]) -> list[Seen]:
    """With the area's name beside its id: people read the name."""
    return [
        replace(one, values={**one.values, "area_name": areas[str(one.values["area"])]})
        if one.values.get("area") in areas
        else one
        for one in seen
    ]


WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "loop": {
        "escalator": ("escalator", "升级呼叫"),
        "courier": ("courier", "通知发送"),
        "maintenance": ("maintenance loop", "维护"),
        "assurance": ("assurance loop", "保障检查"),
        "sealing": ("sealing of the log", "日志封存"),
        "history": ("upkeep of the history", "历史数据整理"),
        "learning": ("learning of habits", "作息学习"),
    },
    "channel": {
        "desk": ("desk", "值班台"),
        "device": ("device", "设备"),
        "push": ("push", "推送"),
        "email": ("e-mail", "邮件"),
        "sms": ("SMS", "短信"),
        "voice": ("voice", "语音电话"),
        "webhook": ("webhook", "外部通知"),
        "apprise": ("group message", "群消息"),
    },
}
"""What the hub's own names are called, in English and Chinese."""


def _worded(values: Mapping[str, Any], *, chinese: bool) -> dict[str, str]:
    """What people read instead of names and ids of the hub's own."""
    said = {
        key: words[values[key]][1 if chinese else 0]
        for key, words in WORDS.items()
        if values.get(key) in words
    }
    if values.get("area_name"):
        said["area"] = str(values["area_name"])
    return said


def _rings(one: Standing, now: datetime, *, by_day: bool) -> bool:
    row = BY_CONCERN[one.seen.concern]
    if row.by_day and not by_day:
        return False
    return now - one.since >= timedelta(seconds=row.holds_s)


class _Dashes(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def chain(area_id: str, parents: Mapping[str, str | None]) -> list[str]:
    """The area and every area it lies in, the nearest first; a circle ends."""
    found = [area_id]
    parent = parents.get(area_id)
    while parent is not None and parent not in found:
        found.append(parent)
        parent = parents.get(parent)
    return found


FOLD_FROM = 5
"""Ours: more than a handful of areas with the same trouble are one trouble of what they lie in."""


def fold(
    members: Mapping[str, Sequence[str]],
    parents: Mapping[str, str | None],
    held: frozenset[str],
    fold_from: int = FOLD_FROM,
) -> dict[str, list[str]]:
    """Lists by area, put together where many areas of one parent have one.

    `held`: areas whose list rings already; what lies below stays with them, so that a list that
    shrinks does not jump from one area to another.
    """
    found = {area: list(some) for area, some in members.items() if some}
    chains = {area: chain(area, parents) for area in found}
    wider = {over for one in chains.values() for over in one[1:]}
    for parent in sorted(wider, key=lambda area: -len(chain(area, parents))):
        below = [area for area in found if area != parent and parent in chains[area]]
        if below and (parent in held or len(below) >= fold_from):
            own = found.pop(parent, [])
            found[parent] = [*own, *(one for area in sorted(below) for one in found.pop(area))]
            chains[parent] = chain(parent, parents)
    return found
