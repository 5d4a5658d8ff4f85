"""Keeps register and board current with the database, and the snapshot current with both."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from alerts.incident import Incident
from hub.board import KNOWN_ALARMS, Board
from hub.clock import SystemClock
from hub.database import TRANSIENT, Connection, Session
from hub.pace import in_slices
from hub.register import KEYS, TABLES, Register
from hub.snapshot import Snapshot
from hub.store.observations import ensure_partitions
from hub.store.openings import Opening, changed, newest_alarms, opening
from hub.store.register import changes, every_column, every_row, forget_old, horizon
from hub.store.upkeep import trim_quarantine
from hub.view import ALARMS_SHOWN, View
from schemas.ids import AlarmId

LOOK_EVERY_S = 1.0
"""A new device may press within a second of being provisioned."""
DATABASE_SILENT_AFTER_S = 2.0
"""Ours: after this the hub starts from its snapshot; a healthy server answers in milliseconds."""
SAVED_WITHIN_S = 15.0
"""After loading, however busy ingest is: till then the snapshot is that of the process before, but
for the devices that the door would judge otherwise."""
UPKEEP_EVERY_S = 600.0
SHARE = 0.05
"""Of the time, for what is open in the snapshot: written every second as a rule, and every half
minute where ten thousand incidents take more than a second."""
KNOWN_IN_SNAPSHOT = 2_000
"""Presses remembered over a restart without the database; older ones the commit tells apart."""

_IN_REGISTER = ("device", "person", "premises")

_log = structlog.get_logger(__name__)


class RegisterWatch:
    """Reads changes once a second; everything stays as it was while the database is silent."""

    def __init__(
        self,
        register: Register,
        board: Board,
        snapshot: Snapshot,
        clock: SystemClock,
        session: Session,
        view: Callable[[Incident], View],
        *,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`busy` says that the snapshot of a whole city, half a second's work, should wait."""
        self._register = register
        self._board = board
        self._snapshot = snapshot
        self._clock = clock
        self._session = session
        self._view = view
        self._busy = busy
        self._register_horizon = ""
        self._incident_horizon = ""
        self._upkeep_at_s = 0.0
        self._written: tuple[object, ...] = ()
        self._saved_at_s = 0.0
        self._saving_took_s = 0.0
        self._save_due = False
        """What was loaded is not in the snapshot yet."""
        self._door_told = False
        """Whom the door would judge otherwise now is in the snapshot's changes."""
        self._loaded_at_s = 0.0
        self.loaded = False
        """False while all we know is the snapshot."""
        self.seen_at_s: float | None = None
        """When the database answered last (monotonic)."""

    async def start(self) -> None:
        """From the database; from the snapshot if it does not answer in time."""
        try:
            await self._session.run(_alive, DATABASE_SILENT_AFTER_S)
            await self._load()
        except TRANSIENT as error:
            _log.warning("database_silent_at_start", error=type(error).__name__)
            await self._load_snapshot()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self._save_loaded()
            except OSError as error:
                # A full disk must not end the lane that rings.
                _log.error("snapshot_failed", error=str(error))
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                if not self.loaded:
                    await self._load()
                await self._session.run(self._look)
                self.seen_at_s = self._clock.monotonic_s()
                if self.seen_at_s >= self._upkeep_at_s:
                    self._upkeep_at_s = self.seen_at_s + UPKEEP_EVERY_S
                    await self._session.run(self._upkeep)
            except TRANSIENT as error:
                _log.warning("register_look_failed", error=type(error).__name__)
            try:
                await self._save_incidents()
            except OSError as error:
                _log.error("snapshot_failed", error=str(error))

    async def _save_loaded(self) -> None:
        """What was loaded goes into the snapshot: at once what the door must know (a device that
        was revoked while we were away), the whole of a city when there is time for it."""
        if not self._save_due:
            return
        busy = self._busy() and self._clock.monotonic_s() - self._loaded_at_s < SAVED_WITHIN_S
        if busy and not self._door_told:
            self._door_told = await asyncio.to_thread(self._snapshot.tell_door, self._register)
        if busy and self._door_told:
            return
        await self._save_register(desk=True, devices=True)
        self._save_due = False

    async def _load(self) -> None:
        fresh = Register()

        async def work(connection: Connection) -> Opening:
            self._register_horizon = await horizon(connection)
            async for noun, columns in every_column(connection):
                fresh.fill(noun, columns)
            async for noun, row in every_row(connection):
                fresh.put(noun, row)
            return await opening(connection, KNOWN_ALARMS, ALARMS_SHOWN)

        found = await self._session.run(work, 300.0)
        for name in TABLES:
            # In place: both lanes hold the register. Entries first, then what is gone.
            mine, theirs = getattr(self._register, name), getattr(fresh, name)
            mine.update(theirs)
            if len(mine) > len(theirs):
                for key in [key for key in mine if key not in theirs]:
                    del mine[key]
        self._register.note("everything")
        self._open(found)
        self.loaded = True
        self.seen_at_s = self._loaded_at_s = self._clock.monotonic_s()
        _log.info("register_loaded", devices=len(self._register.devices),
                  open_incidents=len(found.incidents))  # fmt: skip
        # Later: in a city it takes seconds, and the lanes wait for us to return.
        self._save_due, self._door_told = True, False

    def _open(self, found: Opening) -> None:
        self._incident_horizon = found.horizon
        self._board.refresh(found.incidents)
        for incident_id, alarms in found.alarms.items():
            for alarm in alarms:
                self._board.show(incident_id, alarm)
        for alarm_id, known_id in reversed(found.known):
            self._board.remember(alarm_id, known_id)
        for derived_id, number, last_at in reversed(found.occurrences):
            self._board.occurrences.setdefault(derived_id, (number, last_at))

    async def _load_snapshot(self) -> None:
        register = await asyncio.to_thread(self._snapshot.read_register)
        if register is None:
            _log.error("no_snapshot", effect="devices are unknown until the database answers")
            return
        for name in TABLES:
            getattr(self._register, name).update(getattr(register, name))
        self._register.note("everything")
        content = self._snapshot.read("incidents.json")
        self._board.refresh(msgspec.convert(row, Incident) for row in content.get("open", ()))
        for alarm_id, known_id in content.get("known_alarms", ()):
            self._board.remember(AlarmId(alarm_id), known_id)
        _log.warning("started_from_snapshot", devices=len(self._register.devices))

    async def _look(self, connection: Connection) -> None:
        next_horizon = await horizon(connection)
        found = await changes(connection, self._register_horizon, dict(KEYS))
        desk = devices = False
        for noun, key, row in found:
            desk = desk or noun in ("area", "account", "desk_session")
            devices = devices or noun in _IN_REGISTER
            if row is None:
                self._register.drop(noun, key)
            else:
                self._register.put(noun, row)
        if devices:
            rows = [each for each in found if each[0] in _IN_REGISTER]
            devices = not await asyncio.to_thread(self._snapshot.add_to_register, rows)
        if desk or devices:
            await self._save_register(desk=desk, devices=devices)
        # Only now: what could not be written is looked at again.
        self._register_horizon = next_horizon
        incidents, self._incident_horizon = await changed(connection, self._incident_horizon)
        news = self._board.refresh(incidents)
        unseen = [i.id for i in news if i.id not in self._board.alarms]
        for incident_id, alarms in (await newest_alarms(connection, unseen, ALARMS_SHOWN)).items():
            for alarm in alarms:
                self._board.show(incident_id, alarm)

    async def _upkeep(self, connection: Connection) -> None:
        await ensure_partitions(connection, self._clock.now().date())
        await trim_quarantine(connection)
        await forget_old(connection)

    async def _save_register(self, *, desk: bool, devices: bool) -> None:
        now = self._clock.now()
        if devices:
            await asyncio.to_thread(self._snapshot.write_register, self._register, now)
        if desk:
            await asyncio.to_thread(self._snapshot.write_desk, self._register, now)

    async def _save_incidents(self) -> None:
        board = self._board
        recorded = [i for i in board.open.values() if i.id not in board.provisional]
        newest = next(reversed(board.known), None)
        mark: tuple[object, ...] = (newest, *((i.id, i.revision) for i in recorded))
        began_s = self._clock.monotonic_s()
        if mark == self._written or 0 <= began_s - self._saved_at_s < self._saving_took_s / SHARE:
            return
        views = [_raw(self._view(incident)) async for incident in in_slices(recorded)]
        rows = [_raw(incident) async for incident in in_slices(recorded)]
        known = list(board.known.items())[-KNOWN_IN_SNAPSHOT:]
        await asyncio.to_thread(
            self._snapshot.write_incidents, views, rows, known, self._clock.now()
        )
        self._written = mark
        self._saved_at_s = self._clock.monotonic_s()
        self._saving_took_s = self._saved_at_s - began_s


async def _alive(connection: Connection) -> None:
    await connection.execute("SELECT 1")


def _raw(shown: object) -> msgspec.Raw:
    """Bytes at once: ten thousand incidents as Python values would be a hundred megabytes."""
    return msgspec.Raw(msgspec.json.encode(shown))
