"""Puts `alerts.outage` between what the detectors found and what is recorded of it.

Belongs to the telemetry lane's thread. It holds nothing that must survive: which devices are
silent is in the states of the silence detector, which areas are is in the database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from alerts.alarm import Category, Priority, Subject, SubjectKind
from alerts.outage import (
    LEAST_DEVICES,
    STRAGGLERS_WAIT_S,
    WINDOW_S,
    Fallen,
    Standing,
    chain_of,
    fallen,
    is_over,
)
from hub.detect.detector import Finding, Phase
from hub.detect.silence import SilenceDetector, SilenceState, silent
from hub.device import Device
from hub.findings import finding_id, item_of
from hub.register import Register
from hub.store.items import AlarmItem, ClearItem, Item
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind

KIND = "area_silent"
DETECTOR = "outage"
LOOK_EVERY_S = 1.0
"""Not at every batch: a look goes through everything that is silent."""
SHARE_TO_LOOK = 200
"""One noticed device in so many of its area makes a look at all of them worth while: a city of
100,000 devices loses a few every minute."""
LISTED = 200
"""Devices named in the incident's evidence; the whole list is a query (docs/contract.md)."""
HUB_DEVICE, NO_HOME = DeviceId("hub"), PremisesId("none")
"""Stand in for what an area does not have."""


@dataclass(slots=True)
class Outage:
    """An area that is silent, and which of its devices still are."""

    id: str
    area_id: AreaId
    began_at: datetime
    devices: dict[DeviceId, int]
    """When each was heard last, seconds since 1970."""
    most: int
    few_since_s: float | None = None
    """Since when so few are left that the area counts as back."""


@dataclass(slots=True)
class OutageChanges:
    """What a batch changes, for the database."""

    at: datetime
    opened: list[Outage] = field(default_factory=list)
    silent: dict[str, dict[DeviceId, int]] = field(default_factory=dict)
    """Devices that joined an outage, by its id, with when they were heard last."""
    back: dict[str, list[DeviceId]] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.opened or self.silent or self.back or self.cleared)


