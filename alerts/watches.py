"""Which conditions of `alerts.assurance` hold just now: facts in, named conditions out. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from alerts.alarm import Priority
from alerts.assurance import Concern, Seen, chain, fold
from alerts.rota import Duty, DutyRole, Gap

LISTED = 200
"""Ids in an incident's evidence; the whole list is a query (docs/how-to/assurance.md)."""
SHOWN = 10
"""Names in one sentence; who wants all of them reads the evidence."""
SOON = timedelta(hours=24)
"""A hole in the rota that comes true before the next working day is over."""

# ---- who could answer ------------------------------------------------------------------------

REASONS: Mapping[str, tuple[str, str]] = {
    "nobody_at_desk": ("no desk is connected and there is no rota", "没有值班台在线，也没有排班"),
    "rota_empty": ("the rota has nobody, and no desk is connected", "排班为空，且没有值班台在线"),
    "not_at_desk": (
        "on duty should be {names}: at no desk, and no channel reaches them",
        "{names} 应在岗，但不在值班台且无法联系",
    ),
}
"""Why nobody could answer, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who is there, at an instant."""

    needed: Collection[str]
    """Areas in which people or devices live."""
    parents: Mapping[str, str | None]
    seats: Collection[str]
    """Areas of those who sit at a desk with a live feed and may acknowledge."""
    on_duty: Sequence[Duty]
    planned: Collection[str]
    """Areas with a rota for dispatchers."""
    by_channel: Collection[str]
    """Accounts that a channel other than the desk reaches."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Of accounts."""


def unanswerable(facts: Staffing) -> list[Seen]:
    """Areas in which an alarm would reach nobody, each as wide as it is true."""
    why = {area: reason for area in facts.needed if (reason := _unanswered(area, facts))}
    if not why:
        return []
    below: dict[str, set[str]] = {}
    for area in facts.needed:
        for over in chain(area, facts.parents):
            below.setdefault(over, set()).add(area)
    widest: dict[str, str] = {}
    for area in why:
        whole = [over for over in chain(area, facts.parents) if below[over] <= why.keys()]
        widest.setdefault(whole[-1], area)
    return [_unanswerable(area, why[of], of, facts) for area, of in sorted(widest.items())]


def _unanswered(area: str, facts: Staffing) -> str | None:
    """Why nobody could answer there; None: somebody could."""
    over = chain(area, facts.parents)
    if any(seat in over for seat in facts.seats):
        return None
    there = [duty for duty in facts.on_duty if duty.area_id in over
             and duty.role_on_duty is not DutyRole.SUPERVISOR]  # fmt: skip
    if any(duty.account_id in facts.by_channel for duty in there):
        return None
    if there:
        return "not_at_desk"
    return "rota_empty" if any(one in facts.planned for one in over) else "nobody_at_desk"


def _unanswerable(area: str, reason: str, of: str, facts: Staffing) -> Seen:
    over = chain(of, facts.parents)
    accounts = sorted({duty.account_id for duty in facts.on_duty if duty.area_id in over})
    english, chinese = REASONS[reason]
    said = {"names": ", ".join(sorted(facts.names.get(one, one) for one in accounts))}
    return Seen(
        Concern.NOBODY_REACHABLE,
        area,
        {
            "area": area,
            "reason": reason,
            "reason_en": english.format_map(said),
            "reason_zh": chinese.format_map(said),
            "on_duty": accounts,
        },
    )


def rota_concerns(
    found: Iterable[Gap], now: datetime, zone: tzinfo, unanswered: Collection[str] = ()
) -> list[Seen]:
    """Holes in the rota: the one we are in, those of the next day, and those of the week.

    `unanswered` are areas of which is said already that nobody could answer there. Only a hole of
    the dispatchers is more than something to be planned by day.
    """
    by_area: dict[str, list[Gap]] = {}
    for gap in found:
        by_area.setdefault(gap.area_id, []).append(gap)
    seen: list[Seen] = []
    for area, holes in sorted(by_area.items()):
        desk = [gap for gap in holes if gap.duty is DutyRole.DISPATCHER]
        current = next((gap for gap in desk if gap.from_at <= now < gap.until_at), None)
        if current is not None and area not in unanswered:
            until = _local(current.until_at, zone)
            seen.append(Seen(Concern.NOBODY_ON_DUTY, area, {"area": area, "until": until}))
        coming = [gap for gap in desk if now < gap.from_at <= now + SOON]
        if coming:
            seen.append(_gap_seen(Concern.ROTA_GAP_SOON, area, coming, zone))
        rest = [gap for gap in holes if gap not in coming and gap is not current]
        if rest:
            seen.append(_gap_seen(Concern.ROTA_GAP, area, rest, zone))
    return seen


