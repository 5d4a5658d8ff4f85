"""What a family sees of an incident of their person: that it is, who is going, whether it is over.

What the desk wrote down is never shown; how to get in, where the person is, what is in the medical
notes and what a body's alarm is about as far as the person agreed (promise 8, docs/adr/0025). Pure.
"""

from collections.abc import Callable, Sequence

import msgspec

from alerts.brief import ACTIVITY_KINDS, HEALTH_KINDS
from alerts.consent import Audience, DataType, Decision, allowed
from alerts.people import Account
from hub.view import View

Shown = Callable[[View], View]
"""How an incident is shown to somebody."""

_STEPS = frozenset(
    {
        "alarm", "escalate", "acknowledge", "take_over", "release", "going", "decline", "attend",
        "hand_off", "resolve", "reopen", "clear",
    }
)  # fmt: skip
"""Actions of the log that say how far the help is."""
_GOES = frozenset({"going", "arrived"})
_DATA = b"\ndata: "


def as_is(view: View) -> View:
    """For a desk."""
    return view


def told(account: Account, person_id: str | None) -> frozenset[DataType]:
    """What a family may be told of one of their people; of a home without person the usual."""
    return allowed(
        Audience.FAMILY,
        [
            Decision(Audience.FAMILY, DataType(data), said)
            for whom, data, said in account.decided
            if whom == person_id
        ],
    )


def shared_always(account: Account, person_id: str, data: DataType) -> bool:
    """Whether a kind of data is shared outside of incidents too: only where they decided it, for
    the defaults are about incidents."""
    return (person_id, data.value, True) in account.decided


def for_family(account: Account) -> Shown:
    """An incident of their people, as the person wants it shown."""

    def shown(view: View) -> View:
        person, premises = view.get("person"), view.get("premises")
        data = told(account, _whom(view))
        found = view | {"note": None}
        if DataType.LOCATION not in data or view.get("state") == "resolved":
            found["position"] = None
        if person and DataType.MEDICAL_NOTES not in data:
            found["person"] = person | {"medical_notes": None}
        if premises and DataType.ACCESS_NOTES not in data:
            found["premises"] = premises | {"access_notes": None}
        found["kind"] = kind_told(view.get("kind", ""), data)
        found["alarms"] = [_told(alarm, data) for alarm in view.get("alarms", ())]
        return found

    return shown


def _whom(view: View) -> str | None:
    """Whose decision counts; the subject's where the register knew no card."""
    subject = view.get("subject") or {}
    own = subject.get("id") if subject.get("kind") == "person" else None
    return (view.get("person") or {}).get("id") or own


def kind_told(kind: str, data: frozenset[DataType]) -> str:
    """What an alarm is about; what tells of a body or a day only with consent, else that somebody
    is needed.

    >>> kind_told("oxygen_saturation_low", frozenset())
    'needs_somebody'
    """
    hidden = (DataType.HEALTH not in data and kind.startswith(HEALTH_KINDS)) or (
        DataType.ACTIVITY not in data and kind.startswith(ACTIVITY_KINDS)
    )
    return "needs_somebody" if hidden else kind


def _told(alarm: View, data: frozenset[DataType]) -> View:
    kind = kind_told(alarm.get("kind", ""), data)
    return _alarm(alarm) | {"kind": kind}


def for_responder(recipients: frozenset[str]) -> Shown:
    """For whoever was asked to go there: who and where. How to get in and where exactly the person
    is only once they said that they are going; what is in the medical notes never."""

    def shown(view: View) -> View:
        goes = any(
            f"{each['kind']}:{each['id']}" in recipients and each["answer"] in _GOES
            for each in view.get("responders") or ()
        )
        found = view | {"note": None}
        if person := view.get("person"):
            found["person"] = person | {"medical_notes": None}
        if not goes:
            found["position"] = None
            if premises := view.get("premises"):
                found["premises"] = premises | {"access_notes": None}
        found["alarms"] = [_alarm(alarm) for alarm in view.get("alarms", ())]
        return found

    return shown


def steps_for_family(timeline: Sequence[View]) -> list[View]:
    """The log without reasons, details and who looked."""
    return [
        entry | {"reason": None, "detail": {}} for entry in timeline if entry["action"] in _STEPS
    ]


def frame_shown(frame: bytes, shown: Shown) -> bytes:
    """A server-sent event as somebody is shown it. Encoded anew only where that differs."""
    if shown is as_is:
        return frame
    head, _, data = frame.partition(_DATA)
    body = msgspec.json.decode(data)
    if isinstance(body.get("incident"), dict):
        body["incident"] = shown(body["incident"])
    if isinstance(body.get("alarm"), dict):
        # One of those the incident was just shown with, or none at all.
        alarms = (body.get("incident") or {}).get("alarms") or ()
        body["alarm"] = next((a for a in alarms if a["id"] == body["alarm"].get("id")), None)
    return b"%b%b%b\n\n" % (head, _DATA, msgspec.json.encode(body))


def _alarm(alarm: View) -> View:
    return alarm | {"text": "", "evidence": {}, "texts": {}}
