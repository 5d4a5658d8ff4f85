"""What a family sees of an incident of their person: that it is, who is going, whether it is over.

Not how to get into the home, what is in the medical notes, or what the desk wrote down; where the
person is waits for their consent (promise 8). Pure.
"""

from collections.abc import Callable, Sequence

import msgspec

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


def for_family(view: View) -> View:
    """The incident without what only the desk needs."""
    shown = view | {"position": None, "note": None}
    if person := view.get("person"):
        shown["person"] = person | {"medical_notes": None}
    if premises := view.get("premises"):
        shown["premises"] = premises | {"access_notes": None}
    shown["alarms"] = [_alarm(alarm) for alarm in view.get("alarms", ())]
    return shown


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
        body["alarm"] = _alarm(body["alarm"])
    return b"%b%b%b\n\n" % (head, _DATA, msgspec.json.encode(body))


def _alarm(alarm: View) -> View:
    return alarm | {"text": "", "evidence": {}, "texts": {}}