def _gap_seen(concern: Concern, area: str, holes: Sequence[Gap], zone: tzinfo) -> Seen:
    first = min(holes, key=lambda gap: gap.from_at)
    listed = [
        {"duty": gap.duty.value, "from_at": gap.from_at.isoformat(),
         "until_at": gap.until_at.isoformat()}
        for gap in holes[:LISTED]
    ]  # fmt: skip
    return Seen(
        concern,
        area,
        {
            "area": area,
            "count": len(holes),
            "first_from": _local(first.from_at, zone),
            "first_until": _local(first.until_at, zone),
            "gaps": listed,
        },
    )


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class Owned:
    """An open incident that somebody is responsible for."""

    incident_id: str
    area_id: str
    owner_id: str
    owner_name: str


def orphaned(
    owned: Iterable[Owned], present: Collection[str], on_duty: Collection[str]
) -> list[Seen]:
    """Incidents whose owner is neither at a desk nor on duty, by area."""
    by_area: dict[str, list[Owned]] = {}
    for one in owned:
        if one.owner_id not in present and one.owner_id not in on_duty:
            by_area.setdefault(one.area_id, []).append(one)
    return [
        Seen(
            Concern.INCIDENTS_ORPHANED,
            area,
            {
                "area": area,
                "count": len(some),
                "owners": ", ".join(sorted({one.owner_name for one in some})),
                "incidents": [one.incident_id for one in some[:LISTED]],
            },
        )
        for area, some in sorted(by_area.items())
    ]


@dataclass(frozen=True, slots=True)
class Named:
    """An account or responder that a policy names and that cannot be called."""

    policy_id: str
    area_id: str
    who: str
    """`account:ID` or `responder:ID`."""
    name: str | None = None
    """None: there is no such one any more."""
    policy_name: str | None = None
    """As people call the policy."""


def gone_from_policies(named: Iterable[Named]) -> list[Seen]:
    """Policies whose people are disabled or removed, by area. Their rungs are passed meanwhile, and
    the desks ring where the last one is empty."""
    by_area: dict[str, list[Named]] = {}
    for one in named:
        by_area.setdefault(one.area_id, []).append(one)
    return [
        Seen(
            Concern.POLICY_NAMES_GONE,
            area,
            {
                "area": area,
                "named": ", ".join(_who_and_where(one) for one in some[:SHOWN]),
                "policies": sorted({one.policy_id for one in some})[:LISTED],
            },
        )
        for area, some in sorted(by_area.items())
    ]


def _who_and_where(one: Named) -> str:
    """Names; an id where nobody knows a name any more."""
    return f"{one.name or one.who} ({one.policy_name or one.policy_id})"


# ---- who could go there, and is it proven ----------------------------------------------------


def listed(
    concern: Concern,
    members: Mapping[str, Sequence[str]],
    parents: Mapping[str, str | None],
    held: frozenset[str],
) -> list[Seen]:
    """A list by area, folded where it is the same everywhere."""
    return [
        Seen(concern, area, {"area": area, "count": len(some), "ids": some[:LISTED]})
        for area, some in sorted(fold(members, parents, held).items())
    ]


# ---- the hub itself --------------------------------------------------------------------------

FAILED_AT_LEAST = 3
"""Ours: one refusal is a wrong number, two are bad luck."""
FAILED_SHARE = 0.5
WAITED_AT_MOST_S = 120.0
"""Ours: after two minutes of retries the ladder has climbed four rungs without this channel."""
PROVIDER_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """What a channel did within `PROVIDER_WINDOW`."""

    channel: str
    tried: int
    failed: int
    recipients_failed: int
    """Different ones: a single wrong number is not the provider's fault."""
    last_success_at: datetime | None
    oldest_waiting_s: float = 0.0
    """Of what was tried in vain and is tried again."""


def failing(records: Iterable[ChannelRecord], root_area_id: str) -> list[Seen]:
    """Providers that fail: by their share of errors, or because nothing gets through at all."""
    found = []
    for one in records:
        share = one.failed / one.tried if one.tried else 0.0
        many = one.failed >= FAILED_AT_LEAST and share >= FAILED_SHARE
        stuck = one.failed > 0 and one.oldest_waiting_s > WAITED_AT_MOST_S and share == 1.0
        if (many and one.recipients_failed > 1) or stuck:
            values = {
                "channel": one.channel,
                "tried": one.tried,
                "failed": one.failed,
                "last_success_at": one.last_success_at and one.last_success_at.isoformat(),
            }
            found.append(Seen(Concern.PROVIDER_FAILS, root_area_id, values, about=one.channel))
    return found


@dataclass(frozen=True, slots=True)
class Loop:
    """One of the worker's loops, and how long it may be busy or asleep."""

    name: str
    patience_s: float
    urgent: bool = True
    """Without it people are not told in time."""


