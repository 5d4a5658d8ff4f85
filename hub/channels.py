"""Which channels there are, from the settings; what is not set stays unreachable and is recorded as
such."""

import secrets
from collections.abc import Awaitable, Callable, Mapping

import httpx

from alerts.channels.email import EmailChannel, Server
from alerts.channels.sms import SmsChannel
from alerts.channels.voice import VoiceChannel
from alerts.channels.webhook import WebhookChannel
from alerts.gateway import Vendor
from alerts.gateways import Gateways
from alerts.policy import ChannelName
from alerts.ports import Channel, Clock
from hub.callback_key import callback_url
from hub.callback_secret import callback_key
from hub.gateway_files import read_vendors
from hub.push_keys import push_key
from hub.settings import Settings
from hub.store.brief import Speaker


def outward_channels(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    forget_browser: Callable[[str], Awaitable[None]],
) -> Mapping[ChannelName, Channel]:
    """Every channel that something is set for, besides desk and device."""
    channels: dict[ChannelName, Channel] = {}
    if settings.webhook_url:
        channels[ChannelName.WEBHOOK] = WebhookChannel(client, settings.webhook_secret)
    if settings.sms_gateways:
        channels[ChannelName.SMS] = SmsChannel(gateways(settings, "sms", client, clock))
    if settings.voice_gateways:
        channels[ChannelName.VOICE] = VoiceChannel(gateways(settings, "voice", client, clock))
    if settings.smtp_url and settings.smtp_from:
        channels[ChannelName.EMAIL] = EmailChannel(
            Server.parse(settings.smtp_url), settings.smtp_from, settings.service_name, clock
        )
    if settings.push_contact:
        channels[ChannelName.PUSH] = _push(settings, client, clock, forget_browser)
    if settings.apprise_urls:
        channels[ChannelName.APPRISE] = _apprise()
    return channels


def gateways(settings: Settings, way: str, client: httpx.AsyncClient, clock: Clock) -> Gateways:
    """The vendors of a way, in the order of the settings."""
    listed = settings.sms_gateways if way == "sms" else settings.voice_gateways

    key = callback_key(settings) if settings.public_url else b""

    def address(vendor: Vendor) -> str:
        return callback_url(settings.public_url, key, vendor.name)

    return Gateways(
        client, read_vendors(listed, way), clock, address, lambda: secrets.token_hex(16)
    )


def speaker(settings: Settings) -> Speaker:
    """What messages have from the settings."""
    ways = {ChannelName.SMS: settings.sms_gateways, ChannelName.VOICE: settings.voice_gateways}
    answers = frozenset(name for name, listed in ways.items() if listed and settings.public_url)
    return Speaker(
        service=settings.service_name,
        hotline=settings.hotline_number,
        zone=settings.time_zone,
        map_service=settings.map_service,
        answers=answers,
    )


def _push(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    forget_browser: Callable[[str], Awaitable[None]],
) -> Channel:
    # It brings a second HTTP library along, 20 MiB, only where push is wanted.
    from alerts.channels.push import PushChannel  # noqa: PLC0415

    return PushChannel(
        client, push_key(settings.data_dir), settings.push_contact, clock, forget_browser
    )


def _apprise() -> Channel:
    # Its hundred plug-ins are read only where one is wanted.
    from alerts.channels.apprise import AppriseChannel  # noqa: PLC0415

    return AppriseChannel()
