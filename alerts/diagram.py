"""`python -m alerts.diagram [--check]`: draw the life of an incident from its table.

The page is generated so that it cannot say anything else than the code does.
"""

import argparse
import sys
from pathlib import Path

from alerts.incident import TRANSITIONS, Event, State

PAGE = Path(__file__).resolve().parent.parent / "docs" / "incident-states.md"

_HEAD = """\
# The life of an incident

Written by `python -m alerts.diagram` from `TRANSITIONS` in `alerts/incident.py`; do not edit.
What is not in the table cannot happen: the event is refused and nothing changes.
"""

_WHO = {
    Event.ALARM: "a further alarm of the same subject",
    Event.SIGN: "a further finding that would ask first as well",
    Event.NO_ANSWER: "the ladder: the person did not answer in time",
    Event.WITHDRAW: "the person while being asked, or the detector that asked",
    Event.ACKNOWLEDGE: "a dispatcher takes responsibility, or a responder goes there and the policy"
    " counts that",
    Event.TAKE: "another dispatcher takes it over, or the first one joins a responder",
    Event.RELEASE: "its owner gives it back, or the only responder declines",
    Event.ESCALATE: "a dispatcher wants the next rung now",
    Event.ATTEND: "a dispatcher or a responder: somebody is with the person",
    Event.RESOLVE: "a dispatcher, with an outcome",
    Event.LAPSE: "the ladder: no progress in time",
    Event.CLEAR: "the condition itself; technical incidents only",
    Event.REOPEN: "a dispatcher",
}


def page() -> str:
    """The whole page: a Mermaid state diagram and the same rows as a table."""
    rows = [(before, event, after) for (before, event), after in TRANSITIONS.items()]
    lines = [_HEAD, "```mermaid", "stateDiagram-v2"]
    lines += (f"    [*] --> {state}" for state in (State.CHECKING, State.RAISED))
    lines += (f"    {before} --> {after}: {event}" for before, event, after in rows)
    lines += [f"    {State.RESOLVED} --> [*]", "```", "", "| from | event | to | by |"]
    lines += ["|---|---|---|---|"]
    lines += (f"| {before} | {event} | {after} | {_WHO[event]} |" for before, event, after in rows)
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or with --check say whether it is stale. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m alerts.diagram", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if it is stale")
    if parser.parse_args(arguments).check:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page():
            return 0
        sys.stdout.write(f"stale: docs/{PAGE.name} (run `python -m alerts.diagram`)\n")
        return 1
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
