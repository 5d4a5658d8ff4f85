"""Every channel against its provider on loopback: taken, refused, limited, down, hanging; what the
provider saw. The same promises for each."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import msgspec
import pytest
from py_vapid import Vapid02

from alerts.brief import Purpose
from alerts.browser import Browser
from alerts.channels.apprise import AppriseChannel
from alerts.channels.email import EmailChannel
from alerts.channels.email import Server as MailHost
from alerts.channels.push import PushChannel
from alerts.channels.sms import SmsChannel
from alerts.channels.voice import VoiceChannel
from alerts.channels.webhook import WebhookChannel
from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.gateways import Gateways
from alerts.messages import Message, render
from alerts.notification import Notification, NotificationKind
from alerts.policy import ChannelName
from alerts.ports import Channel, Sent
from hub.clock import SystemClock
from hub.gateway_files import read_vendors
from hub.push_keys import push_key
from schemas.ids import AreaId, IncidentId
from tests.providers import SECRET, MailServer, Providers, Server, running_providers
from tests.scenes import HandClock
from tests.unit.test_messages import RING

NUMBER = "+8613800000001"
MAIL = "daughter@example.org"


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    async with running_providers() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=2) as open_client:
        yield open_client


def notification(channel: ChannelName, number: int = 1) -> Notification:
    return Notification(
        id=number, incident_id=IncidentId("i-1"), area_id=AreaId("city"), channel=channel,
        recipient="contact:1", kind=NotificationKind.RING, urgency=0, body={}, attempts=1,
        created_at=RING.now,
    )  # fmt: skip


def gateways(
    client: httpx.AsyncClient, way: str, *urls: str, folder: Path, clock: HandClock | None = None
) -> Gateways:
    """The native vendor once for each address, under names of their own."""
    shipped = Path(f"config/gateways/carebell-{way}.toml").read_text(encoding="utf-8")
    paths = []
    for number, url in enumerate(urls):
        path = folder / f"{way}-{number}.toml"
        content = shipped.replace(f'name = "carebell-{way}"', f'name = "vendor-{number}"')
        content = content.replace('{ env = "GATEWAY_URL" }', f'"{url}"')
        path.write_text(content.replace('{ env = "GATEWAY_SECRET" }', f'"{SECRET}"'))
        paths.append(str(path))
    vendors = read_vendors(",".join(paths), way)
    return Gateways(client, vendors, clock or HandClock(), lambda v: f"http://hub/{v.name}",
                    lambda: "0" * 32)  # fmt: skip


@dataclass
class Case:
    """One channel with its provider."""

    channel: Channel
    address: str
    server: Server | MailServer
    """What misbehaves on command."""
    seen: Callable[[], int]
    """How many messages arrived."""

    async def send(self, number: int = 1) -> Sent:
        message = render(RING, self.channel.name, "en")
        return await self.channel.send(notification(self.channel.name, number), message,
                                       self.address)  # fmt: skip


HTTP = ("sms", "voice", "push", "webhook")


def case_of(name: str, providers: Providers, client: httpx.AsyncClient, folder: Path) -> Case:
    gateway, phone = providers.gateway, providers.gateway.phone(NUMBER)
    if name == "sms":
        one = gateways(client, "sms", gateway.url, folder=folder)
        return Case(SmsChannel(one), NUMBER, gateway, lambda: len(phone.inbox))
    if name == "voice":
        one = gateways(client, "voice", gateway.url, folder=folder)
        return Case(VoiceChannel(one), NUMBER, gateway, lambda: len(phone.calls))
    if name == "webhook":
        hook = providers.hook
        return Case(WebhookChannel(client, SECRET), hook.url, hook, lambda: len(hook.inbox))
    if name == "email":
        server = MailHost.parse(f"smtp://127.0.0.1:{providers.mail.port}")
        channel = EmailChannel(server, "hub@example.org", "Evergreen Care", HandClock())
        return Case(channel, MAIL, providers.mail, lambda: len(providers.mail.mailbox(MAIL)))
    browser = providers.push.subscribes()

    async def forget(endpoint: str) -> None:
        forgotten.append(endpoint)

    forgotten.clear()
    key = push_key(folder)
    push = PushChannel(client, key, "mailto:ops@example.org", SystemClock(), forget)
    return Case(push, address_of(browser.subscription()), providers.push,
                lambda: len(browser.inbox))  # fmt: skip


forgotten: list[str] = []


def address_of(subscription: dict[str, object]) -> str:
    keys = subscription["keys"]
    assert isinstance(keys, dict)
    return msgspec.json.encode(
        Browser(str(subscription["endpoint"]), keys["p256dh"], keys["auth"])
    ).decode()


@pytest.fixture(params=[*HTTP, "email"])
def case(
    request: pytest.FixtureRequest, providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> Case:
    return case_of(request.param, providers, client, tmp_path)


@pytest.fixture(params=HTTP)
def http_case(
    request: pytest.FixtureRequest, providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> Case:
    return case_of(request.param, providers, client, tmp_path)


def _server(case: Case) -> Server:
    assert isinstance(case.server, Server)
    return case.server


# The same for every channel


async def test_sent_is_said_only_after_the_provider_has_it(case: Case) -> None:
    sent = await case.send()
    assert sent.word
    assert case.seen() == 1


async def test_a_provider_that_is_down_is_tried_again(case: Case, providers: Providers) -> None:
    await case.server.dies()
    with pytest.raises(SendFailed):
        await case.send()
    await case.server.lives()
    await case.send()
    assert case.seen() == 1


async def test_trouble_of_the_provider_is_tried_again(http_case: Case) -> None:
    _server(http_case).fails(503, times=1)
    with pytest.raises(SendFailed):
        await http_case.send()
    await http_case.send()
    assert http_case.seen() == 1


async def test_a_limit_says_how_long_to_wait(http_case: Case) -> None:
    _server(http_case).fails(429, retry_after_s=7)
    with pytest.raises(RateLimited) as limited:
        await http_case.send()
    assert limited.value.retry_after_s == 7
    assert http_case.seen() == 0


async def test_what_the_provider_will_never_take_is_refused(http_case: Case) -> None:
    _server(http_case).fails(400)
    with pytest.raises(SendRefused):
        await http_case.send()


async def test_a_provider_that_never_answers_is_given_up(
    http_case: Case, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.gateways.ANSWER_WITHIN_S", 0.2)
    client.timeout = httpx.Timeout(0.2)
    _server(http_case).hangs()
    with pytest.raises(SendFailed):
        await http_case.send()
    _server(http_case).recovers()


# Gateways


async def test_the_same_attempt_twice_is_one_message(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    case = case_of("sms", providers, client, tmp_path)
    first, again = await case.send(), await case.send()
    assert first.provider_id == again.provider_id
    assert case.seen() == 1
    await case.send(number=2)
    assert case.seen() == 2


async def test_a_text_carries_what_call_backs_need(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    case = case_of("sms", providers, client, tmp_path)
    sent = await case.send()
    (text,) = providers.gateway.phone(NUMBER).inbox
    assert (text.reference, text.id) == ("n1-sms-0", sent.provider_id)
    assert text.callback_url == "http://hub/vendor-0"
    assert text.text == render(RING, ChannelName.SMS, "en").text
    assert sent.receipt_within_s == 60


async def test_a_call_reads_sentences_and_listens_for_digits(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await case_of("voice", providers, client, tmp_path).send()
    (call,) = providers.gateway.phone(NUMBER).calls
    assert call.say == list(render(RING, ChannelName.VOICE, "en").spoken)
    assert (call.digits, call.bridge_to) == ("12", None)


@pytest.mark.parametrize("trouble", ["dies", "hangs", "500", "429", "401"])
async def test_a_second_vendor_takes_what_the_first_one_does_not(
    trouble: str,
    providers: Providers,
    client: httpx.AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("alerts.gateways.ANSWER_WITHIN_S", 0.3)
    first, second = providers.gateway, providers.second_gateway
    channel = SmsChannel(gateways(client, "sms", first.url, second.url, folder=tmp_path))
    if trouble == "dies":
        await first.dies()
    elif trouble == "hangs":
        first.hangs()
    else:
        first.fails(int(trouble))
    case = Case(channel, NUMBER, first, lambda: len(second.phone(NUMBER).inbox))
    await case.send()
    assert case.seen() == 1
    first.recovers()


async def test_a_vendor_that_hung_is_asked_last_for_a_minute(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.gateways.ANSWER_WITHIN_S", 0.2)
    clock, first, second = HandClock(), providers.gateway, providers.second_gateway
    urls = (first.url, second.url)
    channel = SmsChannel(gateways(client, "sms", *urls, folder=tmp_path, clock=clock))
    case = Case(channel, NUMBER, first, lambda: first.asked)
    first.hangs(times=1)
    for number in range(3):
        await case.send(number)
    assert first.asked == 1, "asked once, and the others did not wait for it"
    clock.pass_time(61)
    await case.send(4)
    assert first.asked == 2
    first.recovers()


async def test_when_every_vendor_limits_it_is_delayed_and_not_dropped(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    providers.gateway.fails(429, retry_after_s=30)
    providers.second_gateway.fails(429, retry_after_s=5)
    urls = (providers.gateway.url, providers.second_gateway.url)
    channel = SmsChannel(gateways(client, "sms", *urls, folder=tmp_path))
    with pytest.raises(RateLimited) as limited:
        await Case(channel, NUMBER, providers.gateway, lambda: 0).send()
    assert limited.value.retry_after_s == 5


# Mail


async def test_a_mail_is_plain_and_simple_html_and_says_it_is_automatic(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    await case_of("email", providers, client, tmp_path).send()
    (mail,) = providers.mail.mailbox(MAIL)
    assert mail["Subject"] == "Emergency press: Anna Wang, 86"
    assert mail["From"] == "Evergreen Care <hub@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == render(RING, ChannelName.EMAIL, "en").text
    assert f'<a href="{RING.link}">' in html.get_content()


@pytest.mark.parametrize(
    ("answer", "error"),
    [("550 5.1.1 no such mailbox", SendRefused), ("451 4.7.1 greylisted", SendFailed)],
)
async def test_a_mail_server_means_it_for_good_or_for_now(
    answer: str,
    error: type[Exception],
    providers: Providers,
    client: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    providers.mail.refuses(answer)
    with pytest.raises(error, match=answer[:3]):
        await case_of("email", providers, client, tmp_path).send()


async def test_an_address_cannot_smuggle_in_a_second_recipient(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    case = case_of("email", providers, client, tmp_path)
    case.address = "a@example.org\nBcc: b@example.org"
    with pytest.raises(SendRefused):
        await case.send()


# Web push


async def test_only_the_browser_can_read_a_push_and_the_hub_vouches_for_it(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    case = case_of("push", providers, client, tmp_path)
    await case.send()
    (browser,) = providers.push.browsers.values()
    assert browser.inbox[0]["title"] == "Emergency press: Anna Wang, 86"
    assert browser.inbox[0]["url"] == RING.link
    headers = browser.headers[0]
    assert (headers["TTL"], headers["Urgency"]) == ("900", "high")
    assert len(headers["Topic"]) == 32
    assert browser.sizes_bytes[0] < 4096
    over = replace(RING, purpose=Purpose.OVER)
    await case.channel.send(
        notification(ChannelName.PUSH, 2), render(over, ChannelName.PUSH, "en"), case.address
    )
    assert browser.headers[1]["Topic"] == headers["Topic"], "it takes the place of the ring"


async def test_a_browser_that_took_its_permission_back_is_forgotten(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    case = case_of("push", providers, client, tmp_path)
    (browser,) = providers.push.browsers.values()
    providers.push.forgets(browser)
    with pytest.raises(SendRefused, match="permission"):
        await case.send()
    assert forgotten == [browser.endpoint]


def test_the_hub_keeps_its_push_key_to_itself_and_for_good(tmp_path: Path) -> None:
    first, again = push_key(tmp_path), push_key(tmp_path)
    assert first.private_pem() == again.private_pem()
    assert (tmp_path / "push-key.pem").stat().st_mode & 0o777 == 0o600
    assert isinstance(first, Vapid02)


# Apprise


async def test_a_group_robot_hears_it_through_apprise(providers: Providers) -> None:
    providers.hook.secret = None
    channel = AppriseChannel()
    message = render(RING, ChannelName.APPRISE, "en")
    url = f"json://127.0.0.1:{providers.hook.port}"
    await channel.send(notification(ChannelName.APPRISE), message, url)
    assert providers.hook.inbox[0]["title"] == message.subject
    assert "1 Lake Street" in providers.hook.inbox[0]["message"]
    providers.hook.fails(500)
    with pytest.raises(SendFailed):
        await channel.send(notification(ChannelName.APPRISE), message, url)
    with pytest.raises(SendRefused):
        await channel.send(notification(ChannelName.APPRISE), message, "nonsense")


async def test_nothing_to_say_is_not_dialled(
    providers: Providers, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    channel = VoiceChannel(gateways(client, "voice", providers.gateway.url, folder=tmp_path))
    with pytest.raises(SendRefused):
        await channel.send(notification(ChannelName.VOICE), Message("x", "x"), NUMBER)
    assert providers.gateway.asked == 0
