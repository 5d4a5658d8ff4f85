"""From bytes to messages and back, at the border and nowhere else.

Telemetry must be well formed to count; alarms must not: whatever can still be read of a press is
read, the rest is named in `damage`, and only bytes that hold no JSON object at all are `Malformed`
(the hub keeps those in quarantine and, on the alarm lane, rings anyway). Unknown fields never
reject a message: a newer wristband must not be silenced by an older hub. They are counted.
A field that is null counts as absent.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

import msgspec

from schemas.alarms import AlarmMessage, Fall, Hazard, Motion, Position, Press
from schemas.commands import CheckIn, CommandMessage, Configure, Locate, Receipt
from schemas.fields import MAX_MESSAGE_ID_LENGTH, MAX_SEQUENCE
from schemas.json_object import (
    MAX_PAYLOAD_BYTES,
    Malformed,
    printable,
    read_damaged_object,
    read_object,
)
from schemas.telemetry import (
    MAX_SAMPLES,
    Activity,
    Bed,
    Location,
    Sample,
    Status,
    TelemetryMessage,
    Vitals,
)
from schemas.times import MILLISECONDS_FROM, read_time
from schemas.topics import Lane
from schemas.vocabulary import MEASURES

__all__ = [
    "ALARM_TYPES",
    "COMMAND_TYPES",
    "MAX_MESSAGE_ID_LENGTH",
    "MAX_PAYLOAD_BYTES",
    "MILLISECONDS_FROM",
    "TELEMETRY_TYPES",
    "Decoded",
    "Malformed",
    "Message",
    "decode_alarm",
    "decode_command",
    "decode_telemetry",
    "encode",
    "kind_of",
    "read_time",
]

Message = AlarmMessage | TelemetryMessage

ALARM_TYPES: dict[str, type[AlarmMessage]] = {
    "press": Press,
    "fall": Fall,
    "motion": Motion,
    "hazard": Hazard,
}
TELEMETRY_TYPES: dict[str, type[TelemetryMessage]] = {
    "vitals": Vitals,
    "bed": Bed,
    "activity": Activity,
    "location": Location,
    "status": Status,
}
COMMAND_TYPES: dict[str, type[CommandMessage]] = {
    "receipt": Receipt,
    "check_in": CheckIn,
    "locate": Locate,
    "configure": Configure,
}

M = TypeVar("M")


class Decoded(msgspec.Struct, Generic[M], frozen=True):
    """A message as read, and what had to be left out to read it."""

    message: M
    unknown_fields: int = 0
    damage: tuple[str, ...] = ()
    """One entry a field that could not be read, as `field: why`."""


_STRUCTS: tuple[type[Any], ...] = (
    *ALARM_TYPES.values(),
    *TELEMETRY_TYPES.values(),
    *COMMAND_TYPES.values(),
    Sample,
    Position,
)
_FIELD_TYPES: dict[type[Any], dict[str, Any]] = {
    struct: {field.name: field.type for field in msgspec.structs.fields(struct)}
    for struct in _STRUCTS
}
_FIELD_NAMES = {struct: frozenset(types) for struct, types in _FIELD_TYPES.items()}

_SAMPLE_MEASURES = frozenset(measure.key for measure in MEASURES if measure.numeric)

_WHEN_UNREADABLE = {"duress": True}
"""The cautious reading of a mark that is there but garbled: nobody marks duress by accident. (The
defaults are cautious already: an unreadable action is an emergency, an unreadable phase began.)"""

_UNREADABLE = (msgspec.ValidationError, UnicodeEncodeError)


def decode_alarm(kind: str, payload: bytes) -> Decoded[AlarmMessage]:
    """Read an alarm as far as it can be read.

    Raises `Malformed` if the payload holds no JSON object or the kind is unknown.

    >>> decode_alarm("press", b'{"action":"help","position":"broken"}').message.action.value
    'help'
    """
    message_type = ALARM_TYPES.get(kind)
    if message_type is None:
        raise Malformed(f"unknown alarm kind {kind[:32]!r}; known: {', '.join(ALARM_TYPES)}")
    damage: list[str] = []
    try:
        fields = read_object(payload)
    except Malformed as strict:
        fields = read_damaged_object(payload)
        damage.append(strict.reason)
    _repair(fields, damage)
    position = fields.get("position")
    unknown = _unknown(fields, message_type)
    if isinstance(position, dict):
        unknown += _unknown(position, Position)
        _repair_time(position, "fixed_at", damage, "position.")
    try:
        message = msgspec.convert(fields, message_type)
    except _UNREADABLE:
        message = message_type(**_readable(fields, message_type, damage))
    if isinstance(message, Motion):
        message = _even(message, damage)
    return Decoded(message, unknown, tuple(damage))


def decode_telemetry(kind: str, payload: bytes) -> Decoded[TelemetryMessage]:
    """Read a telemetry message.

    Raises `Malformed` if it is no JSON object, the kind is unknown, or a needed field is missing
    or wrong. Single samples that cannot be read are left out and named in `damage`.
    """
    message_type = TELEMETRY_TYPES.get(kind)
    if message_type is None:
        raise Malformed(
            f"unknown telemetry kind {kind[:32]!r}; known: {', '.join(TELEMETRY_TYPES)}"
        )
    fields = read_object(payload)
    damage: list[str] = []
    _repair(fields, damage)
    unknown = _unknown(fields, message_type)
    if message_type is Vitals:
        return _vitals(fields, unknown, damage)
    if message_type is Location:
        _repair_time(fields, "fixed_at", damage)
    try:
        return Decoded(_convert(fields, message_type), unknown, tuple(damage))
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None


def decode_command(kind: str, payload: bytes) -> CommandMessage:
    """Read a command, as a device does. Raises `Malformed`."""
    message_type = COMMAND_TYPES.get(kind)
    if message_type is None:
        raise Malformed(f"unknown command kind {kind[:32]!r}; known: {', '.join(COMMAND_TYPES)}")
    try:
        return _convert(read_object(payload), message_type)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None


def encode(message: Message | CommandMessage) -> bytes:
    """The message as compact JSON; fields that hold their default are left out."""
    return msgspec.json.encode(message)


def kind_of(message: Message | CommandMessage) -> tuple[Lane, str]:
    """The lane and kind under which a message travels."""
    return _KINDS[type(message)]


_KINDS: dict[type[Any], tuple[Lane, str]] = {
    **{t: (Lane.ALARM, kind) for kind, t in ALARM_TYPES.items()},
    **{t: (Lane.TELEMETRY, kind) for kind, t in TELEMETRY_TYPES.items()},
    **{t: (Lane.COMMAND, kind) for kind, t in COMMAND_TYPES.items()},
}


def _unknown(fields: dict[str, Any], struct: type[Any]) -> int:
    known = _FIELD_NAMES[struct]
    return 0 if fields.keys() <= known else len(fields.keys() - known)


def _convert(fields: dict[str, Any], message_type: type[M]) -> M:
    try:
        return msgspec.convert(fields, message_type)
    except msgspec.ValidationError:
        stated = {name: value for name, value in fields.items() if value is not None}
        return msgspec.convert(stated, message_type)


def _repair(fields: dict[str, Any], damage: list[str]) -> None:
    """Accept ids that are numbers and times that are numbers; drop what cannot be meant."""
    message_id = fields.get("message_id")
    if message_id is not None:
        fields["message_id"] = _read_message_id(message_id, damage)
    _repair_time(fields, "observed_at", damage)
    sequence = fields.get("sequence")
    if sequence is not None and not (type(sequence) is int and 0 <= sequence <= MAX_SEQUENCE):
        damage.append(f"sequence: a whole number from 0 to {MAX_SEQUENCE} is wanted")
        fields["sequence"] = None


def _read_message_id(value: object, damage: list[str]) -> str | None:
    if type(value) is int and abs(value) < 10 ** (MAX_MESSAGE_ID_LENGTH - 1):
        return str(value)
    if isinstance(value, str) and 1 <= len(value) <= MAX_MESSAGE_ID_LENGTH and value.isprintable():
        return value
    damage.append("message_id: a line of 1 to 128 characters or a whole number is wanted")
    return None


def _repair_time(fields: dict[str, Any], name: str, damage: list[str], path: str = "") -> None:
    if name in fields:
        try:
            fields[name] = read_time(fields[name])
        except ValueError as error:
            damage.append(f"{path}{name}: {error}")
            fields[name] = None


def _readable(
    fields: Mapping[str, Any], struct: type[Any], damage: list[str], path: str = ""
) -> dict[str, Any]:
    """Read field by field, generously, and leave out what cannot be read (alarm lane only)."""
    kept: dict[str, Any] = {}
    for name, field_type in _FIELD_TYPES[struct].items():
        value = fields.get(name)
        if value is None:
            continue
        try:
            kept[name] = msgspec.convert(value, field_type, strict=False)
        except _UNREADABLE as error:
            if name == "position" and isinstance(value, dict):
                kept[name] = _position(value, damage)
                continue
            damage.append(f"{path}{name}: {printable(str(error))}")
            if name in _WHEN_UNREADABLE:
                kept[name] = _WHEN_UNREADABLE[name]
    return kept


def _position(fields: Mapping[str, Any], damage: list[str]) -> Position | None:
    """A place needs both degrees and a datum we know: 348 m off is the wrong building."""
    before = len(damage)
    kept = _readable(fields, Position, damage, "position.")
    if any(note.startswith("position.datum:") for note in damage[before:]):
        return None
    if "latitude" not in kept or "longitude" not in kept:
        damage.append("position: latitude and longitude are wanted")
        return None
    return Position(**kept)


def _even(motion: Motion, damage: list[str]) -> Motion:
    shortest = min(len(motion.x_mg), len(motion.y_mg), len(motion.z_mg))
    if len(motion.x_mg) == len(motion.y_mg) == len(motion.z_mg):
        return motion
    damage.append(f"x_mg, y_mg, z_mg: lengths differ; cut to {shortest}")
    return msgspec.structs.replace(
        motion,
        x_mg=motion.x_mg[:shortest],
        y_mg=motion.y_mg[:shortest],
        z_mg=motion.z_mg[:shortest],
    )


def _vitals(fields: dict[str, Any], unknown: int, damage: list[str]) -> Decoded[TelemetryMessage]:
    raw = fields.get("samples")
    if not isinstance(raw, list) or not raw:
        raise Malformed("samples: a list with at least one sample is wanted")
    if len(raw) > MAX_SAMPLES:
        raise Malformed(f"samples: {len(raw)}; at most {MAX_SAMPLES} are allowed")
    samples: list[Sample] = []
    for index, item in enumerate(raw):
        try:
            sample = _sample(item)
        except ValueError as error:
            damage.append(f"samples[{index}]: {printable(str(error))}")
            continue
        unknown += _unknown(item, Sample)
        if sample.measure in _SAMPLE_MEASURES:
            samples.append(sample)
        else:
            unknown += 1
    if not samples and damage:
        raise Malformed(f"no sample can be read; {damage[-1]}")
    message = Vitals(
        samples, fields.get("message_id"), fields.get("observed_at"), fields.get("sequence")
    )
    return Decoded(message, unknown, tuple(damage))


def _sample(item: object) -> Sample:
    """Read one sample; one whose own time cannot be read must not borrow the message's."""
    if not isinstance(item, dict):
        raise ValueError(f"a JSON object is wanted, not {type(item).__name__}")
    fields = cast("dict[str, Any]", item)
    if "observed_at" in fields:
        fields["observed_at"] = read_time(fields["observed_at"])
    return _convert(fields, Sample)
