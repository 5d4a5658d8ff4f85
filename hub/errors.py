"""What can go wrong in the hub, as one tree.

The docstring of a class is the sentence a human reads; what is particular to the case follows it.
`retryable` says whose turn it is: true means the same call may succeed later without anybody
changing anything, false means a human has to act first.
"""

from inspect import cleandoc
from typing import ClassVar


class HubError(Exception):
    """The hub could not do what was asked."""

    retryable: ClassVar[bool] = False

    def __init__(self, *particulars: str) -> None:
        """Join the class's sentence and the particulars into the message."""
        sentence = cleandoc(type(self).__doc__ or type(self).__name__)
        super().__init__("\n  ".join((sentence, *particulars)))


class SettingsError(HubError):
    """The settings are wrong; nothing was started."""


class StartError(HubError):
    """The hub did not start."""


class AddressTakenError(StartError):
    """An address the hub should listen on is not free."""


class FolderInUseError(StartError):
    """Another `carebell up` already runs on this data folder."""


class FolderUnusableError(StartError):
    """The data folder cannot be used."""


class PartMissingError(StartError):
    """A program the hub brings along is not installed."""


class ServerNotReadyError(StartError):
    """A server the hub starts did not become ready."""


class MigrationError(StartError):
    """The database could not be brought to this release's schema; it was left as it was."""


class LeftoverProcessError(StartError):
    """A process of an earlier run could not be ended."""

    retryable = True
