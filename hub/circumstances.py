"""What detectors are told of people and homes: put together from the register and open incidents.

Belongs to the telemetry lane's thread. Register and board belong to another one, which replaces
their entries one by one; here they are only read, and what changed is taken up between two batches.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import timedelta, timezone, tzinfo

from alerts.alarm import Category
from alerts.incident import Incident
from alerts.people import PersonState
from hub.detect.detector import PersonContext, Scope, Whereabouts
from hub.device import Device
from hub.register import Register
from hub.register_care import Care, soonest_percent
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId

_WHEREABOUTS = {
    PersonState.AWAY: Whereabouts.AWAY,
    PersonState.HOSPITAL: Whereabouts.HOSPITAL,
}
_UNSET = Care(PersonId(""))


class Circumstances:
    """Contexts by person and home, made when they are first asked for and kept until they change.

    Implements `hub.detect.belonging.Surroundings`.
    """

    def __init__(
        self,
        register: Register,
        open_incidents: Callable[[], Iterable[Incident]],
        zone: tzinfo = timezone(timedelta(hours=8)),
    ) -> None:
        """`open_incidents` may be called from any thread; `zone` is that of homes that name
        none."""
        self._register = register
        self._open_incidents = open_incidents
        self._zone = zone
        self._news: deque[tuple[str, str]] = register.follow()
        self._people: dict[PersonId, PersonContext] = {}
        self._homes: dict[PremisesId, PersonContext] = {}
        self._attended: frozenset[str] = frozenset()
        """People and homes that somebody looks after just now."""

    def device(self, device_id: DeviceId) -> Device | None:
        """The device as it is registered now; None if it is another owner's."""
        device = self._register.devices.get(device_id)
        return device if device is not None and self._register.ours(device.area_id) else None

    def contexts(self, device: Device) -> tuple[PersonContext, PersonContext] | None:
        """Of the device's person and home; None where the service has ended for all of them."""
        residents = self._register.residents_of(device.premises_id)
        if device.person_id is not None:
            if not self._served(device.person_id):
                return None
        elif residents and not any(self._served(person_id) for person_id in residents):
            return None
        home = self._homes.get(device.premises_id)
        if home is None:
            home = self._homes[device.premises_id] = self._of_home(device.premises_id, residents)
        if device.person_id is None:
            return home, home
        person = self._people.get(device.person_id)
        if person is None:
            person = self._of_person(device.person_id, device.premises_id)
            self._people[device.person_id] = person
        return person, home

    def member(self, scope: Scope, key: str) -> Device | None:
        """The first of the devices in use by name; for a home or an area one that is no single
        person's, where there is any."""
        if scope is Scope.PERSON:
            found = self._register.devices_of(PersonId(key))
        elif scope is Scope.PREMISES:
            found = self._register.devices_in(PremisesId(key))
        else:
            area_id = AreaId(key)
            found = [d for d in self._register.devices.values() if d.area_id == area_id]
        served = (d for d in found if self.contexts(d) is not None)
        return min(served, key=lambda d: (d.person_id is not None, d.id), default=None)

    def refresh(self) -> set[DeviceId] | None:
        """Take up what changed since the last call: the devices it concerns; None: the register
        was read anew."""
        people: set[PersonId] = set()
        homes: set[PremisesId] = set()
        devices: set[DeviceId] = set()
        while self._news:
            noun, key = self._news.popleft()
            if noun == "everything":
                self._news.clear()
                self._people.clear()
                self._homes.clear()
                self._attended = self._attended_now()
                return None
            if noun in ("person", "person_care"):
                people.add(PersonId(key))
            elif noun in ("premises", "inactivity_line"):
                homes.add(PremisesId(key))
            elif noun == "device":
                devices.add(DeviceId(key))
                if device := self._register.devices.get(DeviceId(key)):
                    homes.add(device.premises_id)
        attended = self._attended_now()
        for key in attended ^ self._attended:
            people.add(PersonId(key))
            homes.add(PremisesId(key))
        self._attended = attended
        for person_id in people:
            self._people.pop(person_id, None)
            theirs = self._register.by_person.get(person_id, ())
            devices.update(theirs)
            homes.update(d.premises_id for i in theirs if (d := self._register.devices.get(i)))
        for premises_id in homes:
            self._homes.pop(premises_id, None)
            here = self._register.devices_in(premises_id)
            devices.update(device.id for device in here)
            for device in here:
                if device.person_id is not None:
                    self._people.pop(device.person_id, None)
        return devices

    def _attended_now(self) -> frozenset[str]:
        """Technical incidents do not count: a flat battery teaches nothing about a person."""
        return frozenset(
            incident.person_id or incident.premises_id or incident.subject.id
            for incident in self._open_incidents()
            if incident.category is not Category.TECHNICAL
        )

    def _served(self, person_id: PersonId) -> bool:
        person = self._register.people.get(person_id)
        return person is None or person.state.served

    def _of_person(self, person_id: PersonId, premises_id: PremisesId) -> PersonContext:
        person = self._register.people.get(person_id)
        care = self._register.care.get(person_id, _UNSET)
        return PersonContext(
            time_zone=self._register.zone_of(premises_id) or self._zone,
            whereabouts=_WHEREABOUTS.get(person.state, Whereabouts.HOME)
            if person
            else Whereabouts.HOME,
            limits=care.limits,
            oxygen_scale_2=care.oxygen_scale_2,
            on_oxygen=care.on_oxygen,
            incident_open=person_id in self._attended or premises_id in self._attended,
            inactivity_limit_percent=care.inactivity_limit_percent,
            fences=care.fences,
        )

    def _of_home(self, premises_id: PremisesId, residents: Iterable[PersonId]) -> PersonContext:
        """What holds for a home as such: nobody's limits, and nobody is at home only if all are
        away."""
        served = [person_id for person_id in residents if self._served(person_id)]
        where = {
            _WHEREABOUTS.get(person.state, Whereabouts.HOME)
            for person_id in served
            if (person := self._register.people.get(person_id))
        }
        if len(where) == 1:
            (whereabouts,) = where
        elif where and Whereabouts.HOME not in where:
            whereabouts = Whereabouts.AWAY
        else:
            whereabouts = Whereabouts.HOME
        return PersonContext(
            time_zone=self._register.zone_of(premises_id) or self._zone,
            whereabouts=whereabouts,
            incident_open=premises_id in self._attended
            or any(person_id in self._attended for person_id in served),
            inactivity_line_min=self._register.lines.get(premises_id, ()),
            inactivity_limit_percent=soonest_percent(
                self._register.care.get(person_id) for person_id in served
            ),
        )
