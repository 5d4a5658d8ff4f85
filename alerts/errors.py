"""What can go wrong between an alarm and a human; the docstring is the message."""


class AlertsError(Exception):
    """Something in the alerting path was refused."""

    retryable = False

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or type(self).__doc__ or "")


class IllegalTransition(AlertsError):
    """This cannot be done to an incident in this state."""


class AlreadyOwned(AlertsError):
    """Another dispatcher has taken responsibility for this incident."""


class OutcomeMissing(AlertsError):
    """An incident is resolved with an outcome; none or an unknown one was given."""


class NotTheirs(AlertsError):
    """This is for whoever has the incident, or for a dispatcher."""


class Incomplete(AlertsError):
    """The action lacks what it is about."""


class PolicyError(AlertsError):
    """A ladder must have steps, waits above zero and a last step that names somebody."""


class SendFailed(AlertsError):
    """The channel could not hand the notification over; it is tried again."""

    retryable = True


class SendRefused(AlertsError):
    """The channel's provider will never take this notification; the next channel is due."""


class RateLimited(AlertsError):
    """The provider takes no more for now; it waits that long, and no attempt is used up."""

    retryable = True

    def __init__(self, retry_after_s: float, detail: str = "") -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class LookUpFailed(AlertsError):
    """Who it is for, or what it says, cannot be read just now; it is tried again at once."""

    retryable = True
