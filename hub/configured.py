"""Which channels something is set for; nothing is opened and no provider's library is loaded."""

from alerts.policy import ChannelName
from hub.settings import Settings


def configured(settings: Settings) -> frozenset[ChannelName]:
    """The channels that `outward_channels` would make, with desk and device; nothing is opened."""
    set_for = {
        ChannelName.WEBHOOK: settings.webhook_url,
        ChannelName.SMS: settings.sms_gateways,
        ChannelName.VOICE: settings.voice_gateways,
        ChannelName.EMAIL: settings.smtp_url and settings.smtp_from,
        ChannelName.PUSH: settings.push_contact,
        ChannelName.APPRISE: settings.apprise_urls,
    }
    named = {name for name, wanted in set_for.items() if wanted}
    return frozenset(named | {ChannelName.DESK, ChannelName.DEVICE})
