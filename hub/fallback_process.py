"""Puts the calls from memory together for an ingest process."""
# ruff: noqa: PLC0415 - a hub that names no contact must not load the channels' libraries

from collections.abc import Callable, Mapping, Sequence

from alerts.actions import Action
from alerts.fallback import Times
from alerts.policy import EVERY_CHANNEL, ChannelName
from alerts.ports import Channel
from hub.board import Board
from hub.clock import SystemClock
from hub.database import Session
from hub.fallback_contacts import FallbackContacts, read_contacts
from hub.fallback_journal import Journal
from hub.fallback_voice import FallbackVoice
from hub.fallback_words import WordsFromMemory
from hub.register import Register
from hub.settings import Settings
from hub.store.told_from_memory import MemoryRecord

TIMEOUT_S = 10.0
"""As the worker's webhook."""


def fallback_voice(
    settings: Settings,
    database_url: str,
    owner: str,
    *,
    register: Register,
    board: Board,
    clock: SystemClock,
    actions: Callable[[], Sequence[Action]],
    away: Callable[[], bool],
    ours: Callable[[str], bool],
) -> FallbackVoice:
    """From the settings; `owner` is the name of a split hub's territory, or empty."""
    contacts = read_contacts(settings.fallback_by_area, settings.webhook_url)
    channels = _channels(settings, contacts, clock)
    return FallbackVoice(
        board=board,
        areas=register.areas,
        clock=clock,
        contacts=contacts,
        channels=channels,
        words=WordsFromMemory(
            register, clock, service=settings.service_name, hotline=settings.hotline_number,
            language=settings.language, zone=settings.time_zone,
        ),
        times=Times(settings.fallback_after_s, settings.fallback_again_s),
        tries=settings.fallback_tries,
        actions=actions,
        away=away,
        ours=ours,
        journal=Journal(settings.data_dir, owner),
        recorder=MemoryRecord(Session(database_url), _reachable(settings)),
    )  # fmt: skip


def _channels(
    settings: Settings, contacts: FallbackContacts, clock: SystemClock
) -> Mapping[ChannelName, Channel]:
    if not contacts.by_area and not contacts.everywhere:
        return {}
    import httpx

    from alerts.channels.sms import SmsChannel
    from alerts.channels.voice import VoiceChannel
    from alerts.channels.webhook import WebhookChannel
    from hub.channels import gateways

    client = httpx.AsyncClient(timeout=TIMEOUT_S)
    channels: dict[ChannelName, Channel] = {
        ChannelName.WEBHOOK: WebhookChannel(client, settings.webhook_secret)
    }
    if settings.sms_gateways:
        channels[ChannelName.SMS] = SmsChannel(gateways(settings, "sms", client, clock))
    if settings.voice_gateways:
        channels[ChannelName.VOICE] = VoiceChannel(gateways(settings, "voice", client, clock))
    return channels


def _reachable(settings: Settings) -> frozenset[ChannelName]:
    """What the worker can send by."""
    without = {
        ChannelName.WEBHOOK: settings.webhook_url,
        ChannelName.SMS: settings.sms_gateways,
        ChannelName.VOICE: settings.voice_gateways,
        ChannelName.EMAIL: settings.smtp_url,
        ChannelName.PUSH: settings.push_contact,
        ChannelName.APPRISE: settings.apprise_urls,
    }
    return EVERY_CHANNEL - {name for name, value in without.items() if not value}