class OutageWatch:
    """Folds the silences of one lane. Every other finding passes as it is."""

    def __init__(
        self,
        register: Register,
        silences: Callable[[], Mapping[str, SilenceState]],
        listening_since: Callable[[], datetime],
    ) -> None:
        """`silences` are the committed states of the silence detector by device."""
        self._register = register
        self._silences = silences
        self._listening_since = listening_since
        self._outages: dict[AreaId, Outage] = {}
        self._noticed: dict[DeviceId, int] = {}
        """Silences of the last minutes that no outage explains yet, with when they were noticed."""
        self._known: dict[str, int] = {}
        """Devices that ever spoke, by area, as of the last look."""
        self._looked_s = 0.0
        self._parents: dict[str, str | None] = {}

    def restore(self, outages: Sequence[Outage], now: datetime) -> None:
        """After a restart: the open outages, and what was noticed shortly before."""
        states = self._silences()
        # Another owner's areas are none of ours (static split).
        mine = (outage for outage in outages if any(i in states for i in outage.devices))
        self._outages = {outage.area_id: outage for outage in mine}
        since_s = now.timestamp() - WINDOW_S
        self._noticed = {
            DeviceId(device_id): state.noticed_s
            for device_id, state in states.items()
            if state.noticed_s > since_s
        }

    def fold(
        self, found: Sequence[tuple[Device, Finding]], now: datetime
    ) -> tuple[list[Item], OutageChanges]:
        """What is recorded of a batch's findings, and what changes in the areas."""
        changes = OutageChanges(at=now)
        if found or self._outages or self._noticed:
            self._read_tree()
        rest: list[tuple[Device, Finding]] = []
        silences: list[tuple[Device, Finding]] = []
        for device, finding in found:
            if finding.detector != SilenceDetector.name:
                rest.append((device, finding))
            elif finding.phase is Phase.CANDIDATE:
                self._noticed[device.id] = int(now.timestamp())
            else:
                silences.append((device, finding))
        items: list[Item] = []
        if not 0 <= now.timestamp() - self._looked_s < LOOK_EVERY_S:  # a clock set back looks too
            self._looked_s = now.timestamp()
            items = [*self._look(now, changes), *self._returned(now, changes)]
        singles = (each for each in silences if not self._is_part(*each, changes))
        items += (item_of(device, finding) for device, finding in (*singles, *rest))
        return items, changes

    def _is_part(self, device: Device, finding: Finding, changes: OutageChanges) -> bool:
        """Whether a silence, or its end, is its area's and not one of its own. One that was told
        before its area fell silent stays its own."""
        outage = self._outage_over(device)
        if outage is None:
            return False
        if device.id in outage.devices:
            return True
        if finding.phase is not Phase.CONFIRMED:
            return False
        outage.devices[device.id] = int(finding.key)
        outage.most = max(outage.most, len(outage.devices))
        changes.silent.setdefault(outage.id, {})[device.id] = int(finding.key)
        return True

    def _look(self, now: datetime, changes: OutageChanges) -> Iterator[Item]:
        """Whether areas are silent, if enough was noticed to ask."""
        now_s = now.timestamp()
        if not self._worth_a_look(now_s):
            return
        standings = list(self._standings())
        self._known = {}
        for one in standings:
            for area_id in chain_of(one.area_id, self._parents):
                self._known[area_id] = self._known.get(area_id, 0) + 1
        for area in fallen(standings, self._parents, now_s):
            if not any(AreaId(i) in self._outages for i in chain_of(area.area_id, self._parents)):
                yield from self._open(area, now, changes)

    def _worth_a_look(self, now_s: float) -> bool:
        self._noticed = {i: at for i, at in self._noticed.items() if now_s - at <= WINDOW_S}
        if len(self._noticed) < LEAST_DEVICES:
            return False
        by_area: dict[str, int] = {}
        for device_id in self._noticed:
            device = self._register.devices.get(device_id)
            if device is not None and self._outage_over(device) is None:
                for area_id in chain_of(device.area_id, self._parents):
                    by_area[area_id] = by_area.get(area_id, 0) + 1
        return any(
            count >= max(LEAST_DEVICES, self._known.get(area_id, 0) / SHARE_TO_LOOK)
            for area_id, count in by_area.items()
        )

    def _standings(self) -> Iterator[Standing]:
        listening_s = self._listening_since().timestamp()
        for device_id, state in self._silences().items():
            device = self._register.devices.get(DeviceId(device_id))
            if device is None or device.revoked:
                continue
            noticed_s = self._noticed.get(device.id, state.noticed_s)
            yield Standing(
                device.id,
                device.area_id,
                device.premises_id,
                DEVICE_CLASSES[device.kind].heartbeat_s,
                max(state.heard_s, listening_s),
                noticed_s,
            )

    def _open(self, area: Fallen, now: datetime, changes: OutageChanges) -> Iterator[Item]:
        """One incident for the area; those of its parts end with it."""
        area_id = AreaId(area.area_id)
        members = self._noticed_in(area_id)
        parts = [o for o in self._outages.values() if area_id in self._chain(o.area_id)]
        for part in parts:
            members |= part.devices
        began_at = datetime.fromtimestamp(min(members.values()), UTC)
        finding = _finding(area, sorted(members), began_at, now)
        outage = Outage(finding_id(finding), area_id, began_at, members, max(area.silent, 1))
        yield _item(finding, area_id)
        for part in parts:
            yield _end(part, now, f"part of the silence of {area_id}")
            changes.cleared.append(part.id)
            del self._outages[part.area_id]
        self._outages[area_id] = outage
        changes.opened.append(outage)
        changes.silent[outage.id] = dict(members)
        for device_id in members:
            self._noticed.pop(device_id, None)

    def _returned(self, now: datetime, changes: OutageChanges) -> Iterator[Item]:
        """Devices that were heard again shorten the list; the last of them end it."""
        for outage in list(self._outages.values()):
            back = [i for i, heard_s in outage.devices.items() if self._is_back(i, heard_s)]
            for device_id in back:
                del outage.devices[device_id]
            if back:
                changes.back.setdefault(outage.id, []).extend(back)
            if not is_over(len(outage.devices), outage.most):
                outage.few_since_s = None
                continue
            if outage.few_since_s is None:
                outage.few_since_s = now.timestamp()
            if outage.devices and now.timestamp() - outage.few_since_s < STRAGGLERS_WAIT_S:
                continue
            if now.timestamp() - outage.began_at.timestamp() < WINDOW_S and not back:
                continue  # it has only begun: the rest is still being noticed
            yield from self._close(outage, now, changes)

    def _close(self, outage: Outage, now: datetime, changes: OutageChanges) -> Iterator[Item]:
        yield _end(outage, now, f"{outage.area_id} is heard again")
        changes.cleared.append(outage.id)
        del self._outages[outage.area_id]
        for device_id in outage.devices:
            device, state = self._register.devices.get(device_id), self._silences().get(device_id)
            if device is not None and state is not None and state.reported:
                yield item_of(device, silent(state, now, device, Phase.CONFIRMED))

    def _is_back(self, device_id: DeviceId, heard_s: int) -> bool:
        device, state = self._register.devices.get(device_id), self._silences().get(device_id)
        return device is None or device.revoked or state is None or state.heard_s > heard_s

    def _noticed_in(self, area_id: AreaId) -> dict[DeviceId, int]:
        states = self._silences()
        return {
            device_id: state.heard_s
            for device_id in self._noticed
            if (device := self._register.devices.get(device_id)) is not None
            and area_id in self._chain(device.area_id)
            and (state := states.get(device_id)) is not None
            and not state.reported
        }

    def _outage_over(self, device: Device) -> Outage | None:
        if not self._outages:
            return None
        found = (self._outages.get(AreaId(i)) for i in self._chain(device.area_id))
        return next((outage for outage in found if outage is not None), None)

    def _chain(self, area_id: str) -> list[str]:
        return chain_of(area_id, self._parents)

    def _read_tree(self) -> None:
        """The tree of areas as of this batch."""
        rows = list(self._register.areas.values())
        self._parents = {row["area_id"]: row["parent_id"] for row in rows}


