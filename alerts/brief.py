"""Everything a message may say, as of the moment it is sent. Pure values; loaded by `hub.store`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum

from alerts.alarm import Category, Priority
from alerts.consent import DataType
from alerts.incident import Outcome, State

HEALTH_KINDS = ("heart_", "respiratory_", "oxygen_", "systolic_", "diastolic_", "blood_", "body_",
                "pulse_", "vital_", "early_warning", "fall", "motion")  # fmt: skip
"""How kinds begin that tell something of a body; without consent they are a call for help."""
ACTIVITY_KINDS = ("inactivity", "bed_", "wandering", "not_worn")
"""... and of a day."""


class Purpose(StrEnum):
    """Why it is said; a notification's kind has the same words."""

    RING = "ring"
    REMINDER = "reminder"
    """Told before, and still nobody."""
    CHECK_IN = "check_in"
    """To the person: are you well?"""
    CALLING = "calling"
    """To the person: they did not answer, so somebody is being called."""
    COMING = "coming"
    """To whoever was told: who has it."""
    OVER = "over"
    NOTICE = "notice"
    """What is wrong before anybody presses: no dispatcher on duty, a provider that fails ..."""
    TEST = "test"
    """Nothing happened: does this way reach you?"""
    CONNECT = "connect"
    """To a dispatcher's phone: the home is being called."""


@dataclass(frozen=True, slots=True)
class Whom:
    """The person it is about."""

    name: str
    birth_year: int | None = None
    phone: str | None = None
    medical_notes: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """The home, and where the person was measured to be. A map's link is in that map's system."""

    address: str | None = None
    access_notes: str | None = None
    indoor: str | None = None
    """Which room or device, as it is called in the register."""
    phone: str | None = None
    """The home's number, or the SIM of the device that was pressed."""
    home_map: str | None = None
    fix_map: str | None = None
    """Of the newest fix; None: there is none, or it may not be told."""
    fixed_at: datetime | None = None
    """Hub-checked time of the fix; None: unknown."""
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """Somebody on their way."""

    name: str
    expected_at: datetime | None = None
    there: bool = False


@dataclass(frozen=True, slots=True)
class Brief:
    """One incident (or notice, or test) for one recipient; consent is applied by `permitted`."""

    purpose: Purpose
    now: datetime
    """When it is said: ages are counted from here."""
    service: str
    """Who speaks: the name of the service."""
    hotline: str
    zone: tzinfo | None = None
    """The home's; without it no clock time is said, a guess is eight hours wrong in China."""
    incident_id: str | None = None
    area_id: str | None = None
    kind: str = ""
    action: str | None = None
    """Of a press: emergency, help, cancel."""
    category: Category = Category.PERSONAL
    priority: Priority = Priority.HIGH
    state: State = State.RAISED
    opened_at: datetime | None = None
    drill: bool = False
    silent: bool = False
    """Duress: nothing at the home may show that help is on its way."""
    subject: str | None = None
    """What it is about where it is no person: a device, an area."""
    whom: Whom | None = None
    where: Where | None = None
    details: Mapping[str, str] | None = None
    """What the detector saw, one line for each language."""
    owner: str | None = None
    expected_at: datetime | None = None
    going: tuple[Going, ...] = ()
    outcome: Outcome | None = None
    link: str | None = None
    """Where this recipient answers, once."""
    reply: str | None = None
    """What an SMS answers with; None: this number cannot be answered."""
    presses: bool = True
    """Whether digits pressed in a call are heard."""
    notice: Mapping[str, str] | None = None
    """The text of a notice, for each language."""


def permitted(brief: Brief, told: frozenset[DataType]) -> Brief | None:
    """The brief without what may not be told (`alerts.consent.allowed`); None: nothing may."""
    if DataType.INCIDENTS not in told:
        return None
    whom, where = brief.whom, brief.where
    if whom is not None and DataType.MEDICAL_NOTES not in told:
        whom = replace(whom, medical_notes=None)
    if where is not None:
        if DataType.ACCESS_NOTES not in told:
            where = replace(where, access_notes=None)
        if DataType.LOCATION not in told:
            where = replace(where, fix_map=None, fixed_at=None, accuracy_m=None, indoor=None)
    kind, details = brief.kind, brief.details
    hidden = (DataType.HEALTH not in told and kind.startswith(HEALTH_KINDS)) or (
        DataType.ACTIVITY not in told and kind.startswith(ACTIVITY_KINDS)
    )
    if hidden:
        kind, details = "", None
    return replace(brief, whom=whom, where=where, kind=kind, details=details)


def anonymous(brief: Brief) -> Brief:
    """That somebody needs help, and nothing of whom: for the fallback contact of the area, which is
    told even where a person excludes it, because nobody else answered."""
    return replace(brief, whom=None, where=None, subject=None, kind="", action=None, details=None)
