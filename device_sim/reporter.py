"""Lets a device speak in its rhythm; what it says stands in `report` and the device's module."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from device_sim.agenda import Agenda
from device_sim.clock import Clock
from device_sim.fleet import FleetDevice
from device_sim.hardware import Hardware
from device_sim.household import Household
from device_sim.report import Moment, Report
from device_sim.reports import REPORTS
from device_sim.seeded import fraction
from schemas.telemetry import TelemetryMessage

SHORTEST_LOOK_S = 0.05
"""Ours: a change that is due now is looked at after it has happened."""


class Send(Protocol):
    """Where a message goes."""

    def __call__(self, message: TelemetryMessage, *, first: bool = False) -> None: ...


class Reporter:
    """The reports of one device. What cannot be sent is the matter of `send`."""

    __slots__ = (
        "_agenda", "_clock", "_hardware", "_household", "_identity", "_is_on", "_reports", "_send",
        "_sent_at_s", "_turn", "_watched",
    )  # fmt: skip

    def __init__(
        self,
        identity: FleetDevice,
        household: Household,
        hardware: Hardware,
        clock: Clock,
        agenda: Agenda,
        send: Send,
        is_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._identity, self._household, self._hardware = identity, household, hardware
        self._clock, self._agenda, self._send, self._is_on = clock, agenda, send, is_on
        self._reports = REPORTS[identity.kind]
        self._sent_at_s: dict[str, float] = {}
        self._watched: dict[str, object] = {}
        self._turn = 0

    def start(self) -> None:
        """Begin to report; the devices of a fleet are spread evenly over each rhythm."""
        now_s = self._clock.monotonic_s()
        for report in self._reports:
            phase_s = report.every_s * fraction(self._identity.id, report.name, "phase")
            self._sent_at_s[report.name] = now_s + phase_s - report.every_s
            self._changed(report)
            self._agenda.add(self._next_look_s(report, now_s), partial(self._look, report))

    def say_alive(self, *, first: bool = False) -> None:
        """Send the heartbeat now; `first`: the device has just connected, its last will no longer
        holds, and what is stored can wait."""
        self._report(next(r for r in self._reports if r.name == "status"), first=first)

    def say_next(self) -> None:
        """Send one report out of turn, each kind after the other: load at a given rate."""
        for _ in self._reports:
            report = self._reports[self._turn % len(self._reports)]
            self._turn += 1
            if self._report(report):
                return

    def report_changes(self) -> None:
        """Look now at everything that is watched: something happened to the person."""
        for report in self._reports:
            if self._changed(report):
                self._report(report)

    def _every_s(self, report: Report) -> float:
        asked_s = self._hardware.rhythm_s.get(report.name, report.every_s)
        return asked_s * self._hardware.pause_factor(report.name)

    def _look(self, report: Report) -> None:
        now_s = self._clock.monotonic_s()
        if self._is_on():
            due_s = self._sent_at_s[report.name] + self._every_s(report)
            if self._changed(report) or now_s >= due_s:
                self._report(report)
        elif now_s >= self._sent_at_s[report.name] + report.every_s:
            self._sent_at_s[report.name] = now_s  # dark: the rhythm goes on unheard
        self._agenda.add(self._next_look_s(report, now_s), partial(self._look, report))

    def _next_look_s(self, report: Report, now_s: float) -> float:
        next_s = self._sent_at_s[report.name] + self._every_s(report)
        if report.change is None:
            return next_s
        changes_in_s = self._household.changes_in_s()
        if changes_in_s is None:
            return next_s
        return min(next_s, now_s + changes_in_s + SHORTEST_LOOK_S)

    def _changed(self, report: Report) -> bool:
        if report.change is None:
            return False
        seen = report.change(self._household.resident())
        changed = self._watched.setdefault(report.name, seen) != seen
        self._watched[report.name] = seen
        return changed

    def _report(self, report: Report, *, first: bool = False) -> bool:
        now_s = self._clock.monotonic_s()
        since_s = now_s - self._sent_at_s.get(report.name, now_s - report.every_s)
        self._sent_at_s[report.name] = now_s
        hardware = self._hardware
        moment = Moment(
            self._identity.id,
            self._household.resident,
            hardware.time(),
            min(report.every_s, max(0.0, since_s)),
            hardware.battery_percent(),
            hardware.worn,
            hardware.locate,
        )
        message = report.make(moment)
        if message is not None:
            self._send(message, first=first)
        return message is not None