def _finding(area: Fallen, devices: Sequence[str], began_at: datetime, now: datetime) -> Finding:
    return Finding(
        detector=DETECTOR,
        kind=KIND,
        phase=Phase.CONFIRMED,
        category=Category.TECHNICAL,
        priority=Priority.HIGH,
        subject=Subject(SubjectKind.AREA, area.area_id),
        key=str(int(began_at.timestamp())),
        at=now,
        text=f"{area.silent} of {area.known} devices are silent since "
        f"{began_at.isoformat(timespec='minutes')}: nobody there can call",
        evidence={
            "silent": area.silent,
            "known": area.known,
            "since": began_at.isoformat(),
            "devices": list(devices[:LISTED]),
        },
    )


def _item(finding: Finding, area_id: AreaId) -> Item:
    """Of the area and nobody's device: no home's card is shown with it."""
    item = item_of(Device(HUB_DEVICE, DeviceKind.GATEWAY, area_id, NO_HOME), finding)
    if isinstance(item, AlarmItem | ClearItem) and item.found is not None:
        alarm = replace(item.alarm, premises_id=None)
        return replace(item, alarm=alarm, found=replace(item.found, premises_id=None))
    return item


def _end(outage: Outage, now: datetime, text: str) -> Item:
    area = Fallen(outage.area_id, len(outage.devices), outage.most)
    finding = _finding(area, sorted(outage.devices), outage.began_at, now)
    return _item(replace(finding, phase=Phase.WITHDRAWN, text=text), outage.area_id)