LOOPS: tuple[Loop, ...] = (
    Loop("escalator", 30.0),
    Loop("courier", 30.0),
    Loop("maintenance", 30.0),
    Loop("assurance", 60.0),
    Loop("sealing", 300.0, urgent=False),
    Loop("history", 3 * 3600.0, urgent=False),
    Loop("learning", 1800.0, urgent=False),
)
"""30 s is the first rung of the ladder. History tidies for an hour after a long rest and rests up
to an hour by its setting; a home is learned in seconds and the night's turn is looked for every
minute. The others are ours: an order above what a cycle takes."""

PATIENCE_S: Mapping[str, float] = {loop.name: loop.patience_s for loop in LOOPS}


def standing_loops(
    ages_s: Mapping[str, float], root_area_id: str, loops: Sequence[Loop] = LOOPS
) -> list[Seen]:
    """Loops that finished no cycle in time; one that never did has the age of its process."""
    return [
        Seen(
            Concern.LOOP_STANDS,
            root_area_id,
            {"loop": loop.name, "age_s": round(ages_s[loop.name])},
            about=loop.name,
            priority=None if loop.urgent else Priority.MEDIUM,
        )
        for loop in loops
        if ages_s.get(loop.name, 0.0) > loop.patience_s
    ]


MISSED_PRESSES = 3
"""As for every device: one lost message is radio, two are bad luck, three are a finding."""
STAGES: Mapping[str, tuple[str, str]] = {
    "not_admitted": ("the broker does not admit it", "消息服务器不接受连接"),
    "no_receipt": ("no receipt came back", "未收到回执"),
    "not_recorded": ("it is not in the database", "未写入数据库"),
    "not_shown": ("no live feed showed it", "没有实时页面显示"),
    "not_sent": ("it was not sent", "未发出"),
}
"""How far the last one came, in English and Chinese."""


def missing_press(waiting_s: float, every_s: float, stage: str, root_area_id: str) -> list[Seen]:
    """The hub's own press did not come through for three intervals."""
    if waiting_s <= MISSED_PRESSES * every_s:
        return []
    english, chinese = STAGES[stage]
    values = {"stage": stage, "stage_en": english, "stage_zh": chinese, "age_s": round(waiting_s)}
    return [Seen(Concern.SYNTHETIC_MISSING, root_area_id, values, about="synthetic-press")]


QUEUE_AGE_S = 60.0
"""Ours: telemetry is answered within seconds, an alarm within milliseconds."""
TRANSACTION_AGE_S = 300.0
"""Ours: nothing of the hub holds a transaction open for more than seconds."""
CONNECTIONS_SHARE = 0.9
DISK_SHARE = 0.9
"""Ours: a tenth left is days at the pace of a city, and PostgreSQL stops at none."""


@dataclass(frozen=True, slots=True)
class HubState:
    """What the hub knows of its own parts; None: not known."""

    ingest_silent_s: float | None = None
    oldest_unanswered_s: float | None = None
    oldest_transaction_s: float | None = None
    connections_share: float | None = None
    disk_share: float | None = None
    watcher_silent_s: float | None = None


def hub_concerns(state: HubState, root_area_id: str) -> list[Seen]:
    """Broker queue, database, disk, the outside watcher."""
    found: list[Seen] = []

    def note(concern: Concern, about: str, values: Mapping[str, object]) -> None:
        found.append(Seen(concern, root_area_id, values, about=about))

    if (state.ingest_silent_s or 0.0) > 0:
        note(Concern.INGEST_SILENT, "ingest", {"age_s": round(state.ingest_silent_s or 0)})
    if (state.oldest_unanswered_s or 0.0) > QUEUE_AGE_S:
        note(Concern.QUEUE_STANDS, "queue", {"age_s": round(state.oldest_unanswered_s or 0)})
    if strained := _strained(state):
        english, chinese = zip(*strained, strict=True)
        values = {"detail_en": "; ".join(english), "detail_zh": "；".join(chinese)}
        note(Concern.DATABASE_STRAINED, "database", values)
    if (state.disk_share or 0.0) > DISK_SHARE:
        note(Concern.DISK_FILLS, "disk", {"percent": round(100 * (state.disk_share or 0))})
    if (state.watcher_silent_s or 0.0) > 0:
        note(Concern.WATCHER_UNREACHABLE, "watcher", {"age_s": round(state.watcher_silent_s or 0)})
    return found


def _strained(state: HubState) -> list[tuple[str, str]]:
    """What the database suffers from, in English and Chinese."""
    found = []
    age_s, share = state.oldest_transaction_s or 0.0, state.connections_share or 0.0
    if age_s > TRANSACTION_AGE_S:
        found.append((f"a transaction is open for {age_s:.0f} s", f"有事务已打开 {age_s:.0f} 秒"))
    if share > CONNECTIONS_SHARE:
        found.append((f"{share:.0%} of its connections are taken", f"连接已占用 {share:.0%}"))
    return found
