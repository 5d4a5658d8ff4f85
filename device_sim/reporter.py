"""Lets a device speak in its rhythm; what it says stands in `report` and the device's module."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from device_sim.agenda import Agenda
from device_sim.clock import Clock
from device_sim.fleet import FleetDevice
from device_sim.household import Household
from device_sim.report import Moment, Report
from device_sim.reports import REPORTS
from device_sim.seeded import fraction
from schemas.telemetry import TelemetryMessage


class Reporter:
    """The reports of one device. What cannot be sent is counted by `send` and not kept."""

    def __init__(
        self,
        identity: FleetDevice,
        household: Household,
        clock: Clock,
        agenda: Agenda,
        send: Callable[[TelemetryMessage], None],
    ) -> None:
        self._identity, self._household = identity, household
        self._clock, self._agenda, self._send = clock, agenda, send
        self._reports = REPORTS[identity.kind]
        self._sent_at_s: dict[str, float] = {}
        self._watched: dict[str, object] = {}

    def start(self) -> None:
        """Begin to report; the devices of a fleet are spread evenly over each rhythm."""
        now_s = self._clock.monotonic_s()
        for report in self._reports:
            phase_s = report.every_s * fraction(self._identity.id, report.name, "phase")
            self._sent_at_s[report.name] = now_s + phase_s - report.every_s
            self._changed(report)
            self._agenda.add(self._next_look_s(report, now_s), partial(self._look, report))

    def say_alive(self) -> None:
        """Send the heartbeat now: the device has just connected, its last will no longer holds."""
        self._report(next(report for report in self._reports if report.name == "status"))

    def report_changes(self) -> None:
        """Look now at everything that is watched: something happened to the person."""
        for report in self._reports:
            if self._changed(report):
                self._report(report)

    def _look(self, report: Report) -> None:
        now_s = self._clock.monotonic_s()
        if self._changed(report) or now_s >= self._sent_at_s[report.name] + report.every_s:
            self._report(report)
        self._agenda.add(self._next_look_s(report, now_s), partial(self._look, report))

    def _next_look_s(self, report: Report, now_s: float) -> float:
        next_s = self._sent_at_s[report.name] + report.every_s
        return next_s if report.change is None else min(next_s, now_s + report.watch_s)

    def _changed(self, report: Report) -> bool:
        if report.change is None:
            return False
        seen = report.change(self._household.resident())
        changed = self._watched.setdefault(report.name, seen) != seen
        self._watched[report.name] = seen
        return changed

    def _report(self, report: Report) -> None:
        now_s = self._clock.monotonic_s()
        since_s = now_s - self._sent_at_s.get(report.name, now_s - report.every_s)
        self._sent_at_s[report.name] = now_s
        moment = Moment(
            self._identity.id,
            self._household.resident(),
            device_time(self._clock),
            min(report.every_s, max(0.0, since_s)),
        )
        message = report.make(moment)
        if message is not None:
            self._send(message)


def device_time(clock: Clock) -> datetime:
    """The time as a device tells it: it counts milliseconds."""
    now = clock.now()
    return now - timedelta(microseconds=now.microsecond % 1000)
