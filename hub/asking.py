"""Whether a question would reach the person, by what ingest has in memory."""

from alerts.alarm import Subject, SubjectKind
from hub.board import Board
from hub.device import Device
from hub.register import Register

SILENT_KIND = "device_silent"


def asking_devices(register: Register, board: Board, device: Device) -> list[Device]:
    """The devices that can ask: the one that spoke, and its person's others; none that is known
    to be silent."""
    others = register.devices_of(device.person_id)
    wanted = {one.id: one for one in (device, *others)}
    return [
        one
        for one in wanted.values()
        if one.shows_receipt and not one.revoked and not _silent(board, one)
    ]


def _silent(board: Board, device: Device) -> bool:
    incident = board.open_of(Subject(SubjectKind.DEVICE, device.id))
    return incident is not None and incident.kind == SILENT_KIND
