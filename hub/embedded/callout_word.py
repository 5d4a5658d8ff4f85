"""What the callout tells the other processes: `run/callout.json`."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hub.embedded.folder import HubFolder, write_private


class CalloutWord(msgspec.Struct, frozen=True):
    """Since it started."""

    ready: bool
    """Whether devices are admitted at all."""
    answers: dict[str, int]
    """By refusal, or admitted, or too_late."""


def write_callout_word(folder: HubFolder, answers: Mapping[str, int], *, ready: bool) -> None:
    """Replace the file; a full disk must not keep a device out."""
    with contextlib.suppress(OSError):
        write_private(_path(folder), msgspec.json.encode(CalloutWord(ready, dict(answers))))


def read_callout_word(folder: HubFolder) -> CalloutWord | None:
    """The latest; None if there is none."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(_path(folder).read_bytes(), type=CalloutWord)
    return None


def _path(folder: HubFolder) -> Path:
    return folder.run / "callout.json"
