"""How long what is kept, and how history is prepared for those who ask."""

from pydantic import BaseModel

from hub.keys.key import setting

_PIPL = (
    "China's Personal Information Protection Law, article 19: no longer than the purpose needs; "
)


class HistoryKeys(BaseModel):
    """History and retention."""

    keep_observations_days: int = setting(
        90,
        "How long single observations are kept; afterwards only their aggregates.",
        source=_PIPL + "detectors learn from 45 days, a quarter lets a complaint be looked into",
        unit="days",
        ge=46,
        le=3650,
    )
    keep_positions_days: int = setting(
        30,
        "How long positions among the observations are kept; never longer than the others.",
        source=_PIPL + "whereabouts are sensitive (article 28), searches look back days",
        unit="days",
        ge=1,
        le=3650,
    )
    keep_hourly_days: int = setting(
        730,
        "How long hourly aggregates are kept.",
        source=_PIPL + "ours: this winter is compared with the last one",
        unit="days",
        ge=7,
        le=7300,
    )
    keep_daily_days: int = setting(
        1825,
        "How long daily aggregates are kept.",
        source=_PIPL + "ours: five years show how somebody ages, and no single hour of a life",
        unit="days",
        ge=31,
        le=18250,
    )
    keep_signal_windows_days: int = setting(
        90,
        "How long raw acceleration round an impact is kept.",
        source=_PIPL + "ours: as long as the observations round it",
        unit="days",
        ge=1,
        le=3650,
    )
    keep_quarantine_days: int = setting(
        30,
        "How long a message that could not be read is kept.",
        source=_PIPL + "ours: a month to find out why and to retry; each lane is bounded besides",
        unit="days",
        ge=1,
        le=3650,
    )
    keep_notifications_days: int = setting(
        365,
        "How long settled notifications are kept: who was told what, with names and places.",
        source=_PIPL + "ours: a year of proof that somebody was told",
        unit="days",
        ge=7,
        le=18250,
    )
    keep_desk_actions_days: int = setting(
        365,
        "How long the dispatchers' single actions are kept; the incident's log has them too.",
        source="ours: they make redelivered actions harmless, for which minutes are enough",
        unit="days",
        ge=1,
        le=18250,
    )
    keep_register_changes_days: int = setting(
        7,
        "How long the list of register changes is kept, from which processes catch up.",
        source="ours: longer than any process is down and comes back on its own memory",
        unit="days",
        ge=1,
        le=365,
    )
    keep_sessions_days: int = setting(
        1,
        "How long a log-in that ran out stays in the table.",
        source="ours: it lets nobody in; a day helps to understand a complaint",
        unit="days",
        ge=0,
        le=365,
    )
    keep_incidents_days: int = setting(
        1825,
        "How long resolved incidents are kept with their alarms and findings, and settled "
        "hand-overs and shifts that are over. 0: for ever. Unresolved ones are never removed.",
        source=_PIPL + "ours: five years; what a contract or a court asks may be longer",
        unit="days",
        ge=0,
        le=36500,
    )
    keep_audit_days: int = setting(
        1825,
        "How long the audit log is kept. 0: for ever.",
        source="ours: five years; never below six months (China's Cybersecurity Law, article 21)",
        unit="days",
        ge=0,
        le=36500,
    )
    aggregate_every_s: int = setting(
        600,
        "How often hourly and daily aggregates are brought up to date.",
        source="ours: at one message a minute ten rows become one change of a bucket",
        unit="s",
        ge=10,
        le=3600,
    )
    compress_after_days: int = setting(
        7,
        "After how many days TimescaleDB compresses observations (not on plain PostgreSQL).",
        source="ours: devices deliver up to two days late, and writing into compressed rows costs "
        "more",
        unit="days",
        ge=2,
        le=3650,
    )
    chunk_hours: int = setting(
        24,
        "How much time one chunk of TimescaleDB spans. On plain PostgreSQL a partition is a day.",
        source="TimescaleDB's rule: the chunk being written, with its indexes, fits into a quarter "
        "of the memory",
        unit="hours",
        ge=1,
        le=168,
    )
